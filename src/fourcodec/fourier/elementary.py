"""exp2 and log2 of float32 as short polynomials without branches, so that LLVM vectorises the numba loops that call
them."""

from __future__ import annotations

import numpy as np
from numba import njit

LOG2_E = np.float32(1.4426950)
LN_2 = np.float32(0.69314718)


@njit(nogil=True, fastmath=True, inline="always", error_model="numpy")
def exp2(x):  # type: ignore[no-untyped-def]
    """2^x with a relative error below 3e-7; x is first clamped to [-126, 126]."""
    x = min(max(x, np.float32(-126.0)), np.float32(126.0))
    whole = np.floor(x + np.float32(0.5))
    f = x - whole
    p = np.float32(1.5403530e-4)
    p = p * f + np.float32(1.3333558e-3)
    p = p * f + np.float32(9.6181291e-3)
    p = p * f + np.float32(5.5504109e-2)
    p = p * f + np.float32(2.4022651e-1)
    p = p * f + np.float32(6.9314718e-1)
    p = p * f + np.float32(1.0)
    return p * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@njit(nogil=True, fastmath=True, inline="always", error_model="numpy")
def log2(x):  # type: ignore[no-untyped-def]
    """log2(x) for a normal float32 x > 0, with an absolute error below 2e-7 near x = 1."""
    bits = np.float32(x).view(np.int32)
    # This exponent leaves a mantissa in [0.707, 1.414), where the series below needs few terms.
    exponent = (bits - np.int32(0x3F3504F3)) >> np.int32(23)
    m = np.int32(bits - (exponent << np.int32(23))).view(np.float32)
    t = (m - np.float32(1.0)) / (m + np.float32(1.0))
    q = t * t
    s = np.float32(0.32059890)
    s = s * q + np.float32(0.41219859)
    s = s * q + np.float32(0.57707802)
    s = s * q + np.float32(0.96179669)
    s = s * q + np.float32(2.8853901)
    return t * s + np.float32(exponent)
