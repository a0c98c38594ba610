"""The Fourier layer of limited order, forward and backward (numba, one core a call, GIL released).

    y_o = sum_k a_ko cos(2 pi k.x) + b_ko sin(2 pi k.x)  [+ x_o]        k over {0,1}^m, of order <= `order`

Each feature is an earlier feature times one phasor (fourier/frequencies.py). A block's features, a few hundred rows,
stay in the L2 cache. The layout is that of fourier/layer.py, with K pairs of coefficients in place of 2^m.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from fourcodec.compiling import float_kernel
from fourcodec.fourier.frequencies import product_table
from fourcodec.fourier.layer import TWO_PI, LayerKernels, fill_features, fill_phasors
from fourcodec.fourier.layout import BLOCK
from fourcodec.fourier.rows import add_block, load_block, store_block
from fourcodec.fourier.simd import (
    accumulate_outputs,
    accumulate_phase_gradients,
    accumulate_weight_gradients,
    fold_products,
)

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_TALL = 4  # the tiles of simd.py take so many features at once: their number is rounded up to a multiple, with zeros


@functools.cache
def limited_kernels(m: int, order: int, outputs: int) -> LayerKernels:
    """Kernels for layers m -> outputs of this order, compiled on first call for each number of outputs and cached on
    disk."""
    table = product_table(m, order)
    run_forward, run_backward = _build(outputs)

    def forward(x: Any, w: Any, residual: bool, start: int, stop: int, y: Any) -> None:
        run_forward(x, w, table, residual, start, stop, y)

    def backward(x: Any, w: Any, residual: bool, start: int, stop: int, dy: Any, dx: Any, dw: Any) -> None:
        run_backward(x, w, table, residual, start, stop, dy, dx, dw)

    return LayerKernels(forward, backward)


@functools.cache
def _build(n: int) -> tuple[Callable[..., None], Callable[..., None]]:
    outputs = n

    @float_kernel
    def forward(x: Any, w: Any, table: Any, residual: bool, start: int, stop: int, y: Any) -> None:
        m, rows = x.shape[0], 2 * table.shape[0]
        cosines, sines = np.empty((m, BLOCK), np.float32), np.empty((m, BLOCK), np.float32)
        features, out = np.empty((rows, BLOCK), np.float32), np.empty((outputs, BLOCK), np.float32)
        for at in range(start, stop, BLOCK):
            size = min(BLOCK, stop - at)
            fill_phasors(x, at, size, cosines, sines)
            fill_features(cosines, sines, table, features)
            out[:] = _ZERO
            accumulate_outputs(out, features, w, 0, rows, outputs)
            if residual:
                add_block(x, at, size, out)
            store_block(out, at, size, y)

    @float_kernel
    def backward(x: Any, w: Any, table: Any, residual: bool, start: int, stop: int, dy: Any, dx: Any, dw: Any) -> None:
        m = x.shape[0]
        count = (table.shape[0] + _TALL - 1) // _TALL * _TALL
        weights, gradients = np.zeros(2 * count * outputs, np.float32), np.zeros(2 * count * outputs, np.float32)
        weights[: w.shape[0]] = w
        cosines, sines = np.empty((m, BLOCK), np.float32), np.empty((m, BLOCK), np.float32)
        features, dy_block = np.zeros((2 * count, BLOCK), np.float32), np.zeros((outputs, BLOCK), np.float32)
        angle_gradients, total = np.empty((count, BLOCK), np.float32), np.empty((1, BLOCK), np.float32)
        back = np.empty((m, BLOCK), np.float32)
        for at in range(start, stop, BLOCK):
            size = min(BLOCK, stop - at)
            fill_phasors(x, at, size, cosines, sines)
            fill_features(cosines, sines, table, features)
            load_block(dy, at, size, _ONE, dy_block)
            accumulate_weight_gradients(gradients, 0, dy_block, features, 2 * count, outputs)
            if dx.shape[0]:
                angle_gradients[:] = _ZERO
                total[:] = _ZERO
                accumulate_phase_gradients(angle_gradients, total, 0, dy_block, features, weights, 0, count, outputs)
                back[:] = _ZERO
                fold_products(angle_gradients, table, table.shape[0], back)
                back *= TWO_PI
                if residual:
                    back += dy_block
                store_block(back, at, size, dx)
        for i in range(dw.shape[0]):
            dw[i] += gradients[i]

    return forward, backward
