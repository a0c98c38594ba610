"""An image codec whose file is a small Fourier network.

    fourcodec.encode("photo.png", quality=60).save("photo.fnc")
    pixels = fourcodec.decode("photo.fnc")                        # an array of numpy

Images are given as arrays, PIL images, paths or open files; .fnc files as bytes, paths or open files. After
`fourcodec.register()` Pillow, and what opens images through it, opens and saves .fnc files.

Each public name is imported when it is first used (PEP 562): `import fourcodec` loads neither torch, numba nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fourcodec.bitstream.metadata import Metadata
    from fourcodec.codec import Encoded, decode, encode, open, read_metadata
    from fourcodec.errors import (
        CorruptFileError,
        DeviceError,
        FourcodecError,
        ImageError,
        LimitError,
        TargetError,
        UnsupportedFormatError,
        VerificationError,
    )
    from fourcodec.fnc import File
    from fourcodec.limits import Limits
    from fourcodec.pillow_plugin import register
    from fourcodec.views import View

__version__ = "0.1.0"

__all__ = [
    "CorruptFileError",
    "DeviceError",
    "Encoded",
    "File",
    "FourcodecError",
    "ImageError",
    "LimitError",
    "Limits",
    "Metadata",
    "TargetError",
    "UnsupportedFormatError",
    "VerificationError",
    "View",
    "__version__",
    "decode",
    "encode",
    "open",
    "read_metadata",
    "register",
]

_MODULES = {
    "fourcodec.codec": ("Encoded", "decode", "encode", "open", "read_metadata"),
    "fourcodec.fnc": ("File",),
    "fourcodec.bitstream.metadata": ("Metadata",),
    "fourcodec.errors": tuple(name for name in __all__ if name.endswith("Error")),
    "fourcodec.limits": ("Limits",),
    "fourcodec.views": ("View",),
    "fourcodec.pillow_plugin": ("register",),
}


def __getattr__(name: str) -> Any:
    module = next((module for module, names in _MODULES.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
