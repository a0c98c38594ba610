"""Large pictures in square tiles: each has a pyramid of its own, so that memory for one of them at a time is enough,
and a region needs only the tiles that it touches. The networks are shared."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fourcodec.grid.windows import Window

UNIT = 64  # pixels; sides are multiples, so that tiles are whole numbers of samples at 1:2 ... 1:64
REDUCTIONS = 6  # of these
TILED_PIXELS = 1 << 22  # of larger pictures a fit in one piece takes more than a gigabyte
MAX_TILES = 1024
_SIDES = range(1024, 2048 + 1, UNIT)


@dataclass(frozen=True)
class Tiling:
    """A picture of height x width pixels in tiles of side x side, row by row; the last of a row or column may be
    smaller."""

    height: int
    width: int
    side: int

    @property
    def rows(self) -> int:
        return math.ceil(self.height / self.side)

    @property
    def columns(self) -> int:
        return math.ceil(self.width / self.side)

    @property
    def count(self) -> int:
        return self.rows * self.columns

    def tile(self, number: int, reduction: int = 0) -> Window:
        """Where a tile lies in the picture at 1:2^reduction, at most REDUCTIONS."""
        row, column = divmod(number, self.columns)
        step = 2**reduction
        side, height, width = self.side // step, math.ceil(self.height / step), math.ceil(self.width / step)
        top, left = row * side, column * side
        return Window(top, left, min(top + side, height), min(left + side, width))

    def touched(self, window: Window, reduction: int = 0) -> list[int]:
        """The tiles that a window of the picture at 1:2^reduction lies on."""
        side = self.side // 2**reduction
        rows = range(window.top // side, math.ceil(window.bottom / side))
        columns = range(window.left // side, math.ceil(window.right / side))
        return [row * self.columns + column for row in rows for column in columns]


def tile_side(height: int, width: int) -> int:
    """For a picture; 0 for none. A side that leaves no narrow tiles at the edges where that can be."""
    if height * width <= TILED_PIXELS:
        return 0
    longer = max(height, width)
    least = UNIT * math.ceil(longer / (UNIT * math.isqrt(MAX_TILES)))
    sides = [side for side in _SIDES if side >= least] or [least]

    def narrowest(side: int) -> float:
        return min((at - 1) % side + 1 if at > side else side for at in (height, width)) / side

    return max(sides, key=lambda side: (narrowest(side), side))
