"""An image of the profile grid as integers: the networks, and the latents of 1..n tiles that share them.

An image without tiles is one tile, number 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.grid import trained_starts
from fourcodec.grid.config import GridConfig
from fourcodec.grid.entropy_model import integer_networks
from fourcodec.grid.tiling import Tiling
from fourcodec.grid.weights import FIRST, GridWeights

if TYPE_CHECKING:
    from fourcodec.grid.latent_coding import EntropyModelIntegers

Latents = list[NDArray[np.int16]]  # of one tile: (rows, columns) per level, finest first


@dataclass(frozen=True, eq=False)
class GridNetworks:
    """The networks of an image as integers.

    exponents (groups,) uint8 and symbols (all weights, flat,) int32, both in the order of grid/weights.py. A weight is
    its symbol times 2^-exponent, the exponent that of its group, plus what it is coded against (GridShape.base).
    Weights in either form are computed once: the arrays must not change after that.
    """

    config: GridConfig
    exponents: NDArray[np.uint8]
    symbols: NDArray[np.int32]

    @cached_property
    def weights(self) -> GridWeights:
        """All weights in float32, exact in every file that is accepted."""
        shape = self.config.shape
        steps = np.append(np.ldexp(np.float32(1.0), -self.exponents.astype(np.int32)), np.zeros(256, np.float32))
        groups = np.minimum(shape.groups, shape.group_count)
        return shape.weights(shape.base + self.symbols.astype(np.float32) * steps[groups].astype(np.float32))

    @cached_property
    def entropy_model(self) -> EntropyModelIntegers:
        """The weights of the entropy model as integers, which the coder uses. Raises ValueError where one is too
        large."""
        from fourcodec.grid.latent_coding import EntropyModelIntegers

        shape = self.config.shape
        (size,) = shape.shapes[0]
        symbols, shifts = self.symbols[:size].astype(np.int64), self.exponents[:FIRST].astype(np.int64)
        if self.config.trained_start:
            exponents, shifts = shifts, np.maximum(shifts, trained_starts.FRACTION)
            group = np.minimum(shape.groups[:size], FIRST - 1)  # what is unused is 0 in any unit
            base = shape.entropy_model_base << (shifts - trained_starts.FRACTION)[group]
            symbols = (symbols << (shifts - exponents)[group]) + base
        first, second, mean, scale, maps, mixing = shifts.tolist()
        weights = integer_networks(symbols, (first, second, mean, scale, maps, mixing), shape.levels)
        return EntropyModelIntegers(weights, (first, second, mean, scale))


@dataclass(frozen=True, eq=False)
class Tile:
    """One pyramid: the latents of a tile, its own configuration, and the networks of the image.

    Levels that were not decoded are missing at the front of `latents`.
    """

    config: GridConfig
    networks: GridNetworks
    latents: Latents

    @property
    def finest(self) -> int:
        """The number of the finest level in `latents`."""
        return self.config.levels - len(self.latents)


@dataclass(frozen=True, eq=False)
class QuantizedGrid:
    """An image as integers: its networks, and the latents of each tile by the tile's number.

    Tiles that were not decoded are missing.
    """

    networks: GridNetworks
    tiles: dict[int, Latents]

    @property
    def config(self) -> GridConfig:
        """The configuration of the image."""
        return self.networks.config

    def tile(self, number: int) -> Tile:
        """The tile with this number. Raises KeyError where it is missing."""
        return Tile(self.config.of_tile(number), self.networks, self.tiles[number])

    @property
    def levels(self) -> Latents:
        """The latents of each level of the image, (rows, columns), finest first. No tile may be missing."""
        return side_by_side(self.config.tiling, [self.tiles[number] for number in range(self.config.tiling.count)])


def side_by_side(tiling: Tiling, tiles: Sequence[Sequence[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Planes of all tiles, one per level and tile, as one plane per level."""
    rows = [tiles[at : at + tiling.columns] for at in range(0, tiling.count, tiling.columns)]
    return [np.block([[tile[level] for tile in row] for row in rows]) for level in range(len(tiles[0]))]
