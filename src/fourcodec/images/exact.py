"""Readers for files whose samples Pillow changes without a warning.

Pillow reduces 16 bits to 8 in all but grey pictures without transparency. Such PNG files are read by imagecodecs
(libpng), such TIFF files by tifffile, both of which are optional. Pillow also takes the transparent grey value of a PNG
with 1, 2 or 4 bits for an 8-bit value (Pillow 13.0); here it is scaled as the samples are. Pillow reads all others.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourcodec import extras
from fourcodec.errors import ImageError
from fourcodec.images import sound
from fourcodec.images.picture import Samples

if TYPE_CHECKING:
    from tifffile import TiffPage

PEAK, PEAK_8 = 65535, 255
_PNG_DEPTH_AT, _PNG_COLOUR_AT, _GREY = 24, 25, 0  # byte offsets in IHDR, and a value of the second
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2  # TIFF 6.0, section 8, PhotometricInterpretation
_BITS_PER_SAMPLE = 258  # the TIFF tag
_CHANNELS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3}
_UNSIGNED = 1  # SampleFormat
_PREMULTIPLIED, _ALPHA = 1, 2  # ExtraSamples


def read(data: bytes, image: Image.Image, frame: int) -> Samples | None:
    """The samples of one frame of a file, or None where Pillow reads it without changes.

    `image` is the file as Pillow has opened it, `frame` counts from 0. The samples are uint8 or uint16, (H, W) or
    (H, W, C) with C = 2, 3, 4, as stored: the caller applies the EXIF orientation. Raises ImageError for damaged files,
    and MissingLibraryError.
    """
    if image.format == "PNG" and frame == 0:
        depth, is_grey = data[_PNG_DEPTH_AT], data[_PNG_COLOUR_AT] == _GREY
        if depth == 16 and not (is_grey and "transparency" not in image.info):
            return _read_png(data)
        if depth < 8 and is_grey and "transparency" in image.info:
            return _grey_with_alpha(image, (1 << depth) - 1)
    if image.format == "TIFF" and max(image.tag_v2.get(_BITS_PER_SAMPLE, (1,))) > 8:  # type: ignore[attr-defined]
        return _read_tiff(data, frame)
    return None


def _read_png(data: bytes) -> Samples:
    extras.require("reading PNG files of 16-bit colours or transparency", "imagecodecs")
    import imagecodecs

    try:
        return imagecodecs.png_decode(sound.without_profile(data))
    except (RuntimeError, ValueError) as exc:
        raise ImageError(f"the picture is damaged: {exc}") from exc


def _grey_with_alpha(image: Image.Image, largest: int) -> Samples:
    """Grey and alpha of a PNG with samples of 0 to `largest` one of which is transparent. Pillow scales the samples,
    but not the transparent one."""
    grey = np.asarray(image.convert("L"))
    transparent = (image.info["transparency"] & largest) * PEAK_8 // largest
    return np.dstack([grey, np.where(grey == transparent, 0, PEAK_8).astype(np.uint8)])


def _read_tiff(data: bytes, frame: int) -> NDArray[np.uint16] | None:
    extras.require("reading TIFF files of more than 8 bits", "imagecodecs", "tifffile")
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[frame]
            assert isinstance(page, tifffile.TiffPage)
            return _samples(page) if _has_9_to_16_bits(page) else None
    # tifffile has no error of its own for damaged files: it raises whatever its code runs into.
    except Exception as exc:
        raise ImageError(f"the picture is damaged: {' '.join(str(exc).split()) or type(exc).__name__}") from exc


def _has_9_to_16_bits(page: TiffPage) -> bool:
    return (
        isinstance(page.bitspersample, int)
        and 8 < page.bitspersample <= 16
        and page.sampleformat == _UNSIGNED
        and page.photometric in _CHANNELS
        and page.samplesperpixel >= _CHANNELS[page.photometric]
    )


def _samples(page: TiffPage) -> NDArray[np.uint16]:
    samples = page.asarray()
    if samples.ndim == 3 and samples.shape[0] == page.samplesperpixel and page.planarconfig == 2:
        samples = np.moveaxis(samples, 0, -1)
    samples = np.atleast_3d(samples)
    largest = (1 << page.bitspersample) - 1
    if largest < PEAK:
        samples = ((samples.astype(np.uint32) * PEAK + largest // 2) // largest).astype(np.uint16)
    colours, kind = _CHANNELS[page.photometric], page.extrasamples[0] if page.extrasamples else 0
    kept = samples[:, :, : colours + (kind in (_PREMULTIPLIED, _ALPHA))]
    if page.photometric == _WHITE_IS_ZERO:
        kept = np.concatenate([PEAK - kept[:, :, :1], kept[:, :, 1:]], axis=2)
    if kind == _PREMULTIPLIED:
        kept = _divided_by_alpha(kept)
    return np.ascontiguousarray(kept if kept.shape[2] > 1 else kept[:, :, 0])


def _divided_by_alpha(samples: NDArray[np.uint16]) -> NDArray[np.uint16]:
    alpha = samples[:, :, -1:].astype(np.float64)
    colours = np.rint(samples[:, :, :-1] * (PEAK / np.maximum(alpha, 1))).clip(0, PEAK)
    return np.concatenate([colours.astype(np.uint16), samples[:, :, -1:]], axis=2)
