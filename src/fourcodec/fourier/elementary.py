"""exp2 and log2 of float32 as short polynomials without branches, so that LLVM vectorises the numba loops that call
them."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LOG2_E = np.float32(1.4426950)
LN_2 = np.float32(0.69314718)


@intrinsic
def float_of_bits(typingctx, bits):  # type: ignore[no-untyped-def]
    """The float32 whose bits are an int32."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), codegen


@intrinsic
def bits_of_float(typingctx, value):  # type: ignore[no-untyped-def]
    """The bits of a float32, as int32."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), codegen


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
    return p * float_of_bits((np.int32(whole) + np.int32(127)) << np.int32(23))


@njit(nogil=True, fastmath=True, inline="always", error_model="numpy")
def log2(x):  # type: ignore[no-untyped-def]
    """log2(x) for a normal float32 x > 0, with an absolute error below 2e-7 near x = 1."""
    bits = bits_of_float(x)
    # This exponent leaves a mantissa in [0.707, 1.414), where the series below needs few terms.
    exponent = (bits - np.int32(0x3F3504F3)) >> np.int32(23)
    m = float_of_bits(bits - (exponent << np.int32(23)))
    t = (m - np.float32(1.0)) / (m + np.float32(1.0))
    q = t * t
    s = np.float32(0.32059890)
    s = s * q + np.float32(0.41219859)
    s = s * q + np.float32(0.57707802)
    s = s * q + np.float32(0.96179669)
    s = s * q + np.float32(2.8853901)
    return t * s + np.float32(exponent)
