"""Which processor does the work: a name given by a person -> "cpu" or "cuda"."""

import ctypes
import sys

from fourcodec.errors import DeviceError

NAMES = ("auto", "cpu", "cuda")


def resolve(name: str) -> str:
    """ "cpu" or "cuda"; "auto" is CUDA where there is one. Raises DeviceError where CUDA is asked for in vain.

    Imports torch only where a driver is installed, since that takes seconds.
    """
    if name not in NAMES:
        raise ValueError(f"devices are {', '.join(NAMES)}, not {name!r}")
    if name == "cpu":
        return "cpu"
    if _has_cuda():
        return "cuda"
    if name == "cuda":
        raise DeviceError("no CUDA device is available on this machine; use --device cpu")
    return "cpu"


def has_driver() -> bool:
    """Whether CUDA's driver is installed, which takes no torch to find out."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _has_cuda() -> bool:
    if not has_driver():
        return False
    import torch

    return torch.cuda.is_available()
