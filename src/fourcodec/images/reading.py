"""Picture files -> Picture: upright, grey or RGB with or without alpha, 8 or 16 bits, with its metadata.

The notes of the Picture list everything that was changed.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fourcodec import files
from fourcodec.bitstream.container import MAGIC
from fourcodec.errors import ImageError, LimitError
from fourcodec.images import colour, colour_tags, embedded, exact, orientation, sound
from fourcodec.images.picture import Picture, without_opaque_alpha
from fourcodec.limits import BYTES_REMEDY, DEFAULT, Limits

# A list of our own: Pillow would also start Ghostscript for an EPS file, and read many formats that hold no
# photographs.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "TGA", "QOI")

PLAIN_MODES = ("L", "LA", "RGB", "RGBA")
EQUIVALENT_MODES = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA", "1": "L"}
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
_SUBFILE_TYPE, _BITS_PER_SAMPLE = 254, 258  # TIFF tags; bit 0 of the first: a smaller version of another page
_SIGNATURES = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff", "GIF": b"GIF8"}
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two: BigTIFF
_UNSUPPORTED: dict[str, tuple[bytes, ...]] = {
    "a JPEG XL file": (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "a Photoshop file": (b"8BPS",),
    "an OpenEXR file": (b"\x76\x2f\x31\x01",),
    "a PDF file": (b"%PDF",),
    "a PostScript file": (b"%!PS",),
    "an SVG file": (b"<svg",),
    "a DDS file": (b"DDS ",),
    "a Radiance file": (b"#?RADIANCE", b"#?RGBE"),
    "a PFM or PAM file": (b"PF\n", b"Pf\n", b"P7\n"),
    "a .fnc file": (MAGIC,),
}
_JPEG_LS = 0xF7  # markers of frame headers
_JPEG_UNSUPPORTED = {
    **dict.fromkeys((0xC3, 0xCB), "lossless"),
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical"),
}
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_ICONS = {b"\0\0\1\0": "an icon (ICO)", b"\0\0\2\0": "a cursor (CUR)"}
# Pillow's decoders raise these for damaged files. The first group has messages that a user understands.
ERRORS_WITH_MESSAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error)
_TRUNCATED = "truncated"  # Pillow, of a file that ends before its pixels
_TOO_MUCH_TEXT = "Decompressed data too large"  # Pillow, of a valid PNG with an ICC profile or text above its own limit
ERRORS_WITHOUT_MESSAGE = (IndexError, KeyError, TypeError, AttributeError)


def load(path: Path, *, frame: int | None = None, limits: Limits = DEFAULT) -> Picture:
    """The picture in a file. Raises OSError where it cannot be opened, and the errors of `read`."""
    return read(files.read(path, limits.picture_bytes, BYTES_REMEDY), frame=frame, limits=limits)


def read(data: bytes, *, frame: int | None = None, limits: Limits = DEFAULT) -> Picture:
    """The picture in the bytes of a file. `frame` chooses one of several frames or pages, counted from 1.

    Raises ImageError where the bytes are no picture or a damaged one, or have several frames and `frame` is None.
    Raises LimitError, before decoding, where the picture has more pixels than the limits allow.
    """
    _refuse_unsupported(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of many pixels, where our limits decide, and of odd metadata
        try:
            return _read(data, frame, limits)
        except ImageError as exc:
            whole = sound.with_end(data) if data.startswith(_SIGNATURES["JPEG"]) and _TRUNCATED in str(exc) else None
            if whole is None:
                raise
            picture = _read(whole, frame, limits)
            return replace(
                picture, notes=(*picture.notes, "the JPEG file lacks its end marker; its pixels are all there")
            )


def _read(data: bytes, frame: int | None, limits: Limits) -> Picture:
    with _pillow_errors(limits, _name_by_start(data)), _pillow_limit_raised(limits):
        if data.startswith(_SIGNATURES["PNG"]):
            data = sound.without_texts(data)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                image.verify()  # all checksums, also those of the pixels, which loading ignores
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return _picture(image, data, frame, limits)


def from_pillow(image: Image.Image, limits: Limits = DEFAULT) -> Picture:
    """The picture in an image that Pillow has opened: its current frame. Raises the errors of `read`.

    Pillow reads 16-bit colour as 8 bits; the notes then say so.
    """
    with _pillow_errors(limits):
        return _picture(image, None, image.tell() + 1, limits)


def _picture(image: Image.Image, data: bytes | None, frame: int | None, limits: Limits) -> Picture:
    notes: list[str] = []
    index = _choose_frame(image, frame)
    if not image.width or not image.height:
        raise ImageError(f"the picture has no pixels: it is {image.width} x {image.height}")
    limits.check_pixels(image.width, image.height)
    reduced = _reduced_bits(image, data)  # before EXIF is read, for which Pillow may load everything
    turned = embedded.orientation_of(image)
    image.load()
    samples = None if data is None else exact.read(data, image, index)
    metadata = embedded.metadata_of(image, notes)
    if image.format != "TIFF":
        turned = embedded.orientation_of(image)  # PNG may have EXIF after the pixels
    elif samples is None:
        turned = orientation.UPRIGHT  # Pillow has turned it while loading
    if samples is None:
        if reduced:
            notes.append(f"{reduced}-bit samples are reduced to 8 bits")
        samples, icc = _samples(image, metadata.icc, notes)
        metadata = replace(metadata, icc=icc)
    channels = 3 if samples.ndim == 3 and samples.shape[2] > 2 else 1
    icc = colour.fitting_profile(metadata.icc, channels, notes)
    if data is not None:
        notes += colour_tags.remarks(image, data, bool(metadata.icc))
    upright = orientation.turn(samples, turned)
    return without_opaque_alpha(Picture(upright, replace(metadata, icc=icc), tuple(notes)))


def _choose_frame(image: Image.Image, frame: int | None) -> int:
    """Seeks to the chosen frame and returns its index, from 0."""
    count = getattr(image, "n_frames", 1)
    if frame is not None:
        if not 1 <= frame <= count:
            raise ImageError(f"there is no frame {frame}: the picture has {count}")
        image.seek(frame - 1)
        return frame - 1
    # the further frames of an MPO file are previews of the first
    pages: Sequence[int] = range(1 if image.format == "MPO" else count)
    if count > 1 and image.format == "TIFF":
        pages = [page for page in pages if not _is_preview(image, page)] or pages
    if len(pages) > 1:
        raise ImageError(f"the picture has {count} frames or pages: choose one with --frame, 1 to {count}")
    if pages[0] != image.tell():
        image.seek(pages[0])
    return pages[0]


def _is_preview(image: Any, page: int) -> bool:
    image.seek(page)
    return bool(image.tag_v2.get(_SUBFILE_TYPE, 0) & 1)


def _samples(image: Image.Image, icc: bytes, notes: list[str]) -> tuple[NDArray[Any], bytes]:
    """The uint8 or uint16 samples of a loaded image, and the ICC profile that is valid for them."""
    if image.mode in SIXTEEN_BIT_MODES or (image.mode == "I" and image.format == "PPM"):
        return np.asarray(image).astype(np.uint16), icc
    if image.mode in colour.CONVERTED_MODES:
        image, icc = colour.to_rgb(image, icc, notes)
    return np.array(_plain(image, icc)), icc


def _plain(image: Image.Image, icc: bytes) -> Image.Image:
    """The image converted to one of PLAIN_MODES."""
    transparent = "transparency" in image.info
    if image.mode == "P":
        return _grey_if_grey(image.convert("RGBA" if transparent else "RGB"), icc)
    image = image.convert(EQUIVALENT_MODES.get(image.mode, image.mode))
    if transparent and image.mode in ("L", "RGB"):  # one colour is transparent
        return image.convert("LA" if image.mode == "L" else "RGBA")
    if image.mode in PLAIN_MODES:
        return image
    raise ImageError(f"pictures of Pillow's mode {image.mode!r} are not supported")


def _grey_if_grey(image: Image.Image, icc: bytes) -> Image.Image:
    """The image as grey where its three channels are equal, unless it has an RGB profile, which is invalid for grey.

    Grey pictures are often stored with a palette of greys; as RGB they would take three planes."""
    red, green, blue = (channel.tobytes() for channel in image.split()[:3])
    if not (red == green == blue) or colour.is_rgb_profile(icc):
        return image
    return image.convert("LA" if image.mode == "RGBA" else "L")


def _reduced_bits(image: Image.Image, data: bytes | None) -> int:
    """The bits per sample of a file that Pillow will read as 8 bits, without a warning; 0 where it changes nothing.

    AVIF and JPEG 2000 tell it only in the file's bytes `data`; without them the result is 0."""
    if image.mode in SIXTEEN_BIT_MODES or image.mode == "I":
        return 0
    tiles = getattr(image, "tile", [])
    bits = 8
    if image.format == "TIFF":
        bits = max(image.tag_v2.get(_BITS_PER_SAMPLE, (8,)))  # type: ignore[attr-defined]
    elif image.format == "PPM":
        deep = any(isinstance(tile.args, tuple) and tile.args[1] > 255 for tile in tiles)
        bits = 16 if deep else 8
    elif image.format == "PNG":
        bits = 16 if ";16B" in str(tiles) else 8
    elif image.format == "AVIF" and data is not None:
        bits = _avif_bits(data)
    elif image.format == "JPEG2000" and data is not None:
        bits = _jpeg_2000_bits(data)
    return bits if bits > 8 else 0


