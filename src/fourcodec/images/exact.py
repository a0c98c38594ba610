"""Samples that Pillow changes without a word, by other readers.

It reduces 16 bits to 8 for all but grey pictures, and takes the transparent grey of a PNG of 1, 2 or 4 bits for one of
8 bits (13.0). Here PNG is read by imagecodecs (libpng), TIFF by tifffile. What neither reads is left to Pillow.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourcodec.errors import ImageError
from fourcodec.images.picture import Samples

if TYPE_CHECKING:
    from tifffile import TiffPage

PEAK = 65535
_PNG_DEPTH_AT, _PNG_COLOUR_AT = 24, 25  # behind the signature and IHDR's length, name, width and height
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2  # TIFF 6.0, section 8, PhotometricInterpretation
_CHANNELS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3}
_UNSIGNED = 1  # SampleFormat
_PREMULTIPLIED, _ALPHA = 1, 2  # ExtraSamples


def read(data: bytes, image: Image.Image, frame: int) -> Samples | None:
    """The samples (H, W) or (H, W, 2, 3 or 4) of frame 0, 1, ... of the file that Pillow has opened as `image`, or None
    where they are left to it.

    Raises ImageError for damaged files. Nothing is turned: EXIF orientation is the caller's.
    """
    if image.format == "PNG" and frame == 0 and _is_delicate(data, image):
        return _read_png(data)
    if image.format == "TIFF":
        return _read_tiff(data, frame)
    return None


def _is_delicate(png: bytes, image: Image.Image) -> bool:
    few_greys = png[_PNG_COLOUR_AT] == 0 and png[_PNG_DEPTH_AT] < 8
    return png[_PNG_DEPTH_AT] == 16 or (few_greys and "transparency" in image.info)


def _read_png(data: bytes) -> Samples:
    import imagecodecs

    try:
        samples: Samples = imagecodecs.png_decode(data)
    except (RuntimeError, ValueError) as exc:
        raise ImageError(f"the picture is damaged: {exc}") from exc
    return samples


def _read_tiff(data: bytes, frame: int) -> NDArray[np.uint16] | None:
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[frame]
            assert isinstance(page, tifffile.TiffPage)
            return _samples(page) if _is_deep(page) else None
    # Whatever a damaged file makes it stumble over; it has no error of its own for that.
    except Exception as exc:
        raise ImageError(f"the picture is damaged: {' '.join(str(exc).split()) or type(exc).__name__}") from exc


def _is_deep(page: TiffPage) -> bool:
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
