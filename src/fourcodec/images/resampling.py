"""Resampling of float planes to another size, by Pillow's separable filters and by means."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourcodec.arrays import Floats

_LANCZOS_LOBES = 3


def resample(planes: Floats, box: tuple[float, float, float, float], columns: int, rows: int) -> Floats:
    """Planes float32 (C, H, W) -> (C, rows, columns): the part in `box` (left, top, right, bottom, in samples)
    resampled.

    The filter is Lanczos with three lobes, widened for reduction. Where both sides shrink by whole factors, each sample
    is the mean of those it replaces.
    """
    kind = Image.Resampling.BOX if _reach(box, columns, rows) == (0, 0) else Image.Resampling.LANCZOS
    images = (Image.fromarray(plane).resize((columns, rows), kind, box) for plane in planes)
    return np.stack([np.asarray(image) for image in images])


def margin(width: float, height: float, columns: int, rows: int) -> tuple[int, int]:
    """The number of samples (horizontally, vertically) that `resample` reads beyond a box of width x height samples."""
    return _reach((0, 0, width, height), columns, rows)


def area_mean(plane: NDArray[Any], factors: tuple[int, int], size: tuple[int, int]) -> Floats:
    """A plane (H, W) -> float32 of `size` (rows, columns): means over blocks of `factors` (rows, columns) samples.

    Where the blocks reach beyond the plane, its last row and column are repeated.
    """
    missing = [(0, count * factor - side) for count, factor, side in zip(size, factors, plane.shape, strict=True)]
    padded = np.pad(plane, missing, mode="edge") if any(after for _, after in missing) else plane
    total = np.zeros(size, np.float32)
    for row, column in np.ndindex(factors):
        total += padded[row :: factors[0], column :: factors[1]]
    return total / np.float32(factors[0] * factors[1])


def _reach(box: tuple[float, float, float, float], columns: int, rows: int) -> tuple[int, int]:
    shrink = (box[2] - box[0]) / columns, (box[3] - box[1]) / rows
    if all(ratio >= 1 and ratio.is_integer() for ratio in shrink):
        return 0, 0
    across, down = (int(np.ceil(_LANCZOS_LOBES * max(1.0, ratio))) + 1 for ratio in shrink)
    return across, down
