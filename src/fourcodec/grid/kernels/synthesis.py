"""The grid profile's synthesis: two Fourier layers over a reduced set of frequencies, forward and backward, fused over
blocks of positions (numba, GIL released).

    h = F1(s x) + s x        colour = F2(h) + B x        F(x) = sum_k a_k cos(2 pi k.x) + b_k sin(2 pi k.x)

x (m, N): the upsampled latents; k over the vectors of {0,1}^m with at most `order` ones (all of them for order = m).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fourcodec.compiling import float_kernel
from fourcodec.fourier.frequencies import phasors_held, product_table
from fourcodec.fourier.layer import TWO_PI, _fill_features, _fill_phasors
from fourcodec.fourier.layout import BLOCK
from fourcodec.fourier.rows import load_block, store_block
from fourcodec.fourier.simd import accumulate_outputs, accumulate_weight_gradients, fold_slopes

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


class SynthesisKernels(NamedTuple):
    """forward(x, w1, w2, scale, start, stop, y); backward(x, w1, w2, scale, start, stop, dy, dx, dw1, dw2).

    w1 (R, m) and w2 (R + P, channels) float32, flat: rows 2k, 2k + 1 are a_k, b_k; the last P rows of w2 weigh x.
    backward writes dx and adds to dw1, dw2. R is 2K for K frequencies and P is m, both rounded up to multiples of 4.
    """

    forward: Callable[..., None]
    backward: Callable[..., None]


@functools.cache
def synthesis_kernels(m: int, order: int, channels: int) -> SynthesisKernels:
    """Compiled on first call and cached on disk."""
    table, held = product_table(m, order), phasors_held(m, order).astype(np.float32).ravel()
    rows = -(-2 * len(table) // 4) * 4
    kernel = _build(m, channels, rows, rows + -(-m // 4) * 4)
    none, nothing = np.empty(0, np.float32), np.empty((0, 0), np.float32)

    def forward(x: Any, w1: Any, w2: Any, scale: Any, start: int, stop: int, y: Any) -> None:
        kernel(x, w1, w2, scale, table, held, start, stop, False, y, nothing, none, none)

    def backward(x: Any, w1: Any, w2: Any, scale: Any, start: int, stop: int, *slopes: Any) -> None:
        kernel(x, w1, w2, scale, table, held, start, stop, True, *slopes)

    return SynthesisKernels(forward, backward)


@functools.cache
def _build(m: int, channels: int, rows: int, both: int) -> Callable[..., None]:
    inputs, outputs, all_rows, first_rows = m, channels, both, rows

    # Both ways in one function: a kernel is made with integers alone, which name its code on the disk.
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
        backwards: bool,
        y: Any,
        dx: Any,
        dw1: Any,
        dw2: Any,
    ) -> None:
        """y is the result, or backwards its slopes."""
        f1, f2 = np.zeros((first_rows, BLOCK), np.float32), np.zeros((all_rows, BLOCK), np.float32)
        cosines, sines = np.empty((inputs, BLOCK), np.float32), np.empty((inputs, BLOCK), np.float32)
        hidden, out = np.empty((inputs, BLOCK), np.float32), np.empty((outputs, BLOCK), np.float32)
        back_hidden, back = np.empty((inputs, BLOCK), np.float32), np.empty((inputs, BLOCK), np.float32)
        for at in range(start, stop, BLOCK):
            size = min(BLOCK, stop - at)
            load_block(x, at, size, scale, hidden)
            _fill_phasors(hidden, 0, BLOCK, cosines, sines)
            _fill_features(cosines, sines, table, f1)
            accumulate_outputs(hidden, f1, w1, 0, first_rows, inputs)
            _fill_phasors(hidden, 0, BLOCK, cosines, sines)
            _fill_features(cosines, sines, table, f2)
            load_block(x, at, size, _ONE, f2[first_rows : first_rows + inputs])
            if not backwards:
                out[:] = _ZERO
                accumulate_outputs(out, f2, w2, 0, all_rows, outputs)
                store_block(out, at, size, y)
                continue
            load_block(y, at, size, _ONE, out)
            accumulate_weight_gradients(dw2, 0, out, f2, all_rows, outputs)
            back_hidden[:] = _ZERO
            fold_slopes(out, f2, w2, held, table.shape[0], back_hidden, outputs, inputs)
            back_hidden *= TWO_PI
            accumulate_weight_gradients(dw1, 0, back_hidden, f1, first_rows, inputs)
            back[:] = back_hidden / TWO_PI
            fold_slopes(back_hidden, f1, w1, held, table.shape[0], back, inputs, inputs)
            for j in range(inputs):
                row = dx[j, at : at + size]
                for i in range(size):
                    row[i] = scale * TWO_PI * back[j, i]
                for c in range(outputs):
                    straight, weight = out[c], w2[(first_rows + j) * outputs + c]
                    for i in range(size):
                        row[i] += weight * straight[i]

    return kernel  # type: ignore[no-any-return]
