"""Decoded samples -> a file's bytes, in the format that the file's name asks for."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, features

from fourcodec.errors import ImageError

Pixels = npt.NDArray[np.uint8]  # (H, W) or (H, W, 3)


def _pillow(name: str, **options: object) -> Callable[[Pixels], bytes]:
    def write(pixels: Pixels) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format=name, **options)
        return buffer.getvalue()

    return write


def _npy(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, pixels, allow_pickle=False)
    return buffer.getvalue()


# Exact where the format can be; a second loss that nobody sees where it cannot.
_JPEG = _pillow("JPEG", quality=95, subsampling=0)
_WRITERS: dict[str, Callable[[Pixels], bytes]] = {
    ".png": _pillow("PNG"),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _pillow("WEBP", lossless=True),
    ".avif": _pillow("AVIF", quality=90, subsampling="4:4:4"),
    ".tif": _pillow("TIFF", compression="tiff_adobe_deflate"),
    ".tiff": _pillow("TIFF", compression="tiff_adobe_deflate"),
    ".npy": _npy,
}
SUFFIXES = tuple(_WRITERS)
_SIDE_LIMITS = {".jpg": 65535, ".jpeg": 65535, ".webp": 16383, ".avif": 65536}  # of the formats


def check_suffix(path: Path) -> None:
    """Raises ValueError where `path` is not named like a format that `write` knows, or that this Pillow has."""
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        raise ValueError(f"the output's name ends in {', '.join(SUFFIXES)}, not {path.suffix or 'nothing'!r}")
    if suffix == ".avif" and not features.check("avif"):
        raise ValueError("this Pillow was built without AVIF: choose another format")


def to_bytes(pixels: Pixels, suffix: str) -> bytes:
    """uint8 (H, W) or (H, W, 3) -> a file of the format that `suffix`, one of SUFFIXES, stands for. Raises ImageError
    where the picture is too large for it."""
    suffix = suffix.lower()
    limit = _SIDE_LIMITS.get(suffix)
    if limit is not None and max(pixels.shape[:2]) > limit:
        raise ImageError(f"{suffix[1:]} files have at most {limit} pixels a side: choose another format")
    return _WRITERS[suffix](pixels)
