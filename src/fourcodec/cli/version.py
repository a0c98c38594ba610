"""The text of --version: the facts that a bug report needs, found without loading torch or numba."""

import platform
from importlib import metadata

from fourcodec import __version__, devices
from fourcodec.bitstream.container import FORMAT_MAJOR, FORMAT_MINOR
from fourcodec.cache import cache_folder
from fourcodec.threads import thread_count

LIBRARIES = ("numpy", "numba", "torch", "pillow", "imagecodecs")  # names of distributions


def version_text() -> str:
    """Versions of installed packages, threads, CUDA and the cache folder, one line each.

    CUDA is reported by the presence of its driver, since importing torch takes seconds.
    """
    driver = "its driver is installed" if devices.has_driver() else "no driver"
    return "\n".join(
        (
            f"fourcodec {__version__}, file format {FORMAT_MAJOR}.{FORMAT_MINOR}",
            f"Python {platform.python_version()}, {', '.join(map(_library, LIBRARIES))}",
            f"{platform.system()} {platform.machine()}, {thread_count()} threads, CUDA: {driver}",
            f"compiled kernels are kept in {_cache()}",
        )
    )


def _cache() -> str:
    try:
        return str(cache_folder())
    except OSError as exc:
        return f"no folder: {exc}"


def _library(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"no {name}"
