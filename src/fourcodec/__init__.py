"""An image codec whose file is a small Fourier network.

    data = fourcodec.encode(image, width=8, depth=6).data
    pixels = fourcodec.decode(data)

Each public name is imported when it is first used (PEP 562): `import fourcodec` loads neither torch, numba nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fourcodec.bitstream.metadata import Metadata
    from fourcodec.codec import Encoded, decode, encode, read_metadata
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
    "read_metadata",
    "register",
]

_MODULES = {
    "Encoded": "fourcodec.codec",
    "decode": "fourcodec.codec",
    "encode": "fourcodec.codec",
    "read_metadata": "fourcodec.codec",
    "File": "fourcodec.fnc",
    "Metadata": "fourcodec.bitstream.metadata",
    "CorruptFileError": "fourcodec.errors",
    "DeviceError": "fourcodec.errors",
    "FourcodecError": "fourcodec.errors",
    "ImageError": "fourcodec.errors",
    "LimitError": "fourcodec.errors",
    "TargetError": "fourcodec.errors",
    "UnsupportedFormatError": "fourcodec.errors",
    "VerificationError": "fourcodec.errors",
    "Limits": "fourcodec.limits",
    "View": "fourcodec.views",
    "register": "fourcodec.pillow_plugin",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
