"""The parts of images that belong to cells: what the codes of a grid are made from.

An image's cells are its parts of equal size. The window of a cell reaches half a cell further on all sides, along each
axis with several cells: it is all that the cell's network contributes to. With one cell both are the whole image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Images
from fourcodec.cells import Grid, patches
from fourcodec.views import Lattice

Size = tuple[int, int]  # (height, width)


def cell_images(images: Images, grid: Grid) -> Images:
    """The cells (N cells, h, w, C) of images uint8 (N, H, W, C), image after image; the grid divides their size."""
    count, height, width, channels = images.shape
    h, w = height // grid.rows, width // grid.columns
    parts = images.reshape(count, grid.rows, h, grid.columns, w, channels).transpose(0, 1, 3, 2, 4, 5)
    return np.ascontiguousarray(parts.reshape(-1, h, w, channels))


def window_size(size: Size, grid: Grid) -> Size:
    """The size of a window of images of (height, width)."""
    across = [(grid.rows, size[0]), (grid.columns, size[1])]
    height, width = (side // cells + 2 * _margin(side, cells) for cells, side in across)
    return height, width


def window_pixels(size: Size, grid: Grid) -> NDArray[np.int64]:
    """The pixels of each window, (cells, P), counted row by row; beyond an image's edge they are those at the edge."""
    rows, columns = _along(size[0], grid.rows), _along(size[1], grid.columns)
    pixels = rows[:, None, :, None] * size[1] + columns[None, :, None, :]
    return pixels.reshape(grid.count, -1)


def cell_in_window(size: Size, grid: Grid) -> NDArray[np.int64]:
    """The places (pixels of a cell,) of a cell's pixels in its window."""
    height, width = window_size(size, grid)
    top, left = _margin(size[0], grid.rows), _margin(size[1], grid.columns)
    places = np.arange(height * width).reshape(height, width)
    return places[top : top + size[0] // grid.rows, left : left + size[1] // grid.columns].ravel()


def window_inputs(size: Size, grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The inputs x (2, P) of a cell's network at its window, and its weights (P,) there, for a cell with neighbours on
    all sides of it along each axis with several cells."""
    inner = Grid(3 if grid.rows > 1 else 1, 3 if grid.columns > 1 else 1)
    h, w = size[0] // grid.rows, size[1] // grid.columns
    height, width = window_size(size, grid)
    top, left = ((inner.rows - 1) * h - (height - h)) // 2, ((inner.columns - 1) * w - (width - w)) // 2
    lattice = Lattice(left, top, width, height, width, height)
    found = list(patches(lattice, (inner.rows * h, inner.columns * w), inner))
    middle = next(patch for patch in found if patch.cell == inner.count // 2)
    x, weights = np.zeros((2, height, width), np.float32), np.zeros((height, width), np.float32)
    x[:, middle.rows, middle.columns] = middle.x.reshape(2, *middle.weights.shape)
    weights[middle.rows, middle.columns] = middle.weights
    return x.reshape(2, -1), weights.ravel()


def _margin(side: int, cells: int) -> int:
    """How far a window reaches beyond its cell, in pixels."""
    return side // cells // 2 if cells > 1 else 0


def _along(side: int, cells: int) -> NDArray[np.int64]:
    """The rows or columns of each cell's windows, (cells, length)."""
    reach = _margin(side, cells)
    cell = side // cells
    places = np.arange(cells)[:, None] * cell + np.arange(-reach, cell + reach)
    return places.clip(0, side - 1)
