"""Samples <-> planes: uint8 (H, W) or (H, W, C) as pictures come, float32 (C, H, W) in [0, 1] as networks see them."""

import numpy as np
import numpy.typing as npt

STRIP_ROWS = 64  # pictures are converted and measured in strips, so that no whole one is held in a wide type


def to_planes(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """uint8 (H, W) or (H, W, C) -> float32 (C, H, W) in [0, 1]."""
    samples = pixels[:, :, None] if pixels.ndim == 2 else pixels
    planes = np.empty((samples.shape[2], *samples.shape[:2]), np.float32)
    np.divide(samples.transpose(2, 0, 1), np.float32(255), out=planes)
    return planes


def from_planes(planes: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """float32 (C, H, W), nominally in [0, 1] -> uint8 (H, W) or (H, W, C). The inverse of `to_planes`.

    Values outside [0, 1] are clipped, and a NaN, which only a damaged file makes, becomes 0.
    """
    channels, height, width = planes.shape
    pixels = np.empty((height, width, channels), np.uint8)
    for top in range(0, height, STRIP_ROWS):
        strip = planes[:, top : top + STRIP_ROWS] * np.float32(255)
        np.nan_to_num(strip, copy=False, nan=0.0)
        strip = np.rint(np.clip(strip, 0, 255, out=strip), out=strip)
        pixels[top : top + STRIP_ROWS] = strip.transpose(1, 2, 0)
    return pixels[:, :, 0] if channels == 1 else pixels
