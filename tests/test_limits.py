"""Limits: whatever a small file asks for is compared with them first, and the message says what would allow it."""

import dataclasses
import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli, codec, images
from fourcodec.bitstream import alpha, container, metadata, varint, zstd
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, FourcodecError, LimitError
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig, QuantizedFnet, read_config
from fourcodec.fnet.fit.sizes import SIDE_BY_SIDE
from fourcodec.grid import config as grid_config
from fourcodec.grid import profile as grid
from fourcodec.grid import rendering as grid_rendering
from fourcodec.grid import weight_coding as grid_networks
from fourcodec.grid.weights import FILTERS, SCALES, UNUSED
from fourcodec.limits import DEFAULT, Limits
from fourcodec.views import View, whole
from tests.golden.make import FOLDER
from tests.support import hostile
from tests.support.grids import config_of, random_picture

ROOM = 16 << 20  # bytes: what refusing a file may take, imports and compiled kernels among it


def peak_bytes(data: bytes, **arguments: object) -> int:
    """Of Python's and numpy's memory, while a file is refused."""
    tracemalloc.start()
    try:
        with pytest.raises(FourcodecError):
            codec.decode(data, **arguments)  # type: ignore[arg-type]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("limits", [{"pixels": 0}, {"work": 0}, {"pixels": -1}, {"pixels": "9"}, {"work": 1e12}])
def test_limits_are_whole_numbers_of_at_least_one(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"at least 1|is a whole number"):
        Limits(**limits)


def test_a_small_file_of_too_many_pixels_is_refused_before_anything_is_allocated() -> None:
    data = hostile.grid_file(1 << 20, 1 << 20)
    assert len(data) < 2000
    with pytest.raises(LimitError, match=r"1048576 x 1048576 pixels.*--max-pixels 1099511627776 allows it"):
        codec.decode(data)
    assert peak_bytes(data) < ROOM


def test_a_small_file_of_too_much_work_is_refused_before_anything_is_allocated() -> None:
    data = hostile.fnet_file(16384, 8192)
    assert len(data) < 150
    with pytest.raises(LimitError, match=r"decoding takes 42067057180672 multiplications.*--max-work 42067057180672"):
        codec.decode(data)
    assert peak_bytes(data) < ROOM


def test_a_part_or_a_small_size_of_it_is_decoded() -> None:
    data = hostile.fnet_file(16384, 8192)
    assert codec.decode(data, view=View(region=(9, 9, 4, 3))).shape == (3, 4, 3)
    assert codec.decode(data, view=View(size=(4, 3))).shape == (3, 4, 3)


def test_what_alpha_needs_of_a_small_size_counts_as_work() -> None:
    """Where it varies, a small size is made of all pixels."""
    data = hostile.fnet_file(200, 100, (10, 16))
    header, sections = container.read(data)
    mask = np.arange(20_000, dtype=np.uint8).reshape(100, 200)
    seen = container.write(dataclasses.replace(header, channels=4), [*sections, alpha.write(mask)])
    limits = Limits(work=20_000 * FnetConfig(10, 16, 3).coefficient_count - 1)
    codec.decode(data, view=View(size=(4, 2)), limits=limits)
    with pytest.raises(LimitError, match="decoding takes"):
        codec.decode(seen, view=View(size=(4, 2)), limits=limits)