def _avif_bits(data: bytes) -> int:
    """Bits per sample by the first av1C box: high_bitdepth and twelve_bit (AV1 Codec ISO Media File Format Binding,
    2.3.3)."""
    box = data.find(b"av1C")
    flags = data[box + 6] if 0 <= box < len(data) - 6 else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _jpeg_2000_bits(data: bytes) -> int:
    """The most bits of any component in the SIZ marker segment (ITU-T T.800, A.5.1)."""
    marker = data.find(b"\xff\x4f\xff\x51") + 2  # SOC, then SIZ
    if marker < 2 or len(data) < marker + 40:
        return 8
    count = int.from_bytes(data[marker + 38 : marker + 40], "big")
    return max(((byte & 0x7F) + 1 for byte in data[marker + 40 :][: 3 * count : 3]), default=8)


def _refuse_unsupported(data: bytes) -> None:
    """Raises ImageError for sound files of kinds that are not read; Pillow would take some of them for damaged ones."""
    kind = next((name for name, starts in _UNSUPPORTED.items() if data.startswith(starts)), None)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF and b"avif" not in data[16:64]:
        kind = "a HEIC file"
    if kind is None and data[:4] in _ICONS and data[4:6] != b"\0\0":  # icons; the start of a TGA file has a 0 there
        kind = _ICONS[data[:4]]
    if kind is None and data.startswith(_SIGNATURES["JPEG"]):
        kind = _jpeg_kind(data)
    if not data:
        raise ImageError("the file is empty")
    if kind is not None:
        raise ImageError(f"{kind}, which is not supported; pictures are {', '.join(FORMATS)}")


