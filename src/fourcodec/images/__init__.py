"""Picture files <-> arrays: uint8 or uint16, (H, W) or (H, W, C); grey, grey + alpha, RGB or RGB + alpha."""

from fourcodec.images.picture import Picture as Picture
from fourcodec.images.picture import Samples as Samples
from fourcodec.images.picture import from_array as from_array
from fourcodec.images.picture import has_alpha as has_alpha
from fourcodec.images.picture import on_white as on_white
from fourcodec.images.picture import plain as plain
from fourcodec.images.picture import to_eight_bits as to_eight_bits
from fourcodec.images.reading import from_pillow as from_pillow
from fourcodec.images.reading import load as load
from fourcodec.images.reading import read as read
from fourcodec.images.writing import FORMATS as FORMATS
from fourcodec.images.writing import SUFFIXES as SUFFIXES
from fourcodec.images.writing import check_format as check_format
from fourcodec.images.writing import format_of as format_of
from fourcodec.images.writing import saved as saved
from fourcodec.images.writing import to_png as to_png
from fourcodec.images.writing import write as write
