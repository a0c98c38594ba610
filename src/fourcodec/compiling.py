"""The decorators of compiled functions. Every kernel of the package is compiled through one of them.

    integer_kernel   called from Python or from other integer kernels; integer arithmetic, also of integers in float64
    float_kernel     called from Python only; sums may be reordered (fastmath)
    inline_kernel    called from float kernels only; becomes a part of each caller

All three release the GIL. Machine code of the first two is cached on the disk (kernel_cache.py).

A float kernel must not call another float kernel. Where several kernels contain the same function, the linker keeps one
of the copies, and which one depends on whether the code was compiled in this process or loaded from the cache. Each
copy was optimised inside another caller, so its sums round differently. An inlined function has no copies to choose
from. Any copy of an integer kernel gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from fourcodec.kernel_cache import KernelCache

Function = Callable[..., Any]


def integer_kernel(function: Function) -> Any:
    """Compiles a function whose arithmetic is exact, with caching."""
    return _cached(function)


def float_kernel(function: Function) -> Any:
    """Compiles a function of float32 arithmetic whose sums may be reordered (fastmath), with caching."""
    return _cached(function, fastmath=True)


def inline_kernel(function: Function) -> Any:
    """Compiles a function of float32 arithmetic into each float kernel that calls it."""
    return njit(nogil=True, fastmath=True, error_model="numpy", forceinline=True)(function)


def _cached(function: Any, **options: Any) -> Any:
    # Machine code is named after __qualname__. A process may load code that two other processes compiled. numba numbers
    # functions in each process separately, so only the closure's constants tell variants of one function apart.
    constants = [str(cell.cell_contents) for cell in function.__closure__ or ()]
    function.__qualname__ = "_".join([function.__qualname__, *constants])
    dispatcher = njit(nogil=True, error_model="numpy", **options)(function)
    if dispatcher is not function:  # njit returns the function itself where NUMBA_DISABLE_JIT is set
        dispatcher._cache = KernelCache(function)
    return dispatcher
