"""The parts of a pyramid's levels that a part of its picture depends on.

A part must have the very samples of the whole, to the last bit. Compiled loops over columns work on vectors of them and
treat the columns left over at the end in another way, which may round differently. So windows begin at whole vectors,
and end at whole vectors or with the level: every column then meets the same instructions in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from fourcodec.grid.kernels.layout import PAD
from fourcodec.grid.pyramid import Level, Pyramid

VECTOR = 64  # columns: four vectors of 16 floats, as many as compilers unroll


@dataclass(frozen=True)
class Window:
    """Rows top..bottom-1 and columns left..right-1 of a level, or of the picture."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def rows(self) -> int:
        return self.bottom - self.top

    @property
    def columns(self) -> int:
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, outer: Window) -> tuple[slice, slice]:
        """Where it lies in an array that holds `outer`."""
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )

    def shared(self, other: Window) -> Window:
        """What both have; they do overlap."""
        return Window(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def moved(self, down: int, across: int) -> Window:
        return Window(self.top + down, self.left + across, self.bottom + down, self.right + across)

    def parts(self, count: int) -> Iterator[Window]:
        """Parts of at most `count` samples that make it up, row by row: squares, but longer where it is thin itself."""
        columns = min(self.columns, max(math.isqrt(count), count // self.rows))
        rows = count // columns
        for top in range(self.top, self.bottom, rows):
            for left in range(self.left, self.right, columns):
                yield Window(top, left, min(top + rows, self.bottom), min(left + columns, self.right))

    def grown(self, across: int, down: int, rows: int, columns: int) -> Window:
        """Wider and higher by so much on every side, as far as there are rows and columns."""
        return Window(
            max(self.top - down, 0),
            max(self.left - across, 0),
            min(self.bottom + down, rows),
            min(self.right + across, columns),
        )

    def doubled(self, rows: int, columns: int) -> Window:
        """What upsampling makes of it: of the next level, which has so many rows and columns."""
        return Window(2 * self.top, 2 * self.left, min(2 * self.bottom, rows), min(2 * self.right, columns))

    def aligned(self, rows: int, columns: int) -> Window:
        """Grown to pairs of rows and whole vectors of columns, as far as there are rows and columns."""
        return Window(
            self.top // 2 * 2,
            self.left // VECTOR * VECTOR,
            min(-(-self.bottom // 2) * 2, rows),
            min(-(-self.right // VECTOR) * VECTOR, columns),
        )


def level_windows(pyramid: Pyramid, window: Window) -> list[Window]:
    """What each level, finest first, must have so that the finest has `window`."""
    windows: list[Window] = []
    for level in pyramid.levels:
        needed = _seen_from(windows[-1], level) if windows else window
        windows.append(needed.aligned(level.rows, level.columns))
    return windows


def _seen_from(fine: Window, level: Level) -> Window:
    """What upsampling reads of a level to make `fine` of the next."""
    halved = Window(fine.top // 2, fine.left // 2, fine.bottom // 2, fine.right // 2)
    return halved.grown(PAD, PAD, level.rows, level.columns)
