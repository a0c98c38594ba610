"""Pictures as people have them <-> arrays: uint8 or uint16, (H, W) or (H, W, C), grey, grey and alpha, RGB or RGBA."""

from fourcodec.images.picture import Picture, from_array, plain
from fourcodec.images.reading import from_pillow, load, read
from fourcodec.images.writing import FORMATS, check_format, format_of, to_png, write

__all__ = [
    "FORMATS",
    "Picture",
    "check_format",
    "format_of",
    "from_array",
    "from_pillow",
    "load",
    "plain",
    "read",
    "to_png",
    "write",
]
