"""Two versions of a picture, brought to the same channels and bits so that they can be compared sample by sample."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fourcodec.arrays import Samples
from fourcodec.images import has_alpha, on_white

GREY, COLOURS = 1, 3


def alike(original: Samples, copy: Samples) -> tuple[Samples, Samples]:
    """Both with the channels and the bits of the one that has more: samples as in images.Picture.

    A .fnc file may have been made from another form of the picture than the one at hand: Pillow, say, has no 16-bit
    colour. Width and height are the same.
    """
    depth = np.promote_types(original.dtype, copy.dtype)
    colours = max(_colours(original), _colours(copy))
    transparent = has_alpha(original) or has_alpha(copy)
    return _grown(original, depth, colours, transparent), _grown(copy, depth, colours, transparent)


def flat(pixels: Samples) -> Samples:
    """As it looks on white paper; unchanged where there is no alpha."""
    return on_white(pixels) if has_alpha(pixels) else pixels


def deepened(pixels: Samples, depth: npt.DTypeLike) -> Samples:
    """8-bit samples as 16-bit ones where that is the depth: 65535 = 257 * 255."""
    return pixels.astype(np.uint16) * np.uint16(257) if pixels.dtype != depth else pixels


def _colours(pixels: Samples) -> int:
    return COLOURS if pixels.ndim == 3 and pixels.shape[2] > 2 else GREY


def _grown(pixels: Samples, depth: npt.DTypeLike, colours: int, transparent: bool) -> Samples:
    pixels = deepened(pixels, depth)
    planes: list[npt.NDArray[Any]] = [pixels[:, :, None] if pixels.ndim == 2 else pixels]
    if has_alpha(pixels):
        planes = [pixels[:, :, :-1], pixels[:, :, -1:]]
    if planes[0].shape[2] < colours:
        planes[0] = np.repeat(planes[0], colours, axis=2)
    if transparent and len(planes) == 1:
        planes.append(np.full((*pixels.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype))
    grown = np.concatenate(planes, axis=2)
    return grown[:, :, 0] if grown.shape[2] == GREY else grown
