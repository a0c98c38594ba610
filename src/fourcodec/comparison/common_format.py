"""Conversion of two versions of a picture to the same channels and bit depth, to compare them sample by sample."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fourcodec.arrays import Samples
from fourcodec.images import has_alpha, on_white

GREY, COLOURS = 1, 3


def to_common_format(original: Samples, copy: Samples) -> tuple[Samples, Samples]:
    """Both pictures with the channels and the bit depth of the one that has more; samples as in images.Picture.

    Both have the same width and height. Their formats can differ because a .fnc file may have been made from the
    picture in another form: Pillow, for instance, has no 16-bit colour.
    """
    depth = np.promote_types(original.dtype, copy.dtype)
    colours = max(_colour_channels(original), _colour_channels(copy))
    transparent = has_alpha(original) or has_alpha(copy)
    return _converted(original, depth, colours, transparent), _converted(copy, depth, colours, transparent)


def without_alpha(pixels: Samples) -> Samples:
    """The picture composited on white; unchanged where it has no alpha."""
    return on_white(pixels) if has_alpha(pixels) else pixels


def to_depth(pixels: Samples, depth: npt.DTypeLike) -> Samples:
    """8-bit samples as 16-bit ones (times 257, since 65535 = 257 * 255) where `depth` is uint16; otherwise
    unchanged."""
    return pixels.astype(np.uint16) * np.uint16(257) if pixels.dtype != depth else pixels


def _colour_channels(pixels: Samples) -> int:
    return COLOURS if pixels.ndim == 3 and pixels.shape[2] > 2 else GREY


def _converted(pixels: Samples, depth: npt.DTypeLike, colours: int, transparent: bool) -> Samples:
    pixels = to_depth(pixels, depth)
    planes: list[npt.NDArray[Any]] = [pixels[:, :, None] if pixels.ndim == 2 else pixels]
    if has_alpha(pixels):
        planes = [pixels[:, :, :-1], pixels[:, :, -1:]]
    if planes[0].shape[2] < colours:
        planes[0] = np.repeat(planes[0], colours, axis=2)
    if transparent and len(planes) == 1:
        planes.append(np.full((*pixels.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype))
    converted = np.concatenate(planes, axis=2)
    return converted[:, :, 0] if converted.shape[2] == GREY else converted
