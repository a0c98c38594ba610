"""Configurations and random integers of the profile grid, for the tests of several parts."""

import dataclasses
from typing import Any

import numpy as np

from fourcodec.bitstream.container import Header
from fourcodec.grid import profile as grid
from fourcodec.grid.config import GridConfig, QuantizedGrid
from fourcodec.grid.pyramid import level_count
from fourcodec.grid.trained_starts import FRACTION
from fourcodec.grid.weight_coding import MAX_EXPONENT, MAX_SYMBOL
from fourcodec.grid.weights import FILTERS, SCALES, UNUSED


def config_of(height: int = 16, width: int = 24, channels: int = 3, **changes: Any) -> GridConfig:
    """A picture's, with the levels that encoders use."""
    fields: dict[str, Any] = {"levels": level_count(height, width), "order": 2, "hidden": 16, "phase": 18}
    return GridConfig(height=height, width=width, channels=channels, **fields | changes)


def random_latents(config: GridConfig, spread: float, random: np.random.Generator) -> list[np.ndarray]:
    return [
        np.rint(random.laplace(0, spread, (level.rows, level.columns))).clip(-32767, 32767).astype(np.int16)
        for level in config.pyramid.levels
    ]


def random_picture(config: GridConfig, spread: float = 20.0, seed: int = 0, **changes: Any) -> QuantizedGrid:
    """`spread`: of the weights' symbols."""
    random = np.random.default_rng(seed)
    shape = config.shape
    exponents = random.integers(7, MAX_EXPONENT + 1, shape.group_count).astype(np.uint8)
    exponents[FILTERS] = max(exponents[FILTERS], 14)  # files that amplify beyond float32 are refused
    if config.smooth:
        exponents[-1] = max(exponents[-1], 14)
    if config.trained_start:
        exponents[: SCALES + 1] = FRACTION  # finer steps have no room for the trained start's weights
    symbols = np.rint(random.laplace(0, spread, shape.groups.size)).clip(-MAX_SYMBOL, MAX_SYMBOL).astype(np.int32)
    symbols[shape.groups == UNUSED] = 0
    picture = QuantizedGrid(config, exponents, symbols, random_latents(config, 2.0, random))
    return dataclasses.replace(picture, **changes)


def header_of(picture: QuantizedGrid, **changes: Any) -> Header:
    config = picture.config
    header = Header(
        config.width, config.height, config.channels, grid.PROFILE_ID, config.architecture, prior=config.trained_start
    )
    return dataclasses.replace(header, **changes)
