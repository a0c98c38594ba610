"""Kernels that a wheel carries, compiled ahead for levels of the x86-64 instruction set: the first command on a machine
then compiles nothing.

tools/ship_kernels.py makes an archive for each level. It fits one minor version of Python and one version of numba,
llvmlite and numpy; where none fits, kernels are compiled as in a checkout, which carries none. Unpickling a kernel runs
code, so an archive is trusted as much as the modules beside it.
"""

from __future__ import annotations

import functools
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core import config

FOLDER = Path(__file__).parent / "shipped"
# The settings of numba that change the code it makes, beside the target.
SETTINGS = ("OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DISABLE_INTEL_SVML")
_V2 = [
    "64bit",
    "cx8",
    "cmov",
    "fxsr",
    "mmx",
    "sse",
    "sse2",
    "cx16",
    "popcnt",
    "sahf",
    "sse3",
    "sse4.1",
    "sse4.2",
    "ssse3",
]
_V3 = [*_V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"]
# LLVM's name of a level, and the features of a processor that has it; the best first.
LEVELS = {
    "x86-64-v4": (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"),
    "x86-64-v3": tuple(_V3),
}


def archive_name(level: str) -> str:
    """The file name of the archive of a level that the Python and the libraries of this process can load."""
    versions = sys.implementation.cache_tag, numba.__version__, llvmlite.__version__, np.__version__.split(".")[0]
    facts = repr((versions, settings()))
    return f"{level}-{sys.implementation.cache_tag}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}.zip"


def settings() -> list[tuple[str, object]]:
    """The settings of numba in this process that change the code it makes."""
    return [(name, getattr(config, name, None)) for name in SETTINGS]


def has(level: str) -> bool:
    """Returns True where this processor has all that code for a level uses."""
    found = llvm.get_host_cpu_features()
    return all(found.get(feature, False) for feature in LEVELS[level])


def read(name: str) -> bytes | None:
    """The compiled code of the kernel with this file name (kernel_cache.py); None where no archive has it."""
    archive = _archive()
    if archive is None:
        return None
    try:
        return archive.read(name)
    except (KeyError, zipfile.BadZipFile):
        return None


@functools.cache
def _archive() -> zipfile.ZipFile | None:
    """The archive for this processor, in memory: processes that are forked share no place in a file."""
    if config.CPU_NAME is not None or config.CPU_FEATURES is not None:  # somebody has chosen the target
        return None
    for level in LEVELS:
        path = FOLDER / archive_name(level)
        try:
            if path.exists() and has(level):
                return zipfile.ZipFile(io.BytesIO(path.read_bytes()))
        except (OSError, zipfile.BadZipFile):
            continue
    return None
