"""Square tiles of large pictures. Each tile has a pyramid of its own, so decoding needs memory for one at a time, and a
region needs only the tiles that it touches. The networks are shared."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fourcodec.grid.windows import Window

UNIT = 64  # pixels; sides of tiles are multiples of it, so that they are whole numbers at 1:2 ... 1:64
REDUCTIONS = 6  # log2 of the largest reduction, 1:64
TILED_PIXELS = 1 << 22  # larger pictures have tiles: a fit in one piece would take more than a gigabyte
MAX_TILES = 1024
_SIDES = range(1024, 2048 + 1, UNIT)


@dataclass(frozen=True)
class Tiling:
    """A picture of height x width pixels in tiles of side x side, numbered row by row. Those at the right and bottom
    may be smaller."""

    height: int
    width: int
    side: int

    @property
    def rows(self) -> int:
        """The number of rows of tiles."""
        return math.ceil(self.height / self.side)

    @property
    def columns(self) -> int:
        """The number of columns of tiles."""
        return math.ceil(self.width / self.side)

    @property
    def count(self) -> int:
        """The number of tiles."""
        return self.rows * self.columns

    def tile(self, number: int, reduction: int = 0) -> Window:
        """The window of a tile in the picture at 1:2^reduction, reduction 0 to REDUCTIONS."""
        row, column = divmod(number, self.columns)
        factor = 2**reduction
        side, height, width = self.side // factor, math.ceil(self.height / factor), math.ceil(self.width / factor)
        top, left = row * side, column * side
        return Window(top, left, min(top + side, height), min(left + side, width))

    def touched(self, window: Window, reduction: int = 0) -> list[int]:
        """The numbers of the tiles that a window of the picture at 1:2^reduction overlaps."""
        side = self.side // 2**reduction
        rows = range(window.top // side, math.ceil(window.bottom / side))
        columns = range(window.left // side, math.ceil(window.right / side))
        return [row * self.columns + column for row in rows for column in columns]


def tile_side(height: int, width: int) -> int:
    """The side of the tiles that an encoder gives a picture, in pixels; 0 for no tiles. It avoids narrow tiles at the
    right and bottom."""
    if height * width <= TILED_PIXELS:
        return 0
    longer = max(height, width)
    least = UNIT * math.ceil(longer / (UNIT * math.isqrt(MAX_TILES)))
    sides = [side for side in _SIDES if side >= least] or [least]

    def narrowest(side: int) -> float:
        return min((at - 1) % side + 1 if at > side else side for at in (height, width)) / side

    return max(sides, key=lambda side: (narrowest(side), side))
