"""The decorators of compiled functions. Every kernel of the package is compiled through them.

    integer_kernel   called from Python or from other integer kernels; integers, or integers that float64 carries
    float_kernel     called from Python only; sums may be reordered (fastmath)
    inline_kernel    called from float kernels only; becomes a part of each caller

All release the GIL. Machine code of the first two is kept on the disk (kernel_cache.py).

A float kernel must not call another by reference: the linker keeps one copy of a function that several kernels
contain, and which copy depends on whether it was compiled in this process or loaded. Copies are optimised in different
surroundings, so that their sums round differently. Inlining leaves no function to choose from. Integer kernels give
the same result from any copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from fourcodec.kernel_cache import KernelCache

Function = Callable[..., Any]


def integer_kernel(function: Function) -> Any:
    """Compiles a function whose arithmetic is exact."""
    return _kept(function)


def float_kernel(function: Function) -> Any:
    """Compiles a function of float32 arithmetic whose sums may be reordered."""
    return _kept(function, fastmath=True)


def inline_kernel(function: Function) -> Any:
    """Compiles a function of float32 arithmetic into each float kernel that calls it."""
    return njit(nogil=True, fastmath=True, error_model="numpy", forceinline=True)(function)


def _kept(function: Any, **options: Any) -> Any:
    # Machine code has its name from here. A process may load code that two others made; numba numbers functions anew in
    # each, so that only the constants tell the variants of one function apart.
    constants = [str(cell.cell_contents) for cell in function.__closure__ or ()]
    function.__qualname__ = "_".join([function.__qualname__, *constants])
    dispatcher = njit(nogil=True, error_model="numpy", **options)(function)
    if dispatcher is not function:  # it is where NUMBA_DISABLE_JIT is set
        dispatcher._cache = KernelCache(function)
    return dispatcher
