"""Picture files that people have and programs stumble over, made on the spot: name -> bytes."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from fourcodec.bitstream import metadata
from fourcodec.bitstream.metadata import Metadata
from fourcodec.images import write

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:title="dune"/></x:xmpmeta>'


def photo(height: int = 16, width: int = 24) -> np.ndarray:
    """A smooth picture with an edge: uint8 (height, width, 3)."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 8 + columns * 3, 200 - columns * 5, np.where(rows > columns / 2, 220, 30)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def mask(height: int = 16, width: int = 24) -> np.ndarray:
    """Opaque left, transparent right, half of both between: uint8 (height, width)."""
    return np.repeat(np.clip(np.arange(width, 0, -1) * 20 - 100, 0, 255).astype(np.uint8)[None], height, axis=0)


def deep(pixels: np.ndarray) -> np.ndarray:
    """uint16 samples that are no multiples of 257."""
    return pixels.astype(np.uint16) * 257 ^ 0x35


def rgba() -> np.ndarray:
    return np.dstack([photo(), mask()])


def saved(image: Image.Image | np.ndarray, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, file_format, **options)
    return buffer.getvalue()


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, metadata=None, **options)
    return buffer.getvalue()


def png(width: int, height: int, *, bit_depth: int, colour: int, rows: bytes, chunks: bytes = b"") -> bytes:
    """A PNG file written by hand, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunks + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def exif(orientation: int = 6) -> bytes:
    """A camera's: its name, the orientation, and a maker's note of bytes that only the maker understands."""
    directory = Image.Exif()
    directory[0x010F] = "Camera"
    directory[0x0112] = orientation
    directory.get_ifd(0x8769).update({0x927C: bytes(range(64))})
    return directory.tobytes()


@functools.cache  # a profile holds the second it was made in
def rgb_profile(size_bytes: int = 0) -> bytes:
    """sRGB, followed by as many bytes as it takes (which profiles may have)."""
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile + np.random.default_rng(0).bytes(max(0, size_bytes - len(profile)))


def cmyk_profile() -> bytes:
    """Paper is white, and every ink as strong as its number: lightness 100 for none, 20 less for each, neutral.

    A lut8 from CMYK to Lab (ICC.1:2022, sections 7 and 10.10) with two points per ink.
    """
    corners = [(max(0, 100 - 20 * sum(map(int, f"{n:04b}"))) * 255 // 100, 128, 128) for n in range(16)]
    identity = bytes(range(256))
    lut = (
        b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(65536 * n for n in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    )
    lut += identity * 4 + bytes(value for corner in corners for value in corner) + identity * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"inks\0" + bytes(4 + 4 + 2 + 1 + 67)
    tags = {b"desc": text, b"wtpt": white, b"A2B0": lut, b"cprt": b"text" + bytes(4) + b"none\0"}
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += padded
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"none", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def _premultiplied() -> bytes:
    pixels = rgba().astype(np.uint32)
    pixels[:, :, :3] = pixels[:, :, :3] * pixels[:, :, 3:] // 255
    return tiff((pixels * 257).astype(np.uint16), photometric="rgb", extrasamples=["assocalpha"])


def _pages(**second: Any) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(photo(), photometric="rgb", metadata=None)
        file.write(photo(8, 12), photometric="rgb", metadata=None, **second)
    return buffer.getvalue()


def _animation(file_format: str) -> bytes:
    frames = [Image.fromarray(photo()), Image.fromarray(255 - photo()), Image.fromarray(photo() // 2)]
    return saved(frames[0], file_format, save_all=True, append_images=frames[1:], duration=100)


def _few_greys() -> bytes:
    """4 bits, the grey 8 of 15 transparent: Pillow 13 takes 8 for one of 255."""
    rows = b"".join(b"\0" + bytes([0x08, 0x8F, 0xF0]) for _ in range(5))
    return png(6, 5, bit_depth=4, colour=0, rows=rows, chunks=chunk(b"tRNS", b"\0\x08"))


def _mpo() -> bytes:
    return saved(photo(), "MPO", save_all=True, append_images=[Image.fromarray(photo(8, 12))])


GREY = photo()[:, :, 0]
FILES: dict[str, Callable[[], bytes]] = {
    "one-pixel.png": lambda: saved(photo(1, 1), "PNG"),
    "one-row.png": lambda: saved(photo(1, 61), "PNG"),
    "bilevel.png": lambda: saved(Image.fromarray(GREY > 99), "PNG"),
    "bilevel-fax.tif": lambda: saved(Image.fromarray(GREY > 99), "TIFF", compression="group4"),
    "grey-alpha.png": lambda: saved(np.dstack([GREY, mask()]), "PNG"),
    "few-greys-transparent.png": _few_greys,
    "one-colour-transparent.png": lambda: saved(photo(), "PNG", transparency=tuple(photo()[3, 4].tolist())),
    "palette.png": lambda: saved(Image.fromarray(photo()).quantize(16), "PNG"),
    "palette-alpha.png": lambda: saved(Image.fromarray(rgba()).quantize(16), "PNG"),
    "palette-transparent.gif": lambda: saved(Image.fromarray(photo()).quantize(16), "GIF", transparency=3),
    "alpha.png": lambda: saved(rgba(), "PNG"),
    "alpha.webp": lambda: saved(rgba(), "WEBP", lossless=True, exact=True),
    "alpha.avif": lambda: saved(rgba(), "AVIF", quality=95),
    "alpha-opaque.png": lambda: saved(Image.fromarray(photo()).convert("RGBA"), "PNG"),
    "alpha-nothing.png": lambda: saved(Image.new("RGBA", (24, 16), (200, 100, 50, 0)), "PNG"),
    "alpha-premultiplied-16.tif": _premultiplied,
    "sixteen-grey.png": lambda: write(deep(GREY), "png")[0],
    "sixteen-grey-alpha.png": lambda: write(deep(np.dstack([GREY, mask()])), "png")[0],
    "sixteen-rgb.png": lambda: write(deep(photo()), "png")[0],
    "sixteen-rgba.png": lambda: write(deep(rgba()), "png")[0],
    "sixteen-rgb.tif": lambda: tiff(deep(photo()), photometric="rgb", compression="lzw"),
    "sixteen-planar.tif": lambda: tiff(
        deep(photo()).transpose(2, 0, 1), photometric="rgb", planarconfig="separate", compression="zlib"
    ),
    "sixteen-negative.tif": lambda: tiff(deep(GREY), photometric="miniswhite"),
    "sixteen-rgb.ppm": lambda: b"P6 24 16 65535\n" + deep(photo()).astype(">u2").tobytes(),
    "thirty-two.tif": lambda: tiff(photo().astype(np.uint32), photometric="rgb"),
    "floating.tif": lambda: tiff(GREY.astype(np.float32), photometric="minisblack"),
    "cmyk.jpg": lambda: saved(Image.fromarray(photo()).convert("CMYK"), "JPEG"),
    "cmyk-profile.jpg": lambda: saved(Image.fromarray(photo()).convert("CMYK"), "JPEG", icc_profile=cmyk_profile()),
    "cmyk-wrong-profile.tif": lambda: saved(Image.fromarray(photo()).convert("CMYK"), "TIFF", icc_profile=b"profile"),
    "ycbcr.tif": lambda: saved(Image.fromarray(photo()).convert("YCbCr"), "TIFF", icc_profile=rgb_profile()),
    "lab.tif": lambda: saved(Image.new("LAB", (24, 16), (127, 128, 128)), "TIFF"),
    "turned.jpg": lambda: saved(photo(), "JPEG", quality=98, exif=exif(), xmp=XMP, icc_profile=rgb_profile()),
    "turned.png": lambda: saved(photo(), "PNG", exif=exif(8)),
    "turned.webp": lambda: saved(photo(), "WEBP", lossless=True, exif=exif(3), xmp=XMP),
    "turned.avif": lambda: saved(photo(), "AVIF", exif=exif(6), xmp=XMP),
    "turned.tif": lambda: saved(photo(), "TIFF", exif=exif(6), icc_profile=rgb_profile()),
    "turned-16.tif": lambda: tiff(deep(photo()), photometric="rgb", extratags=[(274, 3, 1, 6, True)]),
    "exif-damaged.jpg": lambda: saved(photo(), "JPEG", exif=b"Exif\0\0" + b"no directory"),
    "profile-large.jpg": lambda: saved(photo(), "JPEG", icc_profile=rgb_profile(3_000_000)),
    "profile-large.png": lambda: saved(photo(), "PNG", icc_profile=rgb_profile(3_000_000)),
    "profile-too-large.tif": lambda: saved(photo(), "TIFF", icc_profile=rgb_profile(metadata.MAX_BYTES + 1)),
    "everything.png": lambda: write(deep(rgba()), "png", Metadata(rgb_profile(), exif(1)[6:], XMP))[0],
    "stereo.jpg": _mpo,
    "animated.gif": lambda: _animation("GIF"),
    "animated.webp": lambda: _animation("WEBP"),
    "animated.png": lambda: _animation("PNG"),
    "pages.tif": _pages,
    "preview.tif": lambda: _pages(subfiletype=1),
    "cut.jpg": lambda: saved(photo(160, 240), "JPEG")[:1500],
    "cut.png": lambda: saved(photo(160, 240), "PNG")[:200],
    "cut-16.png": lambda: write(deep(photo(160, 240)), "png")[0][:2000],
    "cut-16.tif": lambda: tiff(deep(photo(160, 240)), photometric="rgb")[:2000],
    "checksum.png": lambda: saved(photo(), "PNG")[:-16] + b"\0\0\0\0" + saved(photo(), "PNG")[-12:],
    "empty.png": lambda: b"",
    "text.png": lambda: b"this is no picture\n",
    "huge.png": lambda: png(60000, 60000, bit_depth=8, colour=2, rows=b""),
}


def make_all(folder: Path) -> None:
    for name, make in FILES.items():
        (folder / name).write_bytes(make())
