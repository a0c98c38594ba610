"""Picture files -> Picture: upright, grey or RGB with or without alpha, 8 or 16 bits, with its metadata.

Whatever is changed on that way is said in the picture's notes.
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
from fourcodec.errors import ImageError, LimitError
from fourcodec.images import colour, embedded, exact, orientation
from fourcodec.images.picture import Picture, without_opaque_alpha
from fourcodec.limits import BYTES_REMEDY, DEFAULT, Limits

# Named one by one: Pillow would also start Ghostscript for an EPS file, and read a good many formats that are no
# photographs.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "TGA", "QOI")

PLAIN_MODES = ("L", "LA", "RGB", "RGBA")
STRAIGHTENED_MODES = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA", "1": "L"}
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
_SUBFILE_TYPE, _BITS_PER_SAMPLE = 254, 258  # TIFF tags; bit 0 of the first: a smaller version of another page
_STARTS = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff", "GIF": b"GIF8"}
# What Pillow's decoders raise for damaged files: with messages for people, and without.
SPEAKING_ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error)
_TOO_MUCH_TEXT = "Decompressed data too large"  # a sound PNG, with an ICC profile or text above Pillow's own limit
SILENT_ERRORS = (IndexError, KeyError, TypeError, AttributeError)


def load(path: Path, *, frame: int | None = None, limits: Limits = DEFAULT) -> Picture:
    """Reads a picture file. Raises OSError where it cannot be opened, and what `read` raises."""
    return read(files.read(path, limits.picture_bytes, BYTES_REMEDY), frame=frame, limits=limits)


def read(data: bytes, *, frame: int | None = None, limits: Limits = DEFAULT) -> Picture:
    """The picture in the bytes of a file; of several frames or pages the one of that number, 1 being the first.

    Raises LimitError before decoding one of more pixels than the limits allow, ImageError where it is not a picture, a
    damaged one, or one of several without a `frame`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own limit, and complaints about metadata
        with _pillow_errors(limits, _name_by_start(data)), _room_in_pillow(limits):
            if data.startswith(_STARTS["PNG"]):
                with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                    image.verify()  # checksums, those of the pixels among them, which loading does not look at
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _picture(image, data, frame, limits)


def from_pillow(image: Image.Image, limits: Limits = DEFAULT) -> Picture:
    """The same for an image that Pillow has opened, of several frames the one it is at. Raises what `read` raises.

    Pillow has read 16-bit colour in 8 bits, which the notes say.
    """
    with _pillow_errors(limits):
        return _picture(image, None, image.tell() + 1, limits)


def _picture(image: Image.Image, data: bytes | None, frame: int | None, limits: Limits) -> Picture:
    notes: list[str] = []
    index = _choose_frame(image, frame)
    limits.check_pixels(image.width, image.height)
    reduced = _reduced_bits(image, data)  # before asking for EXIF, for which Pillow may load everything
    turned = embedded.orientation_of(image)
    image.load()
    samples = None if data is None else exact.read(data, image, index)
    metadata = embedded.metadata_of(image, notes)
    if image.format != "TIFF":
        turned = embedded.orientation_of(image)  # PNG may have EXIF behind the pixels
    elif samples is None:
        turned = orientation.UPRIGHT  # Pillow has turned it while loading
    if samples is None:
        if reduced:
            notes.append(f"{reduced}-bit samples are reduced to 8 bits")
        samples, icc = _samples(image, metadata.icc, notes)
        metadata = replace(metadata, icc=icc)
    icc = colour.fitting_profile(metadata.icc, notes)
    upright = orientation.turn(samples, turned)
    return without_opaque_alpha(Picture(upright, replace(metadata, icc=icc), tuple(notes)))


