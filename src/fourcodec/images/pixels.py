"""Samples of pictures, uint8 or uint16 (H, W) or (H, W, C) <-> planes for networks, float32 (C, H, W) in [0, 1]."""

from typing import Any

import numpy as np
import numpy.typing as npt

STRIP_ROWS = 64  # pictures are converted and measured in strips, so that no whole picture is held in a wider type
SAMPLE_TYPES = {8: np.uint8, 16: np.uint16}  # by bit depth


def to_planes(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Samples uint8 or uint16, (H, W) or (H, W, C) -> planes float32 (C, H, W) in [0, 1]."""
    samples = pixels[:, :, None] if pixels.ndim == 2 else pixels
    planes = np.empty((samples.shape[2], *samples.shape[:2]), np.float32)
    np.divide(samples.transpose(2, 0, 1), np.float32(np.iinfo(samples.dtype).max), out=planes)
    return planes


def from_planes(planes: npt.NDArray[np.float32], bit_depth: int = 8) -> npt.NDArray[Any]:
    """Planes float32 (C, H, W) -> samples uint8 or uint16, (H, W) or (H, W, C). The inverse of `to_planes`.

    Values outside [0, 1] are clipped. NaN becomes 0; only damaged files lead to it.
    """
    channels, height, width = planes.shape
    pixels = np.empty((height, width, channels), SAMPLE_TYPES[bit_depth])
    peak = np.float32((1 << bit_depth) - 1)
    for top in range(0, height, STRIP_ROWS):
        strip = planes[:, top : top + STRIP_ROWS] * peak
        np.nan_to_num(strip, copy=False, nan=0.0)
        strip = np.rint(np.clip(strip, 0, peak, out=strip), out=strip)
        pixels[top : top + STRIP_ROWS] = strip.transpose(1, 2, 0)
    return pixels[:, :, 0] if channels == 1 else pixels