def _jpeg_kind(data: bytes) -> str | None:
    """The kind of a JPEG file that is not read, by its frame header (ITU-T T.81, B.2.2; T.87, C.2.2); None for
    others."""
    at = 2
    while at + 5 <= len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _JPEG_LS:
            return "a JPEG-LS file"
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if marker in _JPEG_UNSUPPORTED:
                return f"a {_JPEG_UNSUPPORTED[marker]} JPEG file"
            return f"a JPEG file with {data[at + 4]}-bit samples" if data[at + 4] > 8 else None
        at += 1 if marker == 0xFF else 2 + size
    return None


def _name_by_start(data: bytes) -> str | None:
    if data.startswith(_TIFF_STARTS):
        return "TIFF"
    return next((name for name, start in _SIGNATURES.items() if data.startswith(start)), None)


@contextmanager
def _pillow_limit_raised(limits: Limits) -> Iterator[None]:
    """Raises Pillow's limit on pixels while reading, where `limits` allow more than the default.

    Pillow refuses pictures above twice MAX_IMAGE_PIXELS, a setting of the whole process. Our default limit is below
    it."""
    before = Image.MAX_IMAGE_PIXELS
    if limits.pixels <= DEFAULT.pixels or before is None:
        yield
        return
    Image.MAX_IMAGE_PIXELS = max(before, limits.pixels)
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


@contextmanager
def _pillow_errors(limits: Limits, named: str | None = None) -> Iterator[None]:
    """Turns the errors that Pillow raises for a bad file into ImageError or LimitError with a message of one line.

    `named` is the format whose signature the file begins with, if any."""
    try:
        yield
    except UnidentifiedImageError as exc:
        if named == "TIFF":
            raise ImageError("a TIFF file of a kind that is not supported, or a damaged one") from exc
        if named is not None:
            raise ImageError(f"the picture is damaged: it begins as {named} and has no valid header") from exc
        raise ImageError(f"not a picture of a known format ({', '.join(FORMATS)})") from exc
    except Image.DecompressionBombError as exc:
        raise LimitError(
            f"the picture has more pixels than the limit of {limits.pixels}: a larger --max-pixels allows it"
        ) from exc
    except ERRORS_WITHOUT_MESSAGE as exc:
        raise ImageError("the picture is damaged: something in it is missing or contradicts itself") from exc
    except ERRORS_WITH_MESSAGE as exc:
        if _TOO_MUCH_TEXT in str(exc):
            raise LimitError("the picture's metadata are longer than the limit of 1 MiB in a PNG") from exc
        raise ImageError(f"the picture is damaged: {' '.join(str(exc).split()) or type(exc).__name__}") from exc
