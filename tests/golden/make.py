"""Makes the golden files of the current format version that are missing: python -m tests.golden.make [--all]

Each is a .fnc file and an .npz with the integers and pixels that it decodes to. Until format 1.0 all may be made again,
by --all, with a line in CHANGELOG.md that says why; after it, files of old versions are never touched.
"""

import sys
from collections.abc import Callable

import numpy as np

from fourcodec import codec, images
from fourcodec.bitstream import container, metadata
from fourcodec.bitstream.container import Header, Section
from fourcodec.fnet import coefficient_coding
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.fnet.fit.fit import fit
from fourcodec.fnet.fit.settings import FitSettings
from fourcodec.fnet.trained_starts import base_symbols, trained_starts
from fourcodec.grid import profile as grid
from fourcodec.grid.fit.fit import fit as fit_grid
from fourcodec.grid.fit.settings import grid_settings_for
from fourcodec.images import pixels
from tests.support.golden import FOLDER
from tests.support.grids import config_of


def picture(height: int, width: int, channels: int) -> np.ndarray:
    """Waves and an edge: uint8 (H, W, C)."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [
        127 + 100 * np.sin(rows / 5 + channel) * np.cos(columns / (4 + channel)) * (rows > columns / 3)
        for channel in range(channels)
    ]
    return np.stack(planes, axis=-1).astype(np.uint8)


def deep(image: np.ndarray) -> np.ndarray:
    """uint16 samples that are no multiples of 257."""
    return image.astype(np.uint16) * 257 ^ 0x35


def whole_file(image: np.ndarray, **arguments: object) -> bytes:
    """As `encode` makes it, with metadata."""
    described = metadata.Metadata(icc=b"profile " * 9, exif=b"II*\0", xmp=b"<x/>" * 40)
    return codec.encode(images.Picture(image, described), iterations=300, device="cpu", **arguments).data  # type: ignore[arg-type]


def integers_of(data: bytes) -> dict[str, np.ndarray]:
    """All integers that a file holds, by name."""
    file = codec.File(data)
    found = file.integers
    if file.header.profile == fnet.PROFILE_ID:
        return {"symbols": found.symbols, "step_indices": found.step_indices}
    latents = {
        f"latents_{level}" + (f"_{number}" if file.header.tiles else ""): values
        for number, levels in found.tiles.items()
        for level, values in enumerate(levels)
    }
    return {"symbols": found.networks.symbols, "exponents": found.networks.exponents, **latents}


def write(name: str, data: bytes) -> None:
    (FOLDER / f"{name}.fnc").write_bytes(data)
    np.savez_compressed(FOLDER / f"{name}.npz", **integers_of(data), pixels=codec.decode(data))  # type: ignore[arg-type]


def fnet_payload(values: np.ndarray, config: FnetConfig, coder: int) -> bytes:
    """The integers of a network under a coder."""
    if coder == container.CODER_RANGE:
        return coefficient_coding.encode_range(values, config)
    return coefficient_coding.encode_planes(values)


def fnet_file(image: np.ndarray, size: tuple[int, ...], coder: int, **fields: int) -> bytes:
    planes = pixels.to_planes(image)
    config = FnetConfig.of_size(size, planes.shape[0])
    network = fit(planes, config, FitSettings(300, batch_pixels=768), seed=0, device="cpu", report=None)
    values = fnet.plain_integers(network)
    payload = fnet_payload(values, config, coder)
    header = Header(image.shape[1], image.shape[0], planes.shape[0], fnet.PROFILE_ID, size, **fields)
    return container.write(header, [Section(fnet.NETWORK, coder, payload)])


def file_near_start(height: int, width: int, channels: int, prior: int, coder: int) -> bytes:
    """The file of a trained start with random differences."""
    random, size = np.random.default_rng(prior), trained_starts()[prior].size
    config = FnetConfig.of_size(size, channels, prior=prior)
    indices = random.integers(60, 100, config.shape.output_count).astype(np.uint8)
    differences = np.rint(random.laplace(0, 3, config.coefficient_count))
    symbols = (base_symbols(prior, config.shape, indices) + differences).astype(np.int32)
    values = fnet.plain_integers(QuantizedFnet(config, indices, symbols))
    payload = fnet_payload(values, config, coder)
    header = Header(width, height, channels, fnet.PROFILE_ID, size, prior=prior)
    return container.write(header, [Section(fnet.NETWORK, coder, payload)])


def cells_file(image: np.ndarray, size: tuple[int, ...], coder: int) -> bytes:
    """A network for each cell, each fitted to the whole picture for itself, so that neighbours differ."""
    planes = pixels.to_planes(image)
    config = FnetConfig.of_size(size, planes.shape[0])
    alone = FnetConfig.of_size(size[:2], planes.shape[0])
    fits = [
        fit(planes, alone, FitSettings(60, batch_pixels=768), seed=seed, device="cpu", report=None)
        for seed in range(config.cells.count)
    ]
    symbols = np.concatenate([network.symbols for network in fits])
    values = fnet.plain_integers(QuantizedFnet(config, fits[0].step_indices, symbols))
    payload = fnet_payload(values, config, coder)
    header = Header(image.shape[1], image.shape[0], planes.shape[0], fnet.PROFILE_ID, size)
    return container.write(header, [Section(fnet.NETWORK, coder, payload)])


def grid_file(image: np.ndarray, quality: float, **architecture: int) -> bytes:
    planes = pixels.to_planes(image)
    channels, height, width = planes.shape
    settings = grid_settings_for(quality, 5, 300, None)
    config = config_of(height, width, channels, **architecture)
    fields, sections = grid.pack(fit_grid(planes, config, settings, seed=0, report=None))
    header = Header(width, height, channels, grid.PROFILE_ID, **fields)
    return container.write(header, sections)


FILES: dict[str, Callable[[], bytes]] = {
    "rgb-range": lambda: fnet_file(picture(16, 24, 3), (4, 3), container.CODER_RANGE),
    "rgb-zstd": lambda: fnet_file(picture(16, 24, 3), (4, 3), container.CODER_ZSTD),
    "grey-wide": lambda: fnet_file(picture(9, 61, 1), (3, 5), container.CODER_RANGE),
    "one-pixel": lambda: fnet_file(picture(1, 1, 3), (1, 1), container.CODER_RANGE),
    "index-sigmoid": lambda: fnet_file(picture(28, 20, 1), (5, 2), container.CODER_RANGE, coordinates=1, activation=1),
    "limited": lambda: fnet_file(picture(18, 25, 3), (5, 3, 2), container.CODER_RANGE),
    "fnet-prior": lambda: file_near_start(16, 24, 3, 1, container.CODER_RANGE),
    "fnet-prior-7x5": lambda: file_near_start(13, 20, 3, 2, container.CODER_RANGE),
    "fnet-prior-limited": lambda: file_near_start(12, 19, 1, 3, container.CODER_RANGE),
    "fnet-prior-10x6x3": lambda: file_near_start(9, 14, 3, 8, container.CODER_RANGE),
    "fnet-prior-grey": lambda: file_near_start(17, 9, 1, 1, container.CODER_ZSTD),
    "cells-range": lambda: cells_file(picture(17, 26, 3), (3, 2, 2, 3), container.CODER_RANGE),
    "cells-zstd": lambda: cells_file(picture(21, 9, 1), (2, 1, 4, 1), container.CODER_ZSTD),
    "narrow-cells-range": lambda: fnet_file(picture(37, 26, 3), (4, 3, 2, 3, 2), container.CODER_RANGE),
    "narrow-cells-zstd": lambda: fnet_file(picture(21, 50, 1), (3, 2, 3, 1, 3), container.CODER_ZSTD),
    "grid-rgb": lambda: grid_file(picture(33, 50, 3), quality=60),
    "grid-grey": lambda: grid_file(picture(24, 17, 1), quality=95, levels=3, order=3, hidden=7, phase=20),
    "fnet-rgba": lambda: whole_file(picture(16, 24, 4), width=4, depth=3),
    "fnet-grey-16": lambda: whole_file(deep(picture(13, 22, 1)[:, :, 0]), width=4, depth=3),
    "grid-grey-alpha": lambda: whole_file(picture(20, 31, 2), quality=60),
    "grid-rgb-16": lambda: whole_file(deep(picture(18, 27, 3)), quality=95),
    "grid-rgba-16": lambda: whole_file(deep(picture(21, 16, 4)), quality=80),
    "grid-prior": lambda: grid_file(picture(33, 50, 3), quality=40, hidden=12, trained_start=2),
    "grid-tiled": lambda: grid_file(picture(69, 70, 3), quality=30, levels=6, trained_start=2, tiles=1),
    "grid-smooth": lambda: grid_file(picture(35, 46, 3), quality=60, levels=5, trained_start=3, smooth=True),
    "grid-smooth-tiled": lambda: grid_file(
        picture(66, 70, 1), quality=30, levels=6, trained_start=2, tiles=1, smooth=True
    ),
    "grid-one-pixel": lambda: grid_file(picture(1, 1, 3), quality=60),
}


def main(arguments: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, make in FILES.items():
        complete = all((FOLDER / f"{name}{suffix}").exists() for suffix in (".fnc", ".npz"))
        if "--all" in arguments or not complete:
            write(name, make())


if __name__ == "__main__":
    main(sys.argv[1:])
