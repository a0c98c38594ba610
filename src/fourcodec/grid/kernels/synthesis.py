"""The synthesis of the profile grid: two Fourier layers of limited order and a linear path, forward and backward, fused
over blocks of positions (numba, GIL released).

    h = F1(s x) + s x        colour = F2(h) + B x        F(x) = sum_k a_k cos(2 pi k.x) + b_k sin(2 pi k.x)

x (m, N) are the upsampled latents, s is the phase scale. k runs over the frequencies of {0,1}^m of order <= `order`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fourcodec.compiling import float_kernel
from fourcodec.fourier.frequencies import phasors_held, product_table
from fourcodec.fourier.layer import TWO_PI, fill_features, fill_phasors
from fourcodec.fourier.layout import BLOCK
from fourcodec.fourier.rows import load_block, store_block
from fourcodec.fourier.simd import accumulate_outputs, accumulate_weight_gradients, fold_gradients
from fourcodec.grid.kernels.sampling import ALL, in_sample

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


class SynthesisKernels(NamedTuple):
    """The two kernels of a synthesis. Both work on positions start..stop-1.

        forward(x, w1, w2, scale, start, stop, y)
        backward(x, w1, w2, scale, start, stop, sample, dy, dx, dw1, dw2)

    x: (m, N), y: (channels, N), float32. w1 (R, m) and w2 (R + P, channels), flat: rows 2k and 2k + 1 are a_k and b_k,
    the last P rows of w2 are B. R is 2K for K frequencies and P is m, both rounded up to multiples of 4. scale is s. dy
    is the gradient by y; backward writes dx, the gradient by x, and adds those by w1 and w2 to dw1 and dw2, from the
    blocks in `sample` alone (kernels/sampling.py).
    """

    forward: Callable[..., None]
    backward: Callable[..., None]


@functools.cache
def synthesis_kernels(m: int, order: int, channels: int) -> SynthesisKernels:
    """Kernels for m features, frequencies of order <= `order` and this number of channels, compiled on first call and
    cached on disk."""
    table, held = product_table(m, order), phasors_held(m, order).astype(np.float32).ravel()
    rows = -(-2 * len(table) // 4) * 4
    both = rows + -(-m // 4) * 4
    # A decoder never compiles the gradients, which take two thirds of the time.
    values, gradients_of = (_build(m, channels, rows, both, backwards) for backwards in (0, 1))
    none, nothing = np.empty(0, np.float32), np.empty((0, 0), np.float32)

    def forward(x: Any, w1: Any, w2: Any, scale: Any, start: int, stop: int, y: Any) -> None:
        values(x, w1, w2, scale, table, held, start, stop, ALL, y, nothing, none, none)

    def backward(x: Any, w1: Any, w2: Any, scale: Any, start: int, stop: int, sample: int, *gradients: Any) -> None:
        gradients_of(x, w1, w2, scale, table, held, start, stop, sample, *gradients)

    return SynthesisKernels(forward, backward)


@functools.cache
def _build(m: int, channels: int, rows: int, both: int, backwards: int) -> Callable[..., None]:
    inputs, outputs, all_rows, first_rows, gradients = m, channels, both, rows, backwards

    # One function for both directions, of which each kernel has one: machine code is named by the integers that a
    # kernel is built with.
    @float_kernel
    def kernel(
        x: Any,
        w1: Any,
        w2: Any,
        scale: Any,
        table: Any,
        held: Any,
        start: int,
        stop: int,
        sample: int,
        y: Any,
        dx: Any,
        dw1: Any,
        dw2: Any,
    ) -> None:
        """y is the result, or the gradient by it where the kernel is for gradients."""
        f1, f2 = np.zeros((first_rows, BLOCK), np.float32), np.zeros((all_rows, BLOCK), np.float32)
        cosines, sines = np.empty((inputs, BLOCK), np.float32), np.empty((inputs, BLOCK), np.float32)
        hidden, out = np.empty((inputs, BLOCK), np.float32), np.empty((outputs, BLOCK), np.float32)
        back_hidden, back = np.empty((inputs, BLOCK), np.float32), np.empty((inputs, BLOCK), np.float32)
        for at in range(start, stop, BLOCK):
            size = min(BLOCK, stop - at)
            load_block(x, at, size, scale, hidden)
            fill_phasors(hidden, 0, BLOCK, cosines, sines)
            fill_features(cosines, sines, table, f1)
            accumulate_outputs(hidden, f1, w1, 0, first_rows, inputs)
            fill_phasors(hidden, 0, BLOCK, cosines, sines)
            fill_features(cosines, sines, table, f2)
            load_block(x, at, size, _ONE, f2[first_rows : first_rows + inputs])
            if gradients == 0:
                out[:] = _ZERO
                accumulate_outputs(out, f2, w2, 0, all_rows, outputs)
                store_block(out, at, size, y)
                continue
            load_block(y, at, size, _ONE, out)
            sampled = in_sample(at, sample)
            if sampled:
                accumulate_weight_gradients(dw2, 0, out, f2, all_rows, outputs)
            back_hidden[:] = _ZERO
            fold_gradients(out, f2, w2, held, table.shape[0], back_hidden, outputs, inputs)
            back_hidden *= TWO_PI
            if sampled:
                accumulate_weight_gradients(dw1, 0, back_hidden, f1, first_rows, inputs)
            back[:] = back_hidden / TWO_PI
            fold_gradients(back_hidden, f1, w1, held, table.shape[0], back, inputs, inputs)
            for j in range(inputs):
                row = dx[j, at : at + size]
                for i in range(size):
                    row[i] = scale * TWO_PI * back[j, i]
                for c in range(outputs):
                    straight, weight = out[c], w2[(first_rows + j) * outputs + c]
                    for i in range(size):
                        row[i] += weight * straight[i]

    return kernel  # type: ignore[no-any-return]
