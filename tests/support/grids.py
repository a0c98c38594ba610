"""Configurations and random integers of the profile grid, for the tests of several parts."""

import dataclasses
from typing import Any

import numpy as np

from fourcodec.bitstream.container import Header
from fourcodec.grid import profile as grid
from fourcodec.grid.config import GridConfig
from fourcodec.grid.picture import GridNetworks, QuantizedGrid
from fourcodec.grid.pyramid import level_count
from fourcodec.grid.trained_starts import FRACTION
from fourcodec.grid.weight_coding import MAX_EXPONENT, MAX_SYMBOL
from fourcodec.grid.weights import CONSTANT, FILTERS, FIRST, LINEAR, UNUSED


def config_of(height: int = 16, width: int = 24, channels: int = 3, **changes: Any) -> GridConfig:
    """The configuration of an image, with the levels that encoders use."""
    fields: dict[str, Any] = {"levels": level_count(height, width), "order": 2, "hidden": 16, "phase": 18}
    return GridConfig(height=height, width=width, channels=channels, **fields | changes)


def random_latents(config: GridConfig, spread: float, random: np.random.Generator) -> list[np.ndarray]:
    return [
        np.rint(random.laplace(0, spread, (level.rows, level.columns))).clip(-32767, 32767).astype(np.int16)
        for level in config.pyramid.levels
    ]


def random_picture(config: GridConfig, spread: float = 20.0, seed: int = 0) -> QuantizedGrid:
    """`spread` is that of the weights' symbols."""
    random = np.random.default_rng(seed)
    shape = config.shape
    exponents = random.integers(7, MAX_EXPONENT + 1, shape.group_count).astype(np.uint8)
    exponents[FILTERS] = max(exponents[FILTERS], 14)  # files that amplify beyond float32 are refused
    if config.smooth:
        exponents[-1] = max(exponents[-1], 14)
    if config.trained_start:
        exponents[:FIRST] = FRACTION  # finer steps have no room for the trained start's weights
    symbols = np.rint(random.laplace(0, spread, shape.groups.size)).clip(-MAX_SYMBOL, MAX_SYMBOL).astype(np.int32)
    symbols[shape.groups == UNUSED] = 0
    tiles = {n: random_latents(config.of_tile(n), 2.0, random) for n in range(config.tiling.count)}
    return QuantizedGrid(GridNetworks(config, exponents, symbols), tiles)


def linear_picture(size: tuple[int, int], channels: int) -> QuantizedGrid:
    """No weight but the constants and a linear path: 1/2 + channel / 8, and 1/64 for each of a latent."""
    config = config_of(*size, channels)
    shape = config.shape
    exponents = np.full(shape.group_count, 6, np.uint8)
    symbols = np.zeros(shape.groups.size, np.int32)
    symbols[shape.groups == CONSTANT] = 32 + 8 * np.arange(channels)
    for level in range(config.levels):
        symbols[shape.groups == LINEAR + level] = 1
    latents = [np.zeros((level.rows, level.columns), np.int16) for level in config.pyramid.levels]
    return QuantizedGrid(GridNetworks(config, exponents, symbols), {0: latents})


def alone(picture: QuantizedGrid, number: int) -> QuantizedGrid:
    """One tile as an image of its own."""
    networks = dataclasses.replace(picture.networks, config=picture.config.of_tile(number))
    return QuantizedGrid(networks, {0: picture.tiles[number]})


def header_of(picture: QuantizedGrid, **changes: Any) -> Header:
    config = picture.config
    header = Header(config.width, config.height, config.channels, grid.PROFILE_ID, **config.header_fields)
    return dataclasses.replace(header, **changes)


def assert_same_networks(a: GridNetworks, b: GridNetworks) -> None:
    assert a.config == b.config
    assert np.array_equal(a.exponents, b.exponents)
    assert np.array_equal(a.symbols, b.symbols)


def assert_same_latents(a: list[np.ndarray], b: list[np.ndarray]) -> None:
    assert all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))


def assert_same(a: QuantizedGrid, b: QuantizedGrid) -> None:
    """All integers are equal, and the same tiles and levels are there."""
    assert_same_networks(a.networks, b.networks)
    assert a.tiles.keys() == b.tiles.keys()
    for number, latents in a.tiles.items():
        assert_same_latents(latents, b.tiles[number])
