"""Cells: a grid of networks over one picture, each seen near its own cell and blended with its neighbours (FORMAT.md,
"Cells").

A network's weight falls smoothly from 1 to 0 where its cell and the neighbouring cell overlap, and the weights of all
cells add up to 1 at every position. So the picture is a smooth function of the position, and no edge between cells
shows at any size. Wide cells overlap from centre to centre, narrow ones in a strip along their edge, so that most
samples need one network only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.views import Lattice

MAX_CELLS = 1 << 10
NARROW = 0.125  # the overlap of neighbours in sides of a cell; wide cells have 1


@dataclass(frozen=True)
class Grid:
    """The number of rows and columns of cells, of equal size, over a picture, and whether neighbours overlap by NARROW
    of a cell in place of a whole one. Raises ValueError where they are not 1 to 1,024 cells."""

    rows: int = 1
    columns: int = 1
    narrow: bool = False

    def __post_init__(self) -> None:
        if min(self.rows, self.columns) < 1 or self.count > MAX_CELLS:
            raise ValueError(f"there are 1 to {MAX_CELLS} cells, not {self.rows} x {self.columns}")

    @property
    def count(self) -> int:
        """The number of cells; they are numbered row by row."""
        return self.rows * self.columns

    @property
    def overlap(self) -> float:
        """The overlap of neighbours, in sides of a cell."""
        return NARROW if self.narrow else 1.0


@dataclass(frozen=True)
class Patch:
    """The samples of a lattice at which a cell has a weight above 0: a rectangle of them.

    x: (2, N) float32, the inputs of the cell's network, N samples row by row. weights: (rows, columns) float32.
    """

    cell: int
    rows: slice
    columns: slice
    x: NDArray[np.float32]
    weights: NDArray[np.float32]


def patches(lattice: Lattice, size: tuple[int, int], grid: Grid, most: int = 1 << 18) -> Iterator[Patch]:
    """The patches of all cells on a lattice over a picture of (height, width), cell by cell, each cut into strips of
    whole rows with at most `most` samples, but of at least one row.

    The longer side of a cell spans half a period from its top left corner, as a whole picture does in convention 0 of
    positions.py: with one cell, x is the same.
    """
    down = lattice.top + (np.arange(lattice.rows) + 0.5) * lattice.row_pitch
    across = lattice.left + (np.arange(lattice.columns) + 0.5) * lattice.column_pitch
    period = 2 * max(size[0] / grid.rows, size[1] / grid.columns)
    for row in range(grid.rows):
        rows, x2, vertical = _along(down, size[0], grid.rows, row, period, grid.overlap)
        for column in range(grid.columns if len(x2) else 0):  # none where the lattice is of another part of the picture
            columns, x1, horizontal = _along(across, size[1], grid.columns, column, period, grid.overlap)
            strip = max(1, most // max(len(x1), 1))
            for start in range(0, len(x2) if len(x1) else 0, strip):
                part = slice(start, min(start + strip, len(x2)))
                x = np.stack([np.tile(x1, part.stop - start), np.repeat(x2[part], len(x1))])
                weights = np.outer(vertical[part], horizontal)
                place = slice(rows.start + start, rows.start + part.stop)
                cell = row * grid.columns + column
                yield Patch(cell, place, columns, x.astype(np.float32), weights.astype(np.float32))


def most_samples(lattice: Lattice, grid: Grid) -> int:
    """The most samples of all patches together: along an axis with several cells, up to two have a weight at a
    position."""
    return lattice.count * (2 if grid.rows > 1 else 1) * (2 if grid.columns > 1 else 1)


def _along(
    places: NDArray[np.floating[Any]], side: int, cells: int, cell: int, period: float, overlap: float
) -> tuple[slice, NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
    """Along one axis, for samples at rising `places` in pixels: those where a cell's weight is above 0, a slice; the
    inputs of its network there; and its weights. Towards the edges of the picture these are 1."""
    # Looking at the samples near the cell alone keeps the time for many cells in proportion to the samples.
    reach = (1 + overlap) / 2
    begin = 0 if cell == 0 else max(0, int(np.searchsorted(places, (cell + 0.5 - reach) * side / cells)) - 1)
    end = len(places) if cell == cells - 1 else int(np.searchsorted(places, (cell + 0.5 + reach) * side / cells)) + 1
    places = places[begin:end]
    distance = places * cells / side - (cell + 0.5)
    if cell == 0:
        distance = np.maximum(distance, 0)
    if cell == cells - 1:
        distance = np.minimum(distance, 0)
    distance = np.maximum(np.abs(distance) - (1 - overlap) / 2, 0) / overlap
    inside = np.flatnonzero(distance < 1)
    part = slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)
    near, inputs = distance[part], (places[part] - cell * side / cells) / period
    return slice(part.start + begin, part.stop + begin), inputs, 1 - near * near * (3 - 2 * near)