@pytest.mark.parametrize("kind", ["fnet", "fnet-cells", "grid", "grid-16-alpha"])
def test_memory_goes_with_the_pixels(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst case of docs/trust.md, 2^27 pixels in 4 GB, at 2^20: tiles are made smaller with the picture."""
    monkeypatch.setattr(grid_rendering, "_PART_SAMPLES", 1 << 15)
    fields = {"bit_depth": 16} if kind == "grid-16-alpha" else {}

    def file_of(side: int) -> bytes:
        if kind == "fnet-cells":
            return hostile.fnet_file(side, side, (1, 1, 1, 32, 32))
        data = hostile.fnet_file(side, side, (1, 1)) if kind == "fnet" else hostile.grid_file(side, side, **fields)
        return hostile.with_alpha(data) if kind == "grid-16-alpha" else data

    data = file_of(1024)
    codec.decode(file_of(64))  # compiled kernels and what is imported late are no part of it
    tracemalloc.start()
    try:
        codec.decode(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * 1024 * 1024


def test_a_thin_picture_is_held_to_the_memory_that_it_takes() -> None:
    data = hostile.grid_file(DEFAULT.pixels, 1)
    with pytest.raises(LimitError, match=r"thin a picture takes the memory of .* --max-pixels"):
        codec.decode(data)
    assert peak_bytes(data) < ROOM
    square = container.Header(16384, 8192, 3, grid.PROFILE_ID, (9, 3, 16, 0))
    assert grid.memory_pixels(grid.read_config(square)) <= DEFAULT.pixels


@pytest.mark.parametrize("scale", [1e6, 1e300])
def test_a_view_of_too_many_samples_is_refused(scale: float) -> None:
    with pytest.raises(LimitError, match="what is asked for has"):
        codec.decode((FOLDER / "grid-rgb.fnc").read_bytes(), view=View(scale=scale))


def test_every_picture_of_the_usual_sizes_is_within_the_default_work() -> None:
    """What encoders write unasked is decoded unasked: at the limit of pixels, 8 x 6, cells and every grid."""
    header = Header(16384, 8192, 3, fnet.PROFILE_ID, (8, 6))
    assert fnet.multiplications(read_config(header), whole(16384, 8192)) <= DEFAULT.work
    cells = Header(16384, 8192, 3, fnet.PROFILE_ID, SIDE_BY_SIDE[-1])
    assert fnet.multiplications(read_config(cells), whole(16384, 8192)) <= DEFAULT.work
    largest = Header(16384, 8192, 3, grid.PROFILE_ID, (9, 3, 16, 0))
    assert grid.multiplications(grid.read_config(largest), whole(16384, 8192)) <= DEFAULT.work


@pytest.mark.parametrize("name", ["grid-rgb", "grid-grey", "rgb-range", "narrow-cells-range"])
def test_work_is_counted_as_the_document_says(name: str) -> None:
    file = codec.File((FOLDER / f"{name}.fnc").read_bytes())
    header = file.header
    at = whole(header.width, header.height)
    found = file.profile.multiplications(file.config, at)
    if header.profile == fnet.PROFILE_ID:
        overlaps = 4 if name == "narrow-cells-range" else 1
        assert found == at.count * overlaps * file.config.shape.coefficient_count
    else:
        levels, order, _, _ = header.architecture
        frequencies = sum(math.comb(levels, n) for n in range(order + 1))
        of_entropy_model = 28 * 16 + 17 * 16 + 2 * (16 + 28)  # layers of 16 units, and taps beside the last
        c = header.channels
        others = (2 * frequencies - 1) * (levels + c) + levels * c + 4 * (levels - 1) + 9 * c * c
        latents = sum(level.size for level in file.integers.levels)
        assert found == latents * of_entropy_model + at.count * others


def test_info_shows_what_decode_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "huge.fnc"
    path.write_bytes(hostile.grid_file(1 << 31, 1 << 30))
    assert cli.run(["info", str(path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["width"], shown["height"]) == (1 << 31, 1 << 30)
    assert shown["multiplications"] > DEFAULT.work


def test_the_option_of_the_message_allows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "a.fnc", tmp_path / "a.png"
    path.write_bytes((FOLDER / "rgb-range.fnc").read_bytes())
    for option in ("--max-pixels", "--max-work"):
        assert cli.run(["decode", str(path), option, "100"]) == 1
        said = capsys.readouterr().err
        words = said.partition(f"{option} ")[2].split()
        assert cli.run(["verify", str(path), option, words[0]]) == 0
        assert cli.run(["verify", str(path), option, str(int(words[0]) - 1)]) == 1
        assert cli.run(["info", "--parts", str(path), option, words[0]]) == 0
        assert cli.run(["info", "--parts", str(path), option, str(int(words[0]) - 1)]) == 1
        assert cli.run(["info", str(path), option, str(int(words[0]) - 1)]) == 0
        capsys.readouterr()
    assert not out.exists()


@pytest.mark.usefixtures("stub_profile")
def test_encode_says_where_decode_will_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A small default stands in for a picture of 2^27 pixels."""
    Image.new("RGB", (24, 16), "teal").save(tmp_path / "a.png")
    small = Limits(pixels=100)
    monkeypatch.setattr(codec, "DEFAULT", small)
    assert cli.run(["encode", str(tmp_path / "a.png"), "--max-pixels", "100"]) == 1
    assert "24 x 16 pixels, more than the limit of 100: --max-pixels 384 allows it" in capsys.readouterr().err
    assert cli.run(["encode", str(tmp_path / "a.png"), "--max-pixels", "384"]) == 0
    assert "decoders refuse this file by default: the picture has 24 x 16 pixels" in capsys.readouterr().err


def test_encode_refuses_a_network_of_too_much_work_before_it_fits_it() -> None:
    with pytest.raises(LimitError, match="decoding takes 47104 multiplications"):
        fourcodec.encode(np.zeros((16, 16, 3), np.uint8), width=2, depth=10, limits=Limits(work=47_103))


def test_pillows_own_limit_gives_way_where_more_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow refuses twice as many
    data = images.to_png(np.zeros((16, 24, 3), np.uint8))
    with pytest.raises(LimitError, match="--max-pixels allows it"):
        images.read(data)
    assert images.read(data, limits=Limits(pixels=DEFAULT.pixels + 1)).pixels.shape == (16, 24, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_filters_that_would_overflow_are_refused() -> None:
    data = hostile.grid_file(24, 16)
    assert codec.decode(hostile.with_filters(data, 1)).shape == (16, 24, 3)
    with pytest.raises(CorruptFileError, match="amplify more than"):
        codec.decode(hostile.with_filters(data, 32767))
    smoothing = grid_config.read_config(container.read(data)[0]).shape.group_count - 1
    assert codec.decode(hostile.with_filters(data, 1, smoothing)).shape == (16, 24, 3)
    with pytest.raises(CorruptFileError, match="amplify more than"):
        codec.decode(hostile.with_filters(hostile.with_filters(data, 1), 32767, smoothing))


def test_the_largest_integers_give_finite_samples() -> None:
    """Every weight and latent as large as it can be, in both profiles: no sample is inf or NaN."""
    config = FnetConfig(5, 16, 3)
    indices, symbols = np.full(config.shape.output_count, 160, np.uint8), np.full(config.coefficient_count, 2**20 - 1)
    network = QuantizedFnet(config, indices, symbols.astype(np.int32))
    assert fnet.same(network, fnet.unpack(config, fnet.pack(network)[1]))
    assert np.isfinite(fnet.render(network, (16, 24), "cpu")).all()
    picture = random_picture(config_of(16, 24, 3, levels=9, order=3, phase=0, smooth=True))
    groups, exponents, symbols = picture.config.shape.groups, picture.networks.exponents, picture.networks.symbols
    symbols[groups != UNUSED] = grid_networks.MAX_SYMBOL
    exponents[:] = 0
    exponents[: SCALES + 1] = 20
    symbols[groups == FILTERS], exponents[FILTERS] = 22, 4  # 6.5 in all, to the 16th: below 2^44
    symbols[groups == groups[-1]], exponents[-1] = 3, 3  # 2.6 + 1, squared: below 2^3.8
    grid_networks.check_gain(picture.networks.weights)
    for level in picture.tiles[0]:
        level[:] = 32767
    assert np.isfinite(grid.render(picture, (16, 24), "cpu")).all()


@pytest.mark.parametrize(
    ("declared", "error", "said"),
    [
        (1 << 30, LimitError, "declares 1073741824 bytes, more than the limit of 16777216"),
        (1 << 24, CorruptFileError, "holds 3000 bytes, 16777216 expected"),
        (100, CorruptFileError, "100"),
        (0, CorruptFileError, "empty"),
    ],
)
def test_metadata_that_lie_about_their_size_are_refused(declared: int, error: type[FourcodecError], said: str) -> None:
    data = hostile.with_metadata((FOLDER / "rgb-range.fnc").read_bytes(), 3000, declared=declared)
    with pytest.raises(error, match=said):
        codec.read_metadata(data)
    assert codec.decode(data).shape == (16, 24, 3)


def test_sections_of_the_future(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown ancillary sections are skipped, by decode, info and verify; unknown critical ones refuse the file."""
    for name in ("rgb-range", "grid-rgba-16"):
        header, sections = container.read((FOLDER / f"{name}.fnc").read_bytes())
        wanted = codec.decode(container.write(header, sections))
        for kind in (20, 23, 24, 31):
            path = tmp_path / "future.fnc"
            path.write_bytes(container.write(header, [Section(kind, 3, b"\0later"), *sections]))
            np.testing.assert_array_equal(codec.decode(path.read_bytes()), wanted)
            assert cli.run(["verify", str(path)]) == 0
            assert cli.run(["info", str(path)]) == 0
            assert "unknown" in capsys.readouterr().out
        for kind in (2, 7, 9, 15):
            data = container.write(header, [*sections, Section(kind, 0, b"later")])
            with pytest.raises(FourcodecError, match=f"needs a section of kind {kind}, unknown"):
                codec.decode(data)


def test_zstd_frames_of_metadata_are_held_to_their_promises() -> None:
    """A second frame, a window of 16 MB, bytes behind the end: whatever a frame can do beside decompressing."""
    plain = b"<x/>" * 700
    frame = zstd.compress(plain)
    for payload in (frame + zstd.MAGIC + frame, frame + b"\0", frame[:-1], b""):
        section = Section(metadata.XMP, container.CODER_ZSTD, varint.write(len(plain)) + payload)
        with pytest.raises(CorruptFileError):
            metadata.read([section])
        assert metadata.salvage([section])[0] == metadata.Metadata()
