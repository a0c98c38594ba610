"""The entropy model as a decoder runs it: the network of entropy_model.py in integers, equal on every machine.

Weights, taps and hidden values are integers carried in float64. Every sum stays below 2^53 (see EntropyModelIntegers)
and is exact: neither the order of additions nor a fused multiply-add can change it.

    h1 = f(taps W1)    h2 = f(h1 W2 + b2)    (mean, log2 scale) = h2 W3[:HIDDEN] + (taps << FRACTION) W3[HIDDEN:]

Each W is an integer matrix times 2^-shift. f brings a sum to units of 2^-FRACTION, rounds down and clamps to
0..HIDDEN_MAX.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fourcodec.coding.distributions import LOG_SCALE_MIN, MEAN_STEPS, SCALE_STEPS
from fourcodec.coding.laplace_coder import SCALES
from fourcodec.compiling import integer_kernel
from fourcodec.fourier.layout import BLOCK
from fourcodec.grid.kernels.layout import B2, HIDDEN, TAPS, W2, W3

FRACTION = 8  # fractional bits of hidden values
HIDDEN_MAX = float(2**24)
MAX_LATENT = 2**15 - 1
# 16 hidden values of 2^24, or 28 taps of 2^23, times layout.MAX_WEIGHT are below 2^44 each.
_FARTHEST = float(MAX_LATENT * MEAN_STEPS)  # the largest mean: no latent lies beyond
MAX_SHIFT = 20  # of weights; shifts only divide, so they let no sum grow


@integer_kernel
def _relu_and_scale(row: Any, factor: float) -> None:
    """The function f of the module's formula, in place."""
    for i in range(BLOCK):
        row[i] = min(max(np.floor(row[i] * factor), 0.0), HIDDEN_MAX)


@integer_kernel
def _add(rows: Any, weights: Any, more_weights: Any, out: Any, more: Any) -> None:
    """out (BLOCK,) += weights (n,) times rows (n, BLOCK); more += more_weights times rows. n is a multiple of 4. It
    takes four rows and two sums at once, since most of the time goes into loading rows and storing sums."""
    for k in range(0, rows.shape[0], 4):
        a, b, c, d = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        s, t, u, v = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        w, x, y, z = more_weights[k], more_weights[k + 1], more_weights[k + 2], more_weights[k + 3]
        for i in range(BLOCK):
            out[i] += (s * a[i] + t * b[i]) + (u * c[i] + v * d[i])
            more[i] += (w * a[i] + x * b[i]) + (y * c[i] + z * d[i])


# Loops, where numpy has an expression for it: numba takes seconds to compile those.
@integer_kernel
def _fill(row: Any, value: float) -> None:
    for i in range(len(row)):
        row[i] = value


@integer_kernel
def _transpose(flat: Any, out: Any) -> None:
    """out (m, n) from the rows of its transpose, flat (n * m,)."""
    for j in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[j, k] = flat[k * out.shape[0] + j]


@integer_kernel
def predict(
    planes: Any,
    tap_planes: Any,
    tap_offsets: Any,
    weights: Any,
    factors: Any,
    start: int,
    stop: int,
    means: Any,
    scales: Any,
) -> None:
    """Fills in means and scales (total,) int64, as laplace_coder takes them, at positions start..stop-1 of one pass and
    up to the end of their last block.

    planes: (planes, total) float32 holding integers. tap_planes, tap_offsets: (TAPS,) int64. weights: (PASS_WEIGHTS,)
    float64 holding integers. factors: (4,) float64, powers of two that bring the sums of both hidden layers to units of
    2^-FRACTION, means to 1 / MEAN_STEPS and log2 scales to 1 / SCALE_STEPS.
    """
    taps, one = np.zeros((TAPS, BLOCK)), float(2**FRACTION)
    h1, h2, out = np.empty((HIDDEN, BLOCK)), np.empty((HIDDEN, BLOCK)), np.empty((2, BLOCK))
    _fill(taps[0], 1.0)
    first_layer, second_layer = np.empty((HIDDEN, TAPS)), np.empty((HIDDEN, HIDDEN))
    last_layer = np.empty((2, HIDDEN + TAPS))
    _transpose(weights[:W2], first_layer)
    _transpose(weights[W2:B2], second_layer)
    _transpose(weights[W3:], last_layer)
    for j in range(2):
        for k in range(HIDDEN, HIDDEN + TAPS):
            last_layer[j, k] *= one
    for at in range(start, stop, BLOCK):
        for k in range(1, TAPS):
            if tap_planes[k] >= 0:
                first = at + tap_offsets[k]
                row, tap = planes[tap_planes[k], first : first + BLOCK], taps[k]
                for i in range(BLOCK):
                    tap[i] = row[i]
        for j in range(0, HIDDEN, 2):
            _fill(h1[j], 0.0)
            _fill(h1[j + 1], 0.0)
            _add(taps, first_layer[j], first_layer[j + 1], h1[j], h1[j + 1])
            _relu_and_scale(h1[j], factors[0])
            _relu_and_scale(h1[j + 1], factors[0])
        for j in range(0, HIDDEN, 2):
            _fill(h2[j], weights[B2 + j] * one)
            _fill(h2[j + 1], weights[B2 + j + 1] * one)
            _add(h1, second_layer[j], second_layer[j + 1], h2[j], h2[j + 1])
            _relu_and_scale(h2[j], factors[1])
            _relu_and_scale(h2[j + 1], factors[1])
        _fill(out[0], 0.0)
        _fill(out[1], 0.0)
        _add(h2, last_layer[0, :HIDDEN], last_layer[1, :HIDDEN], out[0], out[1])
        _add(taps, last_layer[0, HIDDEN:], last_layer[1, HIDDEN:], out[0], out[1])
        mean, scale = means[at : at + BLOCK], scales[at : at + BLOCK]
        for i in range(BLOCK):
            centre = np.floor(out[0, i] * factors[2] + 0.5)
            mean[i] = np.int64(min(max(centre, -_FARTHEST), _FARTHEST))
            s = np.int64(np.floor(out[1, i] * factors[3] + 0.5)) - LOG_SCALE_MIN * SCALE_STEPS
            scale[i] = min(max(s, 0), SCALES - 1)
