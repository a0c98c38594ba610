"""Samples and metadata -> picture files. PNG and TIFF keep all samples; the other formats are lossy or keep less.

What a format cannot hold is converted or left out, and a note says so.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from fourcodec.arrays import Samples
from fourcodec.bitstream.metadata import Metadata, per_inch, per_metre
from fourcodec.errors import ImageError
from fourcodec.images.colour import fitting_profile
from fourcodec.images.embedded import EXIF_PREFIX
from fourcodec.images.picture import has_alpha, on_white, to_eight_bits

SUFFIXES = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".npy": "npy",
}
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))
# Lossy formats are written at high quality, without subsampling of colours where the format allows it.
_OPTIONS: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 95, "subsampling": 0},
    "webp": {"quality": 95, "method": 4},
    "avif": {"quality": 90, "subsampling": "4:4:4"},
}
_SIXTEEN_BIT_FORMATS = ("png", "tiff", "npy")
_SIDE_LIMITS = {"jpeg": 65535, "webp": 16383, "avif": 65536}  # pixels
_JPEG_LIMITS = {"exif": 65533 - len(EXIF_PREFIX), "xmp": 65533 - 29}  # bytes in one segment
_PNG_PROFILE_BYTES = 1 << 20
_METRES = 1  # the unit of pHYs
_PNG_HEADER_BYTES = 33  # signature and IHDR; chunks of metadata are inserted after them
_ICC_TAG, _XMP_TAG, _PREDICTOR_TAG = 34675, 700, 317  # TIFF
_HORIZONTAL = 2  # TIFF predictor: differences to the sample on the left


def format_of(path: Path) -> str | None:
    """The format for the suffix of a file's name, one of FORMATS; None for an unknown suffix."""
    return SUFFIXES.get(path.suffix.lower())


def check_format(file_format: str, width: int, height: int) -> None:
    """Raises ImageError where `write` cannot write a picture of this size in this format."""
    if file_format == "avif" and not features.check("avif"):
        raise ImageError("Pillow was built without AVIF on this machine: choose another format")
    limit = _SIDE_LIMITS.get(file_format)
    if limit is not None and max(width, height) > limit:
        raise ImageError(
            f"{file_format.upper()} holds at most {limit} pixels a side, not {width} x {height}: choose another format"
        )


