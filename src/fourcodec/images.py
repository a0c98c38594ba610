"""Pictures as people have them -> uint8 arrays (H, W) or (H, W, 3), the only two kinds that are coded so far.

Whatever is lost on that way (transparency, the lower half of 16 bits, further frames) is said in the picture's notes.
"""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from fourcodec.bitstream.container import MAX_PIXELS
from fourcodec.errors import ImageError, LimitError

# Named one by one: Pillow would also start Ghostscript for an EPS file, and read a good many formats that are no
# photographs.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "TGA", "QOI")

PLAIN_MODES = ("L", "RGB")
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
CONVERTED_MODES = ("CMYK", "YCbCr", "LAB", "HSV", "RGBX")
# What Pillow's decoders raise for damaged files, beside OSError (zlib.error and struct.error are plain Exceptions).
DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    struct.error,
)


@dataclass(frozen=True)
class Picture:
    """Samples ready to be coded, and what was lost in getting them."""

    pixels: npt.NDArray[np.uint8]  # (H, W) or (H, W, 3)
    notes: tuple[str, ...] = ()  # for people, a line each


def load(path: Path) -> Picture:
    """Reads a picture file.

    Raises OSError where the file cannot be opened, LimitError before decoding one of more than MAX_PIXELS pixels, and
    ImageError where it is not a picture or a damaged one.
    """
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own limit, and complaints about metadata we do not use
        with _pillow_errors(), Image.open(file, formats=FORMATS) as image:
            return from_pillow(image)


def from_pillow(image: Image.Image) -> Picture:
    """Upright, grey or RGB, 8 bits.

    Raises LimitError before decoding, ImageError for modes that hold no picture and for damaged files.
    """
    check_size(image.width, image.height)
    notes = []
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # MPO: a photograph and its own thumbnails
        notes.append(f"only the first of {image.n_frames} frames is coded")  # type: ignore[attr-defined]
    if _was_sixteen_bit_png(image):
        notes.append("16-bit samples are reduced to 8 bits")
    with _pillow_errors():  # an opened image is read only now
        upright = ImageOps.exif_transpose(image)
        flat = _flatten(upright, image.format, notes)
        return Picture(np.asarray(flat), tuple(notes))


def from_array(array: npt.NDArray[np.uint8]) -> Picture:
    """uint8 (H, W), (H, W, 1) or (H, W, 3). Raises ValueError for any other array, LimitError for a too large one."""
    if array.dtype != np.uint8:
        raise ValueError(f"an image array is uint8, not {array.dtype}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)) or array.size == 0:
        raise ValueError(f"an image array is (H, W), (H, W, 1) or (H, W, 3), not {array.shape}")
    check_size(array.shape[1], array.shape[0])
    return Picture(array)


def check_size(width: int, height: int) -> None:
    """Raises LimitError for a picture of more than MAX_PIXELS pixels."""
    if width * height > MAX_PIXELS:
        raise LimitError(f"the picture has {width} x {height} pixels, more than the limit of {MAX_PIXELS}")


def to_png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """uint8 (H, W) or (H, W, 3) -> a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _flatten(image: Image.Image, source_format: str | None, notes: list[str]) -> Image.Image:
    """An image of one of PLAIN_MODES; adds to the notes what that costs."""
    if image.mode in ALPHA_MODES or image.has_transparency_data:
        notes.append("transparency is not coded yet: the picture is laid on white")
        return _lay_on_white(image)
    if image.mode in PLAIN_MODES:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "P":
        return _grey_if_grey(image.convert("RGB"))
    if image.mode in SIXTEEN_BIT_MODES or (image.mode == "I" and source_format == "PPM"):
        notes.append("16-bit samples are reduced to 8 bits")
        return _reduce_sixteen_bits(image)
    if image.mode in CONVERTED_MODES:
        return image.convert("RGB")
    raise ImageError(f"pictures of Pillow's mode {image.mode!r} are not supported")


@contextmanager
def _pillow_errors() -> Iterator[None]:
    """Turns whatever Pillow raises for a bad file into ours, with a message of one line."""
    try:
        yield
    except UnidentifiedImageError as exc:
        raise ImageError(f"not a picture of a known format ({', '.join(FORMATS)})") from exc
    except Image.DecompressionBombError as exc:
        raise LimitError(f"the picture has more pixels than the limit of {MAX_PIXELS}") from exc
    except DECODING_ERRORS as exc:
        raise ImageError(f"the picture is damaged: {' '.join(str(exc).split()) or type(exc).__name__}") from exc


def _was_sixteen_bit_png(image: Image.Image) -> bool:
    """Whether Pillow is about to read 16-bit colour as 8-bit, which it does silently."""
    decoders = str(getattr(image, "tile", ""))
    return image.format == "PNG" and ";16B" in decoders and image.mode not in SIXTEEN_BIT_MODES


def _lay_on_white(image: Image.Image) -> Image.Image:
    grey = image.mode in ("LA", "La", "L")
    opaque = image.convert("RGBA")
    white = Image.new("RGBA", opaque.size, "white")
    flat = Image.alpha_composite(white, opaque).convert("RGB")
    return flat.getchannel(0) if grey else flat


def _grey_if_grey(image: Image.Image) -> Image.Image:
    """Palettes of greys are common for grey pictures; coded as RGB they would cost three planes."""
    red, green, blue = (channel.tobytes() for channel in image.split())
    return image.getchannel(0) if red == green == blue else image


def _reduce_sixteen_bits(image: Image.Image) -> Image.Image:
    samples = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((samples + 128) // 257).astype(np.uint8))  # 65535 = 257 * 255
