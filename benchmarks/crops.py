"""Crops of images, and their luma."""

import numpy as np
import numpy.typing as npt

LUMA = np.array([0.299, 0.587, 0.114])  # the weights of red, green and blue


def centre(picture: npt.NDArray[np.uint8], side: int | None) -> npt.NDArray[np.uint8]:
    """The centre square of an image (H, W) or (H, W, C), `side` pixels wide and high at most; the whole image where
    `side` is None or 0."""
    if not side:
        return picture
    top, left = (max(length - side, 0) // 2 for length in picture.shape[:2])
    return np.ascontiguousarray(picture[top : top + side, left : left + side])