def write(pixels: Samples, file_format: str, metadata: Metadata | None = None) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of a picture file, and notes on what the format cannot hold.

    `pixels` are as in Picture, `file_format` is one of FORMATS; "npy" is the array as numpy.save writes it, without
    metadata. Raises the ImageError of `check_format`.
    """
    check_format(file_format, pixels.shape[1], pixels.shape[0])
    notes: list[str] = []
    metadata = Metadata() if metadata is None else metadata
    becomes_rgb = file_format in ("webp", "avif")
    channels = 3 if becomes_rgb or (pixels.ndim == 3 and pixels.shape[2] > 2) else 1
    if file_format != "npy":
        metadata = replace(metadata, icc=fitting_profile(metadata.icc, channels, notes))
    if file_format == "npy":
        if metadata:
            notes.append("NPY holds no metadata")
        buffer = io.BytesIO()
        np.save(buffer, pixels, allow_pickle=False)
        return buffer.getvalue(), tuple(notes)
    if pixels.dtype == np.uint16 and file_format not in _SIXTEEN_BIT_FORMATS:
        notes.append(f"{file_format.upper()} is written with 8 bits of 16")
        pixels = to_eight_bits(pixels)
    if has_alpha(pixels) and file_format == "jpeg":
        notes.append("JPEG holds no transparency: transparent parts become white")
        pixels = on_white(pixels)
    if file_format == "png":
        if len(metadata.icc) > _PNG_PROFILE_BYTES:
            notes.append("an ICC profile of more than 1 MiB in a PNG is refused by Pillow and other readers")
        return _write_png(pixels, metadata), tuple(notes)
    if file_format == "tiff" and pixels.dtype == np.uint16:
        return _write_deep_tiff(pixels, metadata, notes), tuple(notes)
    return _write_with_pillow(pixels, file_format, metadata, notes), tuple(notes)


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """The bytes of the file that Pillow writes of an image with these options of its format."""
    buffer = io.BytesIO()
    image.save(buffer, format=file_format, **options)
    return buffer.getvalue()


def to_png(pixels: Samples) -> bytes:
    """The bytes of a PNG file without metadata; uint8 or uint16 samples as in Picture."""
    return _write_png(pixels, Metadata())


def _write_with_pillow(pixels: Samples, file_format: str, metadata: Metadata, notes: list[str]) -> bytes:
    options = dict(_OPTIONS.get(file_format, {}))
    kept = {name: getattr(metadata, name) for name in ("icc", "exif", "xmp")}
    if metadata.density and file_format in ("jpeg", "tiff"):
        options["dpi"] = per_inch(metadata.density)
    elif metadata.density:
        notes.append(f"{file_format.upper()} holds no density: it is left out")
    if file_format == "jpeg":
        for name, limit_bytes in _JPEG_LIMITS.items():
            if len(kept[name]) > limit_bytes:
                notes.append(f"JPEG holds no {name} metadata of {len(kept[name])} bytes: they are left out")
                kept[name] = b""
    if kept["icc"]:
        options["icc_profile"] = kept["icc"]
    if file_format == "tiff":
        options |= _tiff_options(kept["exif"], kept["xmp"])
    else:
        options |= {"exif": EXIF_PREFIX + kept["exif"]} if kept["exif"] else {}
        options |= {"xmp": kept["xmp"]} if kept["xmp"] else {}
    return saved(Image.fromarray(pixels), file_format, **options)


def _tiff_options(exif: bytes, xmp: bytes) -> dict[str, Any]:
    """Options of Pillow for a TIFF file with these metadata, which are both in the file's directory.

    The file is deflated unless there is EXIF: libtiff, which compresses, accepts no EXIF directory from Pillow."""
    directory = Image.Exif()
    if exif:
        directory.load(EXIF_PREFIX + exif)
    if xmp:
        directory[_XMP_TAG] = xmp
    if exif:
        return {"exif": directory}
    return {"compression": "tiff_adobe_deflate", "tiffinfo": {**directory, _PREDICTOR_TAG: _HORIZONTAL}}


def _write_png(pixels: Samples, metadata: Metadata) -> bytes:
    """A PNG file: pixels by Pillow, or by imagecodecs for 16 bits, and the metadata as chunks after the header."""
    if pixels.dtype == np.uint16:
        import imagecodecs

        data = bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=6))
    else:
        data = saved(Image.fromarray(pixels), "png")
    return data[:_PNG_HEADER_BYTES] + b"".join(_png_chunks(metadata)) + data[_PNG_HEADER_BYTES:]


def _png_chunks(metadata: Metadata) -> list[bytes]:
    """The chunks iCCP, eXIf, pHYs and iTXt (PNG, third edition, 11.3.2.3, 11.3.4.7, 11.3.4.3, 11.3.3.4; XMP
    specification part 3, 1.1.5)."""
    chunks = []
    if metadata.icc:
        chunks.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc, 9)))
    if metadata.exif:
        chunks.append(_chunk(b"eXIf", metadata.exif))
    if metadata.density:
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", *per_metre(metadata.density), _METRES)))
    if metadata.xmp:
        chunks.append(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    return chunks


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _write_deep_tiff(pixels: NDArray[np.uint16], metadata: Metadata, notes: list[str]) -> bytes:
    """A 16-bit TIFF file by tifffile; Pillow writes 16 bits of grey only."""
    import tifffile

    if metadata.exif:
        notes.append("16-bit TIFF is written without the EXIF data")
    documents = ((_ICC_TAG, metadata.icc), (_XMP_TAG, metadata.xmp))
    colours = 1 if pixels.ndim == 2 or pixels.shape[2] < 3 else 3
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        pixels,
        photometric="rgb" if colours == 3 else "minisblack",
        planarconfig="contig" if pixels.ndim == 3 else None,
        extrasamples=["unassalpha"] if has_alpha(pixels) else None,
        compression="zlib",
        predictor=True,
        metadata=None,
        resolution=per_inch(metadata.density) if metadata.density else None,
        resolutionunit="inch" if metadata.density else None,
        extratags=[(tag, 1, len(value), value, True) for tag, value in documents if value],  # 1: bytes
    )
    return buffer.getvalue()
