"""Sheets of many images in one picture, and animations."""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
_GAP = 2  # pixels between images
_FRAME_MS = 60
_BACKGROUND = 128


def to_bytes(images: NDArray[np.float32]) -> Pixels:
    """Samples in [0, 1] -> uint8, rounded as the decoder of .fnc files does."""
    return np.clip(np.rint(255 * images), 0, 255).astype(np.uint8)


def sheet(images: Pixels, columns: int | None = None) -> Pixels:
    """A sheet of images uint8 (N, H, W, C), row by row: uint8 (H', W') or (H', W', 3).

    Without `columns` the sheet has about as many rows as columns."""
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    size = rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, channels
    canvas = np.full(size, _BACKGROUND, np.uint8)
    for number, image in enumerate(images):
        top, left = (
            _GAP + at * (side + _GAP) for at, side in zip(divmod(number, columns), (height, width), strict=True)
        )
        canvas[top : top + height, left : left + width] = image
    return canvas[:, :, 0] if channels == 1 else canvas


def to_gif(images: Pixels) -> bytes:
    """An animation (the bytes of a GIF file) through images uint8 (N, H, W, C) and back, repeated for ever."""
    frames = [Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image) for image in images]
    frames += frames[-2:0:-1]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=_FRAME_MS, loop=0)
    return buffer.getvalue()
