"""Windows: the parts of a pyramid's levels that a part of its picture depends on.

A decoded part must equal the same part of the whole picture bit for bit. Compiled loops work on vectors of columns and
treat the columns left over at the end with other instructions, which may round differently. So windows begin at whole
vectors, and end at whole vectors or with the level: each column then meets the same instructions in both cases.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from fourcodec.grid.kernels.layout import PAD
from fourcodec.grid.pyramid import Level, Pyramid

VECTOR = 64  # columns: four vectors of 16 floats, since compilers unroll loops by up to four


@dataclass(frozen=True)
class Window:
    """Rows top..bottom-1 and columns left..right-1 of a level, or of the picture."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.bottom - self.top

    @property
    def columns(self) -> int:
        """The number of columns."""
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices of this window in an array of the whole level."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, outer: Window) -> tuple[slice, slice]:
        """Slices of this window in an array of `outer`."""
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )

    def shared(self, other: Window) -> Window:
        """The intersection of two overlapping windows."""
        return Window(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def moved(self, down: int, across: int) -> Window:
        """The window shifted by so many rows and columns."""
        return Window(self.top + down, self.left + across, self.bottom + down, self.right + across)

    def parts(self, count: int) -> Iterator[Window]:
        """Divides the window into parts of at most `count` samples, row by row: squares, or longer parts where the
        window is narrow."""
        columns = min(self.columns, max(math.isqrt(count), count // self.rows))
        rows = count // columns
        for top in range(self.top, self.bottom, rows):
            for left in range(self.left, self.right, columns):
                yield Window(top, left, min(top + rows, self.bottom), min(left + columns, self.right))

    def grown(self, across: int, down: int, rows: int, columns: int) -> Window:
        """The window extended by `across` columns and `down` rows on every side, within a level of rows x columns."""
        return Window(
            max(self.top - down, 0),
            max(self.left - across, 0),
            min(self.bottom + down, rows),
            min(self.right + across, columns),
        )

    def doubled(self, rows: int, columns: int) -> Window:
        """The window of the next finer level, of rows x columns, that upsampling this window gives."""
        return Window(2 * self.top, 2 * self.left, min(2 * self.bottom, rows), min(2 * self.right, columns))

    def aligned(self, rows: int, columns: int) -> Window:
        """The window extended to pairs of rows and whole vectors of columns, within a level of rows x columns.

        It has at least one whole vector where the level has: compilers run loops of few columns without vectors, though
        a longer loop would compute the same columns with them.
        """
        left, right = self.left // VECTOR * VECTOR, min(-(-self.right // VECTOR) * VECTOR, columns)
        if right - left < VECTOR:
            left = max(left - VECTOR, 0)
        return Window(self.top // 2 * 2, left, min(-(-self.bottom // 2) * 2, rows), right)


def level_windows(pyramid: Pyramid, window: Window) -> list[Window]:
    """The windows of all levels, finest first, that the features in `window` of the finest level depend on."""
    windows: list[Window] = []
    for level in pyramid.levels:
        needed = _read_for(windows[-1], level) if windows else window
        windows.append(needed.aligned(level.rows, level.columns))
    return windows


def _read_for(fine: Window, level: Level) -> Window:
    """The window of a level that upsampling reads to compute `fine` of the next finer level."""
    halved = Window(fine.top // 2, fine.left // 2, fine.bottom // 2, fine.right // 2)
    return halved.grown(PAD, PAD, level.rows, level.columns)
