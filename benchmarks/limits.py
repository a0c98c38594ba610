"""Files beyond each limit with the message they get, and the cost of the worst files within the limits.

python -m benchmarks.limits table > benchmarks/results/limits.tsv
python -m benchmarks.limits worst 4194304 > benchmarks/results/limits-worst.tsv      (pixels; 2^27 take minutes)
"""

import contextlib
import dataclasses
import io
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zstandard

from benchmarks.tables import show
from fourcodec import cli, codec, images
from fourcodec.bitstream import container, metadata, varint
from fourcodec.bitstream.container import Header, Section
from fourcodec.fnet import coefficient_coding
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import MAX_DEPTH, MAX_WIDTH, FnetConfig
from fourcodec.grid import config as grid_config
from fourcodec.grid.tiling import MAX_TILES, UNIT
from fourcodec.limits import DEFAULT
from tests.support import hostile
from tests.support.oddities import png

PIXELS, WORK, NONE = "--max-pixels", "--max-work", "none: the format's own"
DECODE, VERIFY, ENCODE = "decode {} -o out.png", "verify {}", "encode {}"


@dataclass(frozen=True)
class Case:
    """A limit, its value, the option that raises it, a file beyond it, and a command with {} for the file."""

    what: str
    value: int | str
    option: str
    name: str
    make: Callable[[], bytes]
    command: str = DECODE


def small() -> bytes:
    return hostile.fnet_file(24, 16)


def with_field(data: bytes, at: int, value: int) -> bytes:
    """A file with one architecture field changed and valid checksums."""
    header, sections = container.read(data)
    architecture = list(header.architecture)
    architecture[at] = value
    return container.write(dataclasses.replace(header, architecture=tuple(architecture)), sections)


def many_sections() -> bytes:
    header, sections = container.read(small())
    most = container.MAX_SECTIONS
    container.MAX_SECTIONS = 2 * most
    try:
        return container.write(header, [*[Section(16, container.CODER_RAW, b"")] * most, *sections])
    finally:
        container.MAX_SECTIONS = most


def wide_side() -> bytes:
    """A file whose width is a number of 35 bits."""
    return small()[:11] + b"\xff\xff\xff\xff\x7f" + small()[12:]


def large_coefficient() -> bytes:
    config = FnetConfig(2, 1, 3)
    values = np.full(config.shape.output_count + config.coefficient_count, 1 << 20, np.int32)
    section = Section(fnet.NETWORK, container.CODER_ZSTD, coefficient_coding.encode_planes(values))
    return container.write(Header(24, 16, 3, fnet.PROFILE_ID, (2, 1)), [section])


def wide_window() -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    coder = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    frame = coder.compress(bytes(300)) + coder.flush()
    header, sections = container.read(small())
    profile = Section(metadata.ICC, container.CODER_ZSTD, varint.write(300) + frame[4:])
    return container.write(header, [*sections, profile])


def alpha_bomb() -> bytes:
    """A file of 384 pixels with an alpha section of 2^26."""
    _, sections = container.read(hostile.with_alpha(hostile.fnet_file(8192, 8192)))
    header, _ = container.read(hostile.with_alpha(small()))
    return container.write(header, sections)


def picture(width: int, height: int) -> bytes:
    return images.to_png(np.zeros((height, width), np.uint8))


def grid_field(at: int, value: int) -> Callable[[], bytes]:
    return lambda: with_field(hostile.grid_file(24, 16), at, value)


def many_tiles() -> bytes:
    header, sections = container.read(hostile.grid_file(UNIT * (MAX_TILES + 1), 1))
    return container.write(dataclasses.replace(header, tiles=1), sections)


