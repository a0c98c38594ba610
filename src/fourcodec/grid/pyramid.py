"""The layout of a pyramid of latents in memory.

Level l of a picture of H x W has ceil(H / 2^l) x ceil(W / 2^l) latents, both sides rounded up to even numbers. Its
latents are divided into four planes, one for each place in a 2 x 2 cell. The planes of all levels lie in one array
(PLANES, total), level after level, each with a margin of zeros that taps beyond an edge read. Further planes hold, at
the same positions, the latents of coarser levels that the entropy model also sees: the next two, and on the FEATURED
finest levels the next ANCESTORS, as far as there are.

    plane 0 (even row, even column)  1 (odd, odd)  2 (even, odd)  3 (odd, even)  4 the parent  5 the grandparent  6 ...
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.fourier.layout import BLOCK
from fourcodec.grid.kernels.layout import PASS_COLUMN, PASS_ROW, TAPS

PARENT, GRANDPARENT = 4, 5
ANCESTORS = 7  # coarser levels that the entropy model sees at most
FEATURED = 3  # levels that see so many; the others see two
PLANES = PARENT + ANCESTORS
MARGIN = 2  # cells that taps reach beyond an edge; the end of a row and the start of the next share theirs
MAX_LEVELS = 9

_ALL = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)]
_NINE = [(dy, dx) for dy in range(-1, 2) for dx in range(-1, 2)]
_CROSS = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
# The taps of each pass: offsets of cells in the next coarser level here, of latents of earlier passes in OWN_TAPS.
PARENT_TAPS: tuple[list[tuple[int, int]], ...] = (
    [at for at in _ALL if at[0] ** 2 + at[1] ** 2 < 8],
    _NINE,
    _NINE,
    _CROSS,
)
_SIDES = [(0, -1), (0, 1), (-1, 0), (1, 0)]
_CORNERS = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
_KNIGHTS = [(a, b) for a in (-2, 2) for b in (-1, 1)] + [(a, b) for a in (-1, 1) for b in (-2, 2)]
_LANCES = [(a, b) for a in (-3, 3) for b in (-1, 1)] + [(a, b) for a in (-1, 1) for b in (-3, 3)]
OWN_TAPS: tuple[list[tuple[int, int]], ...] = ([], _CORNERS + _LANCES, _SIDES + _KNIGHTS, _SIDES + _CORNERS + _KNIGHTS)
OWN_COUNT = 23  # taps of every level, in each pass: all but the ancestors beyond the grandparent


@dataclass(frozen=True)
class Level:
    """A level of rows x columns latents, both even, and its place in the planes.

    Cell (r, c), r < rows / 2, c < columns / 2, lies at base + r * stride + c of each plane. The kernels run over
    positions base..end-1, a multiple of BLOCK.
    """

    rows: int
    columns: int
    stride: int
    base: int
    end: int

    @property
    def half_rows(self) -> int:
        """The number of rows of cells."""
        return self.rows // 2

    @property
    def half_columns(self) -> int:
        """The number of columns of cells."""
        return self.columns // 2

    @property
    def reach(self) -> int:
        """The largest distance of a tap from its position."""
        return MARGIN * self.stride + MARGIN


def _blocks(count: int) -> int:
    """`count` rounded up to a multiple of BLOCK."""
    return math.ceil(count / BLOCK) * BLOCK


@dataclass(frozen=True)
class Pyramid:
    """The `count` levels of a picture of height x width pixels, finest first."""

    height: int
    width: int
    count: int

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The levels with their places in the planes."""
        levels, at = [], 0
        for number in range(self.count):
            rows, columns = (2 * math.ceil(math.ceil(side / 2**number) / 2) for side in (self.height, self.width))
            stride = columns // 2 + MARGIN
            base = at + _blocks(MARGIN * stride + MARGIN)
            end = base + _blocks(rows // 2 * stride)
            at = end + _blocks(MARGIN * stride + MARGIN)
            levels.append(Level(rows, columns, stride, base, end))
        return tuple(levels)

    @property
    def total(self) -> int:
        """The length of a plane."""
        last = self.levels[-1]
        return last.end + _blocks(last.reach)

    @property
    def latent_count(self) -> int:
        """The number of latents of all levels."""
        return sum(level.rows * level.columns for level in self.levels)

    def reduced(self, levels: int) -> Pyramid:
        """The pyramid of the picture at 1 : 2^levels, which lacks the `levels` finest levels."""
        height, width = (math.ceil(side / 2**levels) for side in (self.height, self.width))
        return Pyramid(height, width, self.count - levels)

    def mask(self) -> NDArray[np.float32]:
        """The positions that hold latents, (total,) float32: 1 there, 0 in margins."""
        mask = np.zeros(self.total, np.float32)
        for level in self.levels:
            self.view(mask, level)[:] = 1
        return mask

    @staticmethod
    def view(plane: NDArray[Any], level: Level) -> NDArray[Any]:
        """A view (..., half_rows, half_columns) of a level in planes (..., total)."""
        whole = plane[..., level.base : level.base + level.half_rows * level.stride]
        return whole.reshape(*plane.shape[:-1], level.half_rows, level.stride)[..., : level.half_columns]


@functools.cache
def pass_taps() -> tuple[tuple[tuple[int, ...], tuple[tuple[int, int], ...]], ...]:
    """The planes of the TAPS taps of each pass, and their offsets in rows and columns of a plane. Tap 0 is the constant
    1, whose plane is -1."""
    passes, cells = [], list(zip(PASS_ROW, PASS_COLUMN, strict=True))
    for number, (row, column) in enumerate(cells):
        planes, places = [-1], [(0, 0)]
        for dr, dc in PARENT_TAPS[number]:
            planes.append(PARENT)
            places.append((dr, dc))
        planes.append(GRANDPARENT)
        places.append((0, 0))
        for dy, dx in OWN_TAPS[number]:
            y, x = row + dy, column + dx
            planes.append(cells.index((y % 2, x % 2)))
            places.append((y // 2, x // 2))
            assert planes[-1] < number
        assert len(planes) == OWN_COUNT
        planes += range(GRANDPARENT + 1, PLANES)
        assert len(planes) == TAPS
        passes.append((tuple(planes), tuple(places + [(0, 0)] * (TAPS - OWN_COUNT))))
    return tuple(passes)


@functools.lru_cache(maxsize=64)  # every pass of a level asks for it
def taps_of(level: Level) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The planes and the flat offsets of a level's taps, each (PASSES, TAPS) int64."""
    planes = np.array([planes for planes, _ in pass_taps()], np.int64)
    offsets = np.array([[dr * level.stride + dc for dr, dc in places] for _, places in pass_taps()], np.int64)
    return planes, offsets


def ancestor_count(number: int) -> int:
    """The number of coarser levels that the entropy model sees on level `number`, if the pyramid has them."""
    return ANCESTORS if number < FEATURED else 2


def finer_levels_that_see(number: int) -> list[int]:
    """The finer levels whose entropy model sees the latents of level `number`, finest first."""
    return [finer for finer in range(number) if number - finer <= ancestor_count(finer)]


def level_count(height: int, width: int) -> int:
    """The number of levels that an encoder gives a picture or a tile: 7, down to 1:64, or 8 above 2^20 pixels, but not
    so many that the last would be no smaller than the one before."""
    most = 7 if height * width <= 1 << 20 else 8
    needed = 1 + max(height - 1, width - 1, 1).bit_length()
    return min(most, needed)
