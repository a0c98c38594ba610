"""A picture in memory: samples, metadata, and notes on what was changed while reading it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Samples
from fourcodec.bitstream.metadata import Metadata
from fourcodec.limits import DEFAULT, Limits

ARRAYS = "uint8 or uint16, (H, W), (H, W, 1), or with 2, 3 or 4 channels: grey and alpha, RGB, RGBA"


@dataclass(frozen=True)
class Picture:
    """Samples ready to be coded."""

    pixels: Samples  # (H, W) or (H, W, C), C = 2, 3, 4; colours are not multiplied by alpha
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()  # sentences for the user


def from_array(array: NDArray[Any], limits: Limits = DEFAULT) -> Picture:
    """A Picture of an array, see ARRAYS; (H, W, 1) becomes (H, W).

    Raises ValueError for other shapes and dtypes, LimitError where it has more pixels than the limits allow.
    """
    if isinstance(array, np.ma.MaskedArray):
        raise ValueError("an image array has a sample everywhere, and this one is masked: give array.filled(...)")
    if array.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image array is {ARRAYS}, not {array.dtype}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (2, 3, 4))) or array.size == 0:
        raise ValueError(f"an image array is {ARRAYS}, not {array.shape}")
    limits.check_pixels(array.shape[1], array.shape[0])
    return Picture(array)


def has_alpha(pixels: Samples) -> bool:
    """True for samples (H, W, 2) and (H, W, 4), whose last channel is alpha."""
    return pixels.ndim == 3 and pixels.shape[2] in (2, 4)


def without_opaque_alpha(picture: Picture) -> Picture:
    """The picture without its alpha channel where that is fully opaque, with a note; otherwise the same picture."""
    pixels = picture.pixels
    if not has_alpha(pixels) or (pixels[:, :, -1] != np.iinfo(pixels.dtype).max).any():
        return picture
    colours = pixels[:, :, :-1] if pixels.shape[2] == 4 else pixels[:, :, 0]
    note = "the picture is opaque: its alpha channel is left out"
    return replace(picture, pixels=np.ascontiguousarray(colours), notes=(*picture.notes, note))


def plain(picture: Picture) -> Picture:
    """The picture in a form that every codec takes: 8 bits, on white instead of transparent. Adds notes on what
    changed."""
    pixels, notes = picture.pixels, picture.notes
    if pixels.dtype == np.uint16:
        pixels, notes = to_eight_bits(pixels), (*notes, "16-bit samples are reduced to 8 bits")
    if has_alpha(pixels):
        pixels, notes = on_white(pixels), (*notes, "transparent parts are shown on a white background")
    return replace(picture, pixels=pixels, notes=notes)


def to_eight_bits(pixels: Samples) -> NDArray[np.uint8]:
    """uint16 samples -> uint8, rounded to the nearest value (65535 = 257 * 255)."""
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def on_white(pixels: Samples) -> Samples:
    """Samples with alpha (H, W, 2 or 4) -> (H, W) or (H, W, 3), composited on white; the dtype stays."""
    peak = np.iinfo(pixels.dtype).max
    alpha = pixels[:, :, -1:].astype(np.float32) / peak
    laid = np.rint(peak + (pixels[:, :, :-1].astype(np.float32) - peak) * alpha).astype(pixels.dtype)
    return laid if laid.shape[2] == 3 else laid[:, :, 0]
