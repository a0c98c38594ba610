"""The inputs of the network of `fnet`: places on the picture -> coordinates, by the conventions of FORMAT.md."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fourcodec.views import Lattice, whole

PIXEL_CENTRES, INDEX_OVER_32 = 0, 1


def positions(size: tuple[int, int], index: NDArray[np.int64], coordinates: int) -> NDArray[np.float32]:
    """Coordinates (2, N) float32 of pixels of a picture of (height, width); index (N,) counts pixels row by row."""
    return lattice_positions(whole(size[1], size[0]), size, index, coordinates)


def lattice_positions(
    lattice: Lattice, size: tuple[int, int], index: NDArray[np.int64], coordinates: int
) -> NDArray[np.float32]:
    """Coordinates (2, N) float32 of samples of a lattice on a picture of (height, width); index (N,) counts samples row
    by row.

    In the conventions, row r and column c of the picture are integers at pixel centres. Convention 0: x1 = (c + 1/2) /
    (2 L), x2 = (r + 1/2) / (2 L), L being the longer side, which spans half a period, so that opposite edges need not
    be equal. Convention 1: x1 = c / 32, x2 = r / 32. Coordinates are computed in float64 and rounded once. Raises
    ValueError for another convention.
    """
    rows, columns = np.divmod(index, lattice.columns)
    down = lattice.top + (rows + 0.5) * lattice.row_pitch
    across = lattice.left + (columns + 0.5) * lattice.column_pitch
    if coordinates == PIXEL_CENTRES:
        scale = 2 * max(size)
        return np.stack([across / scale, down / scale]).astype(np.float32)
    if coordinates == INDEX_OVER_32:
        return np.stack([(across - 0.5) / 32, (down - 0.5) / 32]).astype(np.float32)
    raise ValueError(f"coordinate conventions are 0 and 1, not {coordinates}")