def _choose_frame(image: Image.Image, frame: int | None) -> int:
    """Goes to the frame that is meant and returns its index."""
    count = getattr(image, "n_frames", 1)
    if frame is not None:
        if not 1 <= frame <= count:
            raise ImageError(f"there is no frame {frame}: the picture has {count}")
        image.seek(frame - 1)
        return frame - 1
    # MPO: a photograph and its own previews
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
    """uint8 or uint16 samples of a loaded image, and the profile that goes on to apply to them."""
    if image.mode in SIXTEEN_BIT_MODES or (image.mode == "I" and image.format == "PPM"):
        return np.asarray(image).astype(np.uint16), icc
    if image.mode in colour.CONVERTED_MODES:
        image, icc = colour.to_rgb(image, icc, notes)
    return np.array(_plain(image, icc)), icc


def _plain(image: Image.Image, icc: bytes) -> Image.Image:
    """An image of one of PLAIN_MODES."""
    transparent = "transparency" in image.info
    if image.mode == "P":
        return _grey_if_grey(image.convert("RGBA" if transparent else "RGB"), icc)
    image = image.convert(STRAIGHTENED_MODES.get(image.mode, image.mode))
    if transparent and image.mode in ("L", "RGB"):  # one colour is transparent
        return image.convert("LA" if image.mode == "L" else "RGBA")
    if image.mode in PLAIN_MODES:
        return image
    raise ImageError(f"pictures of Pillow's mode {image.mode!r} are not supported")


def _grey_if_grey(image: Image.Image, icc: bytes) -> Image.Image:
    """Palettes of greys are common for grey pictures; coded as RGB they would cost three planes. A profile for RGB says
    nothing about grey, though."""
    red, green, blue = (channel.tobytes() for channel in image.split()[:3])
    if not (red == green == blue) or colour.is_rgb_profile(icc):
        return image
    return image.convert("LA" if image.mode == "RGBA" else "L")


def _reduced_bits(image: Image.Image, data: bytes | None) -> int:
    """The bits of samples that Pillow is about to read as 8, which it does silently for all but grey pictures; 0 where
    it changes nothing, or where that only the file tells and `data` is None."""
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
    """AV1 Codec ISO Media File Format Binding, 2.3.3: high_bitdepth and twelve_bit of the first av1C box."""
    box = data.find(b"av1C")
    flags = data[box + 6] if 0 <= box < len(data) - 6 else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _jpeg_2000_bits(data: bytes) -> int:
    """ITU-T T.800, A.5.1: the most that a component has, of those that the SIZ marker lists."""
    marker = data.find(b"\xff\x4f\xff\x51") + 2  # which follows the start of the codestream
    if marker < 2 or len(data) < marker + 40:
        return 8
    count = int.from_bytes(data[marker + 38 : marker + 40], "big")
    return max(((byte & 0x7F) + 1 for byte in data[marker + 40 :][: 3 * count : 3]), default=8)


def _name_by_start(data: bytes) -> str | None:
    return next((name for name, start in _STARTS.items() if data.startswith(start)), None)


@contextmanager
def _room_in_pillow(limits: Limits) -> Iterator[None]:
    """Pillow has a limit of its own, one for the whole process: it refuses twice MAX_IMAGE_PIXELS. Ours comes first
    where it is the usual one; where more is asked for, Pillow's has to give way."""
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
    """Turns whatever Pillow raises for a bad file into ours, with a message of one line. `named`: the format that the
    file begins like."""
    try:
        yield
    except UnidentifiedImageError as exc:
        if named is not None:
            raise ImageError(f"the picture is damaged: it begins as {named} and has no valid header") from exc
        raise ImageError(f"not a picture of a known format ({', '.join(FORMATS)})") from exc
    except Image.DecompressionBombError as exc:
        raise LimitError(
            f"the picture has more pixels than the limit of {limits.pixels}: a larger --max-pixels allows it"
        ) from exc
    except SILENT_ERRORS as exc:
        raise ImageError("the picture is damaged: something in it is missing or contradicts itself") from exc
    except SPEAKING_ERRORS as exc:
        if _TOO_MUCH_TEXT in str(exc):
            raise LimitError("the picture's metadata are longer than the limit of 1 MiB in a PNG") from exc
        raise ImageError(f"the picture is damaged: {' '.join(str(exc).split()) or type(exc).__name__}") from exc
