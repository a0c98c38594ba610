"""Samples and metadata -> picture files. PNG, TIFF and NPY keep all samples; other formats are lossy or keep less.

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

from fourcodec import extras
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
    ".jxl": "jxl",
    ".bmp": "bmp",
    ".ppm": "ppm",
    ".pnm": "ppm",
    ".tga": "tga",
    ".npy": "npy",
}
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))
# Lossy formats are written at high quality, without subsampling of colours where the format allows it.
_OPTIONS: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 95, "subsampling": 0},
    "webp": {"quality": 95, "method": 4},
    "avif": {"quality": 90, "subsampling": "4:4:4"},
    "jxl": {"quality": 95},
    "tga": {"compression": "tga_rle"},
}
_SIXTEEN_BIT_FORMATS = ("png", "tiff", "ppm", "npy")
_OPAQUE_FORMATS = ("jpeg", "bmp", "ppm")
_RGB_FORMATS = ("webp", "avif")  # grey is written as RGB
# The metadata that each format can hold, where Pillow writes it.
_DOCUMENTS = {"icc": "ICC profile", "exif": "EXIF data", "xmp": "XMP data"}
_HOLDS = {
    "jpeg": {*_DOCUMENTS, "density"},
    "tiff": {*_DOCUMENTS, "density"},
    "webp": {*_DOCUMENTS},
    "avif": {*_DOCUMENTS},
    "jxl": {"exif", "xmp"},
    "bmp": {"density"},
}
_SIDE_LIMITS = {"jpeg": 65535, "webp": 16383, "avif": 65536, "tga": 65535}  # pixels
_JPEG_LIMITS = {"exif": 65533 - len(EXIF_PREFIX), "xmp": 65533 - 29}  # bytes in one segment
_PNG_PROFILE_BYTES = 1 << 20
_METRES = 1  # the unit of pHYs
_PER_METRE, _MOST_PER_METRE = {"png", "bmp"}, (1 << 31) - 1  # formats with a density in whole pixels per metre
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels
_SUB = 1  # the number of the filter; that of Up follows
_PNG_HEADER_BYTES = 33  # signature and IHDR; chunks of metadata are inserted after them
_ICC_TAG, _XMP_TAG, _PREDICTOR_TAG = 34675, 700, 317  # TIFF
_HORIZONTAL = 2  # TIFF predictor: differences to the sample on the left


def format_of(path: Path) -> str | None:
    """The format for the suffix of a file's name, one of FORMATS; None for an unknown suffix."""
    return SUFFIXES.get(path.suffix.lower())


def check_format(file_format: str, width: int, height: int) -> None:
    """Raises ImageError where `write` cannot write a picture of this size in this format, MissingLibraryError where an
    optional library is missing for it."""
    if file_format == "jxl":
        extras.require("writing JPEG XL", "pillow_jxl")
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
    metadata. Raises the errors of `check_format`, and MissingLibraryError for TIFF files of 16 bits.
    """
    check_format(file_format, pixels.shape[1], pixels.shape[0])
    notes: list[str] = []
    metadata = Metadata() if metadata is None else metadata
    channels = 3 if file_format in _RGB_FORMATS or (pixels.ndim == 3 and pixels.shape[2] > 2) else 1
    if file_format != "npy":
        metadata = replace(metadata, icc=fitting_profile(metadata.icc, channels, notes))
    if file_format in _PER_METRE and metadata.density and max(per_metre(metadata.density)) > _MOST_PER_METRE:
        notes.append(
            f"{file_format.upper()} holds no density of more than {_MOST_PER_METRE} pixels a metre: it is left out"
        )
        metadata = replace(metadata, density=b"")
    if file_format == "npy":
        if metadata:
            notes.append("NPY holds no metadata")
        buffer = io.BytesIO()
        np.save(buffer, pixels, allow_pickle=False)
        return buffer.getvalue(), tuple(notes)
    if pixels.dtype == np.uint16 and file_format not in _SIXTEEN_BIT_FORMATS:
        notes.append(f"{file_format.upper()} is written with 8 bits of 16")
        pixels = to_eight_bits(pixels)
    if has_alpha(pixels) and file_format in _OPAQUE_FORMATS:
        notes.append(f"{file_format.upper()} holds no transparency: transparent parts become white")
        pixels = on_white(pixels)
    if file_format == "png":
        if len(metadata.icc) > _PNG_PROFILE_BYTES:
            notes.append("an ICC profile of more than 1 MiB in a PNG is refused by Pillow and other readers")
        return _write_png(pixels, metadata), tuple(notes)
    if file_format == "tiff" and pixels.dtype == np.uint16:
        return _write_deep_tiff(pixels, metadata, notes), tuple(notes)
    if file_format == "ppm":
        if metadata:
            notes.append("PPM holds no metadata")
        return _write_ppm(pixels), tuple(notes)
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
    options, held = dict(_OPTIONS.get(file_format, {})), _HOLDS.get(file_format, set())
    kept = {name: getattr(metadata, name) for name in _DOCUMENTS}
    if metadata.density and "density" in held:
        options["dpi"] = per_inch(metadata.density)
    elif metadata.density:
        notes.append(f"{file_format.upper()} holds no density: it is left out")
    for name in [name for name, document in kept.items() if document and name not in held]:
        notes.append(f"{file_format.upper()} is written without the {_DOCUMENTS[name]}")
        kept[name] = b""
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
    if file_format == "jxl":
        import pillow_jxl  # noqa: F401  (adds the format to Pillow)
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
    """A PNG file: pixels by Pillow, except for 16 bits, and the metadata as chunks after the header."""
    data = _deep_png(pixels) if pixels.dtype == np.uint16 else saved(Image.fromarray(pixels), "png")
    return data[:_PNG_HEADER_BYTES] + b"".join(_png_chunks(metadata)) + data[_PNG_HEADER_BYTES:]


def _deep_png(pixels: Samples) -> bytes:
    """A 16-bit PNG file without metadata; Pillow writes 16 bits of grey only.

    Each row has the filter Sub or Up, that with the smaller sum of absolute differences (PNG, third edition, 9.2 and
    12.7).
    """
    height, width = pixels.shape[:2]
    samples = np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(height, -1)
    pixel_bytes = samples.shape[1] // width
    left, above = np.zeros_like(samples), np.zeros_like(samples)
    left[:, pixel_bytes:], above[1:] = samples[:, :-pixel_bytes], samples[:-1]
    filtered = np.stack([samples - left, samples - above])  # modulo 256
    sums = np.abs(filtered.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
    chosen = sums.argmin(axis=0)
    rows = np.empty((height, 1 + samples.shape[1]), np.uint8)
    rows[:, 0], rows[:, 1:] = chosen + _SUB, filtered[chosen, np.arange(height)]
    colour_type = _PNG_COLOUR_TYPES[pixels.shape[2] if pixels.ndim == 3 else 1]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return _PNG_SIGNATURE + b"".join(_chunk(*named) for named in chunks)


def _write_ppm(pixels: Samples) -> bytes:
    """A binary PPM or, for grey, PGM file, of 8 or 16 bits. Pillow writes 8."""
    height, width = pixels.shape[:2]
    header = f"P{6 if pixels.ndim == 3 else 5}\n{width} {height}\n{np.iinfo(pixels.dtype).max}\n"
    return header.encode() + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()


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
    extras.require("writing TIFF files of 16 bits", "imagecodecs", "tifffile")
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
