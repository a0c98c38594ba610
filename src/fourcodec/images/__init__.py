"""Picture files <-> arrays: uint8 or uint16, (H, W) or (H, W, C); grey, grey + alpha, RGB or RGB + alpha."""

from fourcodec.images.picture import (
    Picture,
    Samples,
    from_array,
    has_alpha,
    on_white,
    plain,
    to_eight_bits,
)
from fourcodec.images.reading import from_pillow, load, read
from fourcodec.images.writing import FORMATS, check_format, format_of, to_png, write

__all__ = [
    "FORMATS",
    "Picture",
    "Samples",
    "check_format",
    "format_of",
    "from_array",
    "from_pillow",
    "has_alpha",
    "load",
    "on_white",
    "plain",
    "read",
    "to_eight_bits",
    "to_png",
    "write",
]
