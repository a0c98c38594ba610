"""Smoothing of a picture across the edges of its tiles (FORMAT.md, "Edges of tiles"): what is left of the jumps of
errors between tiles that are decoded one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fourcodec.grid.windows import Window

REACH = 3  # samples on each side of an edge that are changed
LARGEST = np.float32(24 / 255)  # the jump that is taken away entirely; larger ones are taken for the picture's own
_WEIGHTS = [np.float32((REACH - n) / (2 * REACH + 1)) for n in range(REACH)]


def smooth_edges(planes: NDArray[np.float32], window: Window, side: int) -> None:
    """Changes planes (channels, rows, columns) of a window of a picture in place, first across the edges between
    columns of tiles, then across those between rows. side: of a tile, in pixels. Samples are clipped to [0, 1].

    Samples at least REACH + 1 from the edges of the window, where these are not the picture's, are those of the whole.
    """
    np.clip(planes, 0, 1, out=planes)
    for axis, start in ((2, window.left), (1, window.top)):
        lines = np.moveaxis(planes, axis, 0)
        for edge in range(side * (start // side + 1) - start, len(lines), side):
            jump = lines[edge] - lines[edge - 1]
            size = np.abs(jump)
            moved = np.sign(jump) * np.maximum(np.minimum(size, 2 * LARGEST - size), np.float32(0))
            for n, weight in enumerate(_WEIGHTS):
                if edge - 1 - n >= 0:
                    lines[edge - 1 - n] += weight * moved
                if edge + n < len(lines):
                    lines[edge + n] -= weight * moved
