"""Where a network looks: pixel positions -> coordinates, by the conventions that a file's header names (FORMAT.md)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PIXEL_CENTRES, INDEX_OVER_32 = 0, 1


def positions(size: tuple[int, int], index: NDArray[np.int64], coordinates: int) -> NDArray[np.float32]:
    """Coordinates (2, N) float32 of the pixels index (N,), counted row by row, of a picture of (height, width).

    Convention 0: x1 = (c + 1/2) / (2 L), x2 = (r + 1/2) / (2 L), L the longer side, so that the longer side spans half
    a period and opposite edges need not be equal. Convention 1: x1 = c / 32, x2 = r / 32. Computed in float64, rounded
    once.
    """
    height, width = size
    rows, columns = np.divmod(index, width)
    if coordinates == PIXEL_CENTRES:
        scale = 2 * max(height, width)
        return np.stack([(columns + 0.5) / scale, (rows + 0.5) / scale]).astype(np.float32)
    if coordinates == INDEX_OVER_32:
        return np.stack([columns / 32, rows / 32]).astype(np.float32)
    raise ValueError(f"coordinate conventions are 0 and 1, not {coordinates}")
