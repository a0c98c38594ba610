"""What the fuzzer runs: one function a target, bytes -> nothing. Whatever leaves it is a finding.

A damaged file may be refused with a FourcodecError and in no other way; numpy's warnings count as findings too, since a
person would see them on stderr. Pictures are small here, so that a run is short: size is bounded by limits, which have
tests of their own.
"""

import io
import json
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from fourcodec import codec
from fourcodec.bitstream import container
from fourcodec.cli.info import _bars, _internals, _summary
from fourcodec.errors import FourcodecError
from fourcodec.limits import Limits
from fourcodec.pillow_plugin import FncImageFile, accept
from fourcodec.views import WHOLE, View

# Work: 10 ms of profile fnet. Larger networks run the same code for longer.
LIMITS = Limits(pixels=5000, work=2 * 10**7)
_SCALES = (0.5, 0.24, 0.07, 1.7)
_SIZES = ((1, 1), (3, 7), (40, 2), (60, 60))


def info(data: bytes) -> None:
    """`fourcodec info`, reading the metadata, and opening in Pillow, which decodes nothing."""
    with suppress(FourcodecError):
        description = codec.describe(data)
        json.dumps(description, allow_nan=False)
        _summary(description, codec.File(data).salvage_metadata()[0])
        _internals(description)
        _bars(description)
    with suppress(FourcodecError):
        codec.read_metadata(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # unreadable metadata are left out, and the plugin says so
        # Not Image.open, which takes a KeyError for "another format"; this class makes a SyntaxError of it.
        with suppress(OSError):
            try:
                FncImageFile(io.BytesIO(data))
            except SyntaxError:
                if accept(data):
                    raise


def picture(data: bytes) -> None:
    """Decoding, under a view that the bytes choose: the same for the same file."""
    choice = zlib.crc32(data)
    with suppress(FourcodecError):
        codec.decode(data, view=_view(data, choice), limits=LIMITS)


TARGETS: dict[str, Callable[[bytes], None]] = {"info": info, "fnet": picture, "grid": picture}


@contextmanager
def strict() -> Iterator[None]:
    """Numpy's warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


def _view(data: bytes, choice: int) -> View:
    kind, choice = choice % 8, choice // 8
    if kind < 4:
        return WHOLE
    if kind == 4:
        return View(size=_SIZES[choice % len(_SIZES)])
    scale = None if kind == 5 else _SCALES[choice % len(_SCALES)]
    if kind == 6:
        return View(scale=scale)
    header, _ = container.read(data, LIMITS)
    left, top = choice // 4 % header.width, choice // 256 % header.height
    right, bottom = choice % (header.width - left), choice // 64 % (header.height - top)
    return View((left, top, right + 1, bottom + 1), scale)
