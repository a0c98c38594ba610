"""The choice of the device: a name that the user gives -> "cpu" or "cuda"."""

import sys

from fourcodec import extras
from fourcodec.errors import DeviceError

NAMES = ("auto", "cpu", "cuda")


def resolve(name: str) -> str:
    """The device for a name of NAMES: "cpu" or "cuda"; "auto" is "cuda" where a CUDA device is available.

    Torch, whose import takes seconds, is imported only where a CUDA driver is installed. Raises DeviceError for "cuda"
    where there is no CUDA device, MissingLibraryError where there may be one and no torch, ValueError for another name.
    """
    if name not in NAMES:
        raise ValueError(f"devices are {', '.join(NAMES)}, not {name!r}")
    if name == "cpu":
        return "cpu"
    if _has_cuda():
        return "cuda"
    if name == "cuda":
        if has_driver():
            extras.require("--device cuda", "torch")
        raise DeviceError("no CUDA device is available on this machine; use --device cpu")
    return "cpu"


def has_driver() -> bool:
    """True if a CUDA driver is installed. Does not import torch."""
    import ctypes  # imported here, since every command imports this module for its NAMES

    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _has_cuda() -> bool:
    if not (has_driver() and extras.is_there("torch")):
        return False
    import torch

    return torch.cuda.is_available()
