"""Compiled kernels on the disk: one file for each kernel and signature, in a folder that only this user can change.

numba's own cache is not used, for three reasons. Its index is one file for all signatures, which two processes that
compile at the same time overwrite. A damaged or unwritable index ends the program. Changes in modules that a kernel
imports go unnoticed.

Kernels that come with the package (shipped_kernels.py) are taken first, and never compiled again: what was computed
once is computed by the same code the next time.

A file holds a SHA-256 sum and the compiled code as numba pickles it. Unpickling runs code, so nobody else may be able
to write the folder or the file (fourcodec.cache). A damaged file is replaced. Where no folder can be used, kernels are
compiled in memory, and one line on stderr says so.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import pickle
import platform
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.runtime import _nrt_python as numba_runtime
from numba.core.serialize import dumps

import fourcodec
from fourcodec import shipped_kernels
from fourcodec.cache import VARIABLE, check_private, private_folder

COMPILING = "compiling kernels for this processor; this takes some seconds"
NOT_CACHED = "compiled kernels are not kept, and every start takes longer: {reason} ({variable} names another folder)"
_DIGEST_BYTES = hashlib.sha256().digest_size
_PACKAGE = Path(fourcodec.__file__).parent
_IMPORT = re.compile(r"^from (fourcodec[\w.]*) import (\([^)]*\)|.*)$", re.MULTILINE)


class KernelCache(_Cache):  # type: ignore[misc]
    """A cache of the compiled code of one function, with the interface that numba's dispatcher expects."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self._enabled = function, True

    @property
    def cache_path(self) -> str | None:
        """The folder of the cache; None where code is compiled in memory."""
        folder = kernel_folder()
        return None if folder is None else str(folder)

    def enable(self) -> None:
        """Lets code be loaded and saved, as at the start."""
        self._enabled = True

    def disable(self) -> None:
        """Stops loading and saving."""
        self._enabled = False

    def flush(self) -> None:
        """Does nothing: code is written when it is saved."""

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """The compiled code for a signature; None where there is no usable file.

        numba's own cache calls `target_context.refresh()` first, which imports all that a compilation may need, scipy
        too where it is installed, and takes half a second. Loaded code needs numba's runtime alone; a compilation
        refreshes by itself.
        """
        _register_runtime()
        name = self._name(sig)
        for read in (shipped_kernels.read, _kept) if self._enabled else ():
            # These are the bytes that were written. If numba still cannot read them, it compiles.
            with suppress(Exception):
                if (payload := read(name)) is not None:
                    return CompileResult._rebuild(target_context, *pickle.loads(payload))
        _warn_once(COMPILING if kernel_folder() is None else f"{COMPILING}, once")
        return None

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        """Writes compiled code to the folder, if there is one. Code that holds addresses of this process is not
        written."""
        if not self._enabled or data.library.has_dynamic_globals or data.lifted:
            return
        if (folder := kernel_folder()) is None:
            return
        try:
            _write(folder / self._name(sig), dumps(data._reduce()))
        except OSError as exc:
            _warn_once(NOT_CACHED.format(reason=f"{exc.strerror or exc} in {str(folder)!r}", variable=VARIABLE))

    def _name(self, sig: Any) -> str:
        """A file name that depends on the kernel, the types of its arguments, the constants in its closure, and its
        source."""
        function = self._function
        constants = [cell.cell_contents for cell in function.__closure__ or ()]
        if not all(isinstance(constant, int) for constant in constants):
            raise TypeError(f"{function.__qualname__} is made with something else than integers: {constants}")
        facts = repr((sig, constants, source_digest(function.__module__)))
        readable = re.sub(r"[^\w.]", "", f"{function.__module__.removeprefix('fourcodec.')}.{function.__name__}")
        return f"{readable}-{hashlib.sha256(facts.encode()).hexdigest()[:20]}.kernel"


@functools.cache
def _register_runtime() -> None:
    """Gives LLVM the addresses of numba's runtime in C, which code from the disk refers to.

    numba's `rtsys.initialize` does the same, and then compiles the rest of the runtime, which code on the disk has.
    """
    for name, address in numba_runtime.c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


@functools.cache
def kernel_folder() -> Path | None:
    """The folder of this processor's kernels; None, with a line on stderr, where no folder can be used."""
    try:
        return private_folder(folder_name())
    except OSError as exc:
        reason = f"{exc.strerror}: {exc.filename!r}" if exc.strerror else str(exc)
        _warn_once(NOT_CACHED.format(reason=reason, variable=VARIABLE))
        return None


@functools.cache
def folder_name() -> str:
    """A folder name that differs between processors and between versions of Python, numba, llvmlite and numpy."""
    from numba.core.registry import cpu_target

    machine = cpu_target.target_context.codegen().magic_tuple()
    versions = (fourcodec.__version__, numba.__version__, llvmlite.__version__, np.__version__, sys.version)
    facts = repr((machine, versions, platform.python_implementation(), shipped_kernels.settings()))
    return f"kernels-{hashlib.sha256(facts.encode()).hexdigest()[:16]}"


@functools.cache
def source_digest(module: str) -> str:
    """SHA-256, hexadecimal, over the text of a module and of all modules of the package that it imports, directly or
    not."""
    names, pending = set(), [module]
    while pending:
        name = pending.pop()
        if name in names:
            continue
        names.add(name)
        for package, imported in _IMPORT.findall(_source(name)):
            parts = re.findall(r"\w+", imported.split("#")[0])
            pending += [package, *(f"{package}.{part}" for part in parts if _source(f"{package}.{part}"))]
    texts = "".join(f"{name}\n{_source(name)}" for name in sorted(names))
    return hashlib.sha256(texts.encode()).hexdigest()


@functools.cache
def _source(module: str) -> str:
    """The text of a module of the package; empty where there is no such module."""
    path = _PACKAGE.parent.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        with suppress(OSError):
            return candidate.read_text(encoding="utf-8")
    return ""


def _kept(name: str) -> bytes | None:
    """The code that was compiled and kept under this file name, if there is any."""
    folder = kernel_folder()
    return None if folder is None else _read(folder / name)


def _write(path: Path, payload: bytes) -> None:
    """Writes a payload with its checksum, the inverse of `_read`. Other processes see the whole file or none.

    Raises OSError.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")  # mode 0600
    try:
        with open(handle, "wb") as file:
            file.write(hashlib.sha256(payload).digest())
            file.write(payload)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _read(path: Path) -> bytes | None:
    """The payload given to `_write`; None where the file is missing, damaged, or can be changed by other users."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NOFOLLOW", 0))) as file:
            check_private(os.fstat(file.fileno()), path)
            data = file.read()
    except OSError:
        return None
    payload = data[_DIGEST_BYTES:]
    return payload if hashlib.sha256(payload).digest() == data[:_DIGEST_BYTES] else None


@functools.cache
def _warn_once(message: str) -> None:
    # A warning is shown on stderr even where logging is not set up, and a program that embeds the package can silence
    # it.
    logging.getLogger("fourcodec").warning(message)