CASES = (
    Case("pixels", DEFAULT.pixels, PIXELS, "pixels.fnc", lambda: hostile.grid_file(1 << 20, 1 << 20)),
    Case("pixels of what is asked for", DEFAULT.pixels, PIXELS, "view.fnc", small, f"{DECODE} --scale 1000"),
    Case("multiplications", DEFAULT.work, WORK, "work.fnc", lambda: hostile.fnet_file(16384, 8192)),
    Case("pixels of a row", DEFAULT.pixels, PIXELS, "thin.fnc", lambda: hostile.grid_file(DEFAULT.pixels, 1)),
    Case("bytes of a file", DEFAULT.file_bytes, PIXELS, "long.fnc", lambda: bytes(DEFAULT.file_bytes + 1)),
    Case(
        "pixels of a picture to encode",
        DEFAULT.pixels,
        PIXELS,
        "huge.png",
        lambda: png(16384, 8193, bit_depth=8, colour=0, rows=b""),
        ENCODE,
    ),
    Case(
        "multiplications of what is encoded",
        DEFAULT.work,
        WORK,
        "large.png",
        lambda: picture(8192, 8192),
        f"{ENCODE} --width 10 --depth 16",
    ),
    Case("pixels a side", container.MAX_SIDE, NONE, "side.fnc", wide_side),
    Case("sections", container.MAX_SECTIONS, NONE, "sections.fnc", many_sections),
    Case("width of fnet", MAX_WIDTH, NONE, "width.fnc", lambda: with_field(small(), 0, 11)),
    Case("depth of fnet", MAX_DEPTH, NONE, "depth.fnc", lambda: with_field(small(), 1, 17)),
    Case("levels of grid", 9, NONE, "levels.fnc", grid_field(0, 10)),
    Case("order of grid", grid_config.MAX_ORDER, NONE, "order.fnc", grid_field(1, 4)),
    Case("hidden units of grid", grid_config.MAX_HIDDEN, NONE, "hidden.fnc", grid_field(2, 17)),
    Case("phase of grid", grid_config.MAX_PHASE, NONE, "phase.fnc", grid_field(3, 64)),
    Case("tiles of grid", MAX_TILES, NONE, "tiles.fnc", many_tiles),
    Case("bits of a coefficient", 20, NONE, "coefficient.fnc", large_coefficient),
    Case(
        "gain of all filters",
        "2^48",
        NONE,
        "filters.fnc",
        lambda: hostile.with_filters(hostile.grid_file(24, 16), 32767),
    ),
    Case("bytes of alpha", "the pixels'", NONE, "alpha.fnc", alpha_bomb),
    Case(
        "bytes of a document of metadata",
        metadata.MAX_BYTES,
        NONE,
        "metadata.fnc",
        lambda: hostile.with_metadata(small(), 3000, declared=1 << 30),
        VERIFY,
    ),
    Case("bytes of a zstd window", 8 << 20, NONE, "window.fnc", wide_window, VERIFY),
)


def table() -> None:
    print("limit\tdefault\traised by\tbytes of the file\tcommand\texit status\twhat is said")
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        for case in CASES:
            data, command = case.make(), case.command.replace("{}", case.name)
            Path(case.name).write_bytes(data)
            status, said = told(shlex.split(command))
            Path(case.name).unlink()
            show(case.what, case.value, case.option, len(data), command, status, said)


def told(command: Sequence[str]) -> tuple[int, str]:
    """Exit status and output of a command, in one line."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = cli.run(command)
    return status, " ".join(said.getvalue().split())


# Small files that cost the most multiplications, samples, latents or binary decisions.
WORST: dict[str, Callable[[int, int], bytes]] = {
    "fnet 10x16, zeros": lambda width, height: hostile.fnet_file(width, height),
    "fnet 1x1, RGBA 16": lambda width, height: hostile.with_alpha(
        hostile.fnet_file(width, height, (1, 1), bit_depth=16)
    ),
    "fnet 1x1, 1024 cells": lambda width, height: hostile.fnet_file(width * height, 1, (1, 1, 1, 1, 1024)),
    "grid, zeros": lambda width, height: hostile.grid_file(width, height),
    "grid, noise": lambda width, height: hostile.grid_file(width, height, noise(width * height // 8)),
    "grid, RGBA 16": lambda width, height: hostile.with_alpha(hostile.grid_file(width, height, bit_depth=16)),
    "grid, one row": lambda width, height: hostile.grid_file(width * height * 2 // 25, 1),
}


def noise(count: int) -> bytes:
    return np.random.default_rng(0).integers(1, 256, count, np.uint8).tobytes()


def worst(pixels: int) -> None:
    """Decodes each kind of file in a process of its own, whose peak memory is then the decoder's."""
    print("file\tbytes\twidth\theight\tmultiplications\tseconds of one core\tpeak MB\tbytes a pixel", flush=True)
    for kind in WORST:
        subprocess.run([sys.executable, "-m", "benchmarks.limits", "one", kind, str(pixels)], check=True)


def one(kind: str, pixels: int) -> None:
    """Prints the cost of decoding one kind of file."""
    width = 1 << (pixels.bit_length() // 2)
    data = WORST[kind](width, pixels // width)
    work = codec.describe(data)["multiplications"]
    if work > DEFAULT.work:  # as many rows as the work allows
        data = WORST[kind](width, pixels // width * DEFAULT.work // work)
    facts = codec.describe(data)
    codec.decode(WORST[kind](64, 64))  # compiles kernels before the measurement
    before, started = peak_mb(), time.process_time()
    codec.decode(data)
    seconds, count = time.process_time() - started, facts["width"] * facts["height"]
    numbers = (facts["width"], facts["height"], facts["multiplications"], f"{seconds:.1f}", f"{peak_mb():.0f}")
    show(kind, len(data), *numbers, f"{(peak_mb() - before) * 1e6 / count:.1f}")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    if sys.argv[1] == "table":
        table()
    elif sys.argv[1] == "worst":
        worst(int(sys.argv[2]))
    else:
        one(sys.argv[2], int(sys.argv[3]))
