"""The Fourier layer, forward and backward, as fused loops over blocks of pixels (numba, one core a call, GIL released).

    y_o = sum_k a_ko cos(2 pi k.x) + b_ko sin(2 pi k.x)  [+ x_o]        k over {0,1}^m

Components of k are 0 or 1, so e^{2 pi i k.x} is a product of some of the m phasors e^{2 pi i x_j}. The low LOW_BITS
bits of k index one small table of products, the high bits another. A chunk of features is the first table times an
entry of the second: it is made in the L1 cache and used at once. The backward pass makes the features again instead of
storing them.

Layout: x (m, N), y (n, N) float32; coefficients (2^m, 2, n) float32: [k, 0, o] = a, [k, 1, o] = b; bit j of the index k
is k_j.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fourcodec.compiling import float_kernel, inline_kernel
from fourcodec.fourier.rows import add_block, load_block, store_block
from fourcodec.fourier.simd import (
    BLOCK,
    accumulate_outputs,
    accumulate_phase_gradients,
    accumulate_weight_gradients,
    expand_features,
    multiply_phasors,
)

LOW_BITS = 3  # a chunk has 8 frequencies, whose features take 12 KB of L1
TWO_PI = np.float32(2 * np.pi)
_PI = np.float32(np.pi)
_ONE = np.float32(1.0)
_LEAST_ANGLE = np.float32(2.0**-60)


@inline_kernel
def fill_phasors(x: Any, start: int, count: int, cosines: Any, sines: Any) -> None:
    """cosines, sines (m, BLOCK) = cos and sin of 2 pi x for `count` pixels of x (m, N) from `start`; the rest of the
    block is the phasor of 0. x is reduced to [-1/2, 1/2] turns, then half the angle goes into a series (error below
    3e-7)."""
    for j in range(x.shape[0]):
        # A view: numba would check an index start + p for its sign, which prevents vectorisation.
        row = x[j, start : start + count]
        for p in range(count):
            turn = row[p]
            z = (turn - np.floor(turn + np.float32(0.5))) * _PI
            # So small an angle changes no sample. But a file made for it could fill sums with subnormal numbers, which
            # some processors add a hundred times slower.
            z = z if abs(z) > _LEAST_ANGLE else np.float32(0.0)
            q = z * z
            s = np.float32(1.6059044e-10)
            s = s * q + np.float32(-2.5052108e-8)
            s = s * q + np.float32(2.7557319e-6)
            s = s * q + np.float32(-1.9841270e-4)
            s = s * q + np.float32(8.3333333e-3)
            s = s * q + np.float32(-1.6666667e-1)
            s = z + z * q * s
            c = np.float32(2.0876757e-9)
            c = c * q + np.float32(-2.7557319e-7)
            c = c * q + np.float32(2.4801587e-5)
            c = c * q + np.float32(-1.3888889e-3)
            c = c * q + np.float32(4.1666667e-2)
            c = c * q + np.float32(-0.5)
            c = np.float32(1.0) + q * c
            cosines[j, p] = np.float32(1.0) - np.float32(2.0) * s * s
            sines[j, p] = np.float32(2.0) * s * c
        for p in range(count, BLOCK):
            cosines[j, p] = np.float32(1.0)
            sines[j, p] = np.float32(0.0)


@inline_kernel
def fill_products(cosines: Any, sines: Any, first: int, bits: int, table: Any) -> None:
    """table[2k], table[2k + 1] = real and imaginary part of the product of those phasors first + j, j < bits, for which
    bit j of k is set; for all k < 2^bits."""
    for p in range(BLOCK):
        table[0, p] = np.float32(1.0)
        table[1, p] = np.float32(0.0)
    for j in range(bits):
        half = 1 << j
        for k in range(half):
            for p in range(BLOCK):
                c, s = cosines[first + j, p], sines[first + j, p]
                re, im = table[2 * k, p], table[2 * k + 1, p]
                table[2 * (half + k), p] = re * c - im * s
                table[2 * (half + k) + 1, p] = re * s + im * c


@inline_kernel
def fill_features(cosines: Any, sines: Any, table: Any, features: Any) -> None:
    """features[2k], features[2k + 1] = cosine and sine feature of frequency k of a product table
    (fourier/frequencies.py)."""
    features[0, :] = _ONE
    features[1, :] = np.float32(0.0)
    expand_features(cosines, sines, table, table.shape[0], features)


@inline_kernel
def add_marginals(gradients: Any, bits: int, first: int, dx: Any) -> None:
    """dx[first + j, :] += 2 pi * sum of gradients[k, :] over all k with bit j set. Overwrites `gradients`: each bit is
    summed out in turn."""
    for j in range(bits - 1, -1, -1):
        half = 1 << j
        for k in range(half):
            for p in range(BLOCK):
                upper = gradients[half + k, p]
                dx[first + j, p] += TWO_PI * upper
                gradients[k, p] += upper


class LayerKernels(NamedTuple):
    """The two kernels of a layer. Both work on the pixels start..stop-1.

        forward(x, w, residual, start, stop, y)
        backward(x, w, residual, start, stop, dy, dx, dw)

    x: (m, N), y: (n, N), w: flat, all float32. dy is the gradient by y. backward writes dx, the gradient by x (an array
    of 0 rows leaves it out), and adds the gradient by w to dw.
    """

    forward: Callable[..., None]
    backward: Callable[..., None]


@functools.cache
def layer_kernels(n: int) -> LayerKernels:
    """Kernels for layers of `n` outputs, compiled on first call and cached on disk."""
    outputs = n

    @float_kernel
    def forward(x: Any, w: Any, residual: bool, start: int, stop: int, y: Any) -> None:
        m = x.shape[0]
        low_bits = min(m, LOW_BITS)
        high_bits = m - low_bits
        count = 1 << low_bits
        cosines, sines = np.empty((m, BLOCK), np.float32), np.empty((m, BLOCK), np.float32)
        low, high = np.empty((2 * count, BLOCK), np.float32), np.empty((2 << high_bits, BLOCK), np.float32)
        features, out = np.empty((2 * count, BLOCK), np.float32), np.empty((outputs, BLOCK), np.float32)
        for at in range(start, stop, BLOCK):
            size = min(BLOCK, stop - at)
            fill_phasors(x, at, size, cosines, sines)
            fill_products(cosines, sines, 0, low_bits, low)
            fill_products(cosines, sines, low_bits, high_bits, high)
            out[:] = np.float32(0.0)
            accumulate_outputs(out, low, w, 0, 2 * count, outputs)
            for h in range(1, 1 << high_bits):
                multiply_phasors(low, high, h, features, count)
                accumulate_outputs(out, features, w, h * 2 * count * outputs, 2 * count, outputs)
            if residual:
                add_block(x, at, size, out)
            store_block(out, at, size, y)

    @float_kernel
    def backward(x: Any, w: Any, residual: bool, start: int, stop: int, dy: Any, dx: Any, dw: Any) -> None:
        m = x.shape[0]
        low_bits = min(m, LOW_BITS)
        high_bits = m - low_bits
        count = 1 << low_bits
        cosines, sines = np.empty((m, BLOCK), np.float32), np.empty((m, BLOCK), np.float32)
        low, high = np.empty((2 * count, BLOCK), np.float32), np.empty((2 << high_bits, BLOCK), np.float32)
        low_gradients, high_gradients = (
            np.empty((count, BLOCK), np.float32),
            np.empty((1 << high_bits, BLOCK), np.float32),
        )
        features, dy_block = np.empty((2 * count, BLOCK), np.float32), np.zeros((outputs, BLOCK), np.float32)
        back = np.empty((m, BLOCK), np.float32)
        for at in range(start, stop, BLOCK):
            size = min(BLOCK, stop - at)
            fill_phasors(x, at, size, cosines, sines)
            fill_products(cosines, sines, 0, low_bits, low)
            fill_products(cosines, sines, low_bits, high_bits, high)
            load_block(dy, at, size, _ONE, dy_block)
            low_gradients[:] = np.float32(0.0)
            high_gradients[:] = np.float32(0.0)
            for h in range(1 << high_bits):
                multiply_phasors(low, high, h, features, count)
                offset = h * 2 * count * outputs
                accumulate_weight_gradients(dw, offset, dy_block, features, 2 * count, outputs)
                if dx.shape[0]:
                    accumulate_phase_gradients(
                        low_gradients, high_gradients, h * BLOCK, dy_block, features, w, offset, count, outputs
                    )
            if dx.shape[0]:
                back[:] = np.float32(0.0)
                add_marginals(low_gradients, low_bits, 0, back)
                add_marginals(high_gradients, high_bits, low_bits, back)
                if residual:
                    back += dy_block
                store_block(back, at, size, dx)

    return LayerKernels(forward, backward)
