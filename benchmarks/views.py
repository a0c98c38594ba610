"""Time and quality of decoded regions and scales.

    python -m benchmarks.views DATA [--quick] > benchmarks/results/views.tsv

Times are processor seconds, the best of three, of one file of 3840 x 3072 pixels for each profile. For grid its latents
are those of a coded Kodak image repeated 5 x 6 times, in tiles: they have the statistics of a real file without an hour
of fitting. For fnet it is the same network at that size. Quality is measured on Kodak images: decodes at smaller scales
against means of the original's pixels, and the decode of a coded half at twice its size against the original.
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import fourcodec
from benchmarks import timing
from benchmarks.tables import show
from fourcodec import metrics
from fourcodec.bitstream import container
from fourcodec.grid import profile as grid
from fourcodec.grid.config import GridConfig
from fourcodec.grid.picture import GridNetworks, Latents, QuantizedGrid
from fourcodec.grid.tiling import UNIT, tile_side
from fourcodec.views import WHOLE, View

REPEATED = 5, 6
NAMES = ("kodim15", "kodim23", "kodim05")
SETTINGS: dict[str, dict[str, Any]] = {"grid q60": {"quality": 60.0}, "fnet 7x5": {"width": 7, "depth": 5}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="holds kodak/")
    parser.add_argument("--quick", action="store_true", help="the first image only, at the lowest effort")
    arguments = parser.parse_args()
    names, effort = (NAMES[:1], 1) if arguments.quick else (NAMES, 2)
    print("what\tfile\tview\tsamples\tcpu_seconds\tshare_of_full\tpsnr_db\tlanczos_psnr_db")
    for setting, options in SETTINGS.items():
        for number, name in enumerate(names):
            original = Image.open(arguments.data / "kodak" / f"{name}.png").convert("RGB")
            data = fourcodec.encode(original, effort=effort, device="cpu", **options).data
            for row in likeness(f"{name} {setting}", original, data, effort, options):
                show_row(row)
            if number == 0:
                for row in times(setting, enlarged(data)):
                    show_row(row)


Row = tuple[str, str, str, int | None, float | None, float | None, float | None, float | None]


def show_row(row: Row) -> None:
    show(*(f"{cell:.4g}" if isinstance(cell, float) else cell for cell in row))


def times(setting: str, data: bytes) -> Iterator[Row]:
    """Rows of time: regions, scales, and Pillow."""
    header, _ = container.read(data)
    width, height = header.width, header.height
    full = seconds(lambda: fourcodec.decode(data, view=WHOLE))
    yield "time", setting, "full", width * height, full, 1.0, None, None
    for share in (2, 4, 8, 16, 32):
        region = (width // 3, height // 3, width // share, height // share)
        spent = seconds(lambda region=region: fourcodec.decode(data, view=View(region=region)))  # type: ignore[misc]
        yield "time", setting, f"region 1/{share} of each side", region[2] * region[3], spent, spent / full, None, None
    for scale in (2.0**-n for n in range(1, 7)):
        spent = seconds(lambda scale=scale: fourcodec.decode(data, view=View(scale=scale)))  # type: ignore[misc]
        samples = View(scale=scale).on(width, height).count
        yield "time", setting, f"scale {scale:g}", samples, spent, spent / full, None, None
    fourcodec.register()
    full = seconds(lambda: Image.open(io.BytesIO(data)).load())
    yield "time", setting, "Pillow: load", width * height, full, 1.0, None, None
    for name, function in (("open", Image.open), ("thumbnail to 256", thumbnail)):
        spent = seconds(lambda function=function: function(io.BytesIO(data)))  # type: ignore[misc]
        yield "time", setting, f"Pillow: {name}", None, spent, spent / full, None, None


def thumbnail(file: io.BytesIO) -> None:
    with Image.open(file) as image:
        image.thumbnail((256, 256))


def likeness(name: str, original: Image.Image, data: bytes, effort: int, options: dict[str, Any]) -> Iterator[Row]:
    """Rows of quality: scales down, and a coded half scaled up, beside Lanczos interpolation."""
    full = np.asarray(original)
    psnr = metrics.psnr_db(full, fourcodec.decode(data))
    yield "likeness", name, "full", None, None, None, psnr, None
    for step in (2, 4, 8):
        means = np.asarray(original.reduce(step))
        copy = fourcodec.decode(data, view=View(scale=1 / step))
        yield "likeness", name, f"scale 1/{step}", None, None, None, metrics.psnr_db(means, copy), None
    half = fourcodec.encode(original.reduce(2), effort=effort, device="cpu", **options).data
    doubled = fourcodec.decode(half, view=View(size=original.size))
    lanczos = Image.fromarray(fourcodec.decode(half)).resize(original.size, Image.Resampling.LANCZOS)
    pair = metrics.psnr_db(full, doubled), metrics.psnr_db(full, np.asarray(lanczos))
    yield "likeness", name, "half coded, scale 2", None, None, None, *pair


def enlarged(data: bytes) -> bytes:
    """A file of 3840 x 3072 pixels: latents of a grid repeated, or the network of an fnet file as it is."""
    file = fourcodec.File(data)
    across, down = REPEATED
    wide = replace(file.header, width=file.header.width * across, height=file.header.height * down)
    if file.header.profile != grid.PROFILE_ID:
        return container.write(wide, file.sections)
    picture = file.integers
    side = tile_side(wide.height, wide.width)
    config = replace(picture.config, width=wide.width, height=wide.height, tiles=side // UNIT)
    levels = [np.tile(level, (down, across)) for level in picture.levels]
    tiles = {number: latents_of_tile(config, number, levels) for number in range(config.tiling.count)}
    networks = GridNetworks(config, picture.networks.exponents, picture.networks.symbols)
    fields, packed = grid.pack(QuantizedGrid(networks, tiles))
    return container.write(replace(wide, **fields), packed)


def latents_of_tile(config: GridConfig, number: int, levels: Latents) -> Latents:
    """A tile's part of the repeated latents; levels that reach beyond the image go on from its beginning."""
    window, own, latents = config.tiling.tile(number), config.of_tile(number), []
    for n, level in enumerate(own.pyramid.levels):
        rows = (window.top >> n) + np.arange(level.rows)
        columns = (window.left >> n) + np.arange(level.columns)
        latents.append(levels[n].take(rows, axis=0, mode="wrap").take(columns, axis=1, mode="wrap"))
    return latents


def seconds(function: Callable[[], object]) -> float:
    """Processor seconds of all threads together, the best of three, since others may use the machine."""
    return min(timing.seconds(function, time.process_time) for _ in range(3))


if __name__ == "__main__":
    main()
