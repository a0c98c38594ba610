"""The entropy model in float32, forward and backward, as fused loops over blocks of latents (numba, GIL released).

A small network maps already decoded latents near a latent (its taps) to the mean and log2 scale of a Laplace
distribution. The kernels return the bits of latents, noisy or rounded, under it, and the gradients by latents and
weights. entropy_model_integer.py is the form that a decoder runs.

All taps of a plane are shifted views of equally strided planes, so one tap of a block of latents is one row: see
grid/pyramid.py for the layout. There is one network per pass, its matrices (inputs, outputs) row-major:

    h1 = relu(taps W1)    h2 = relu(h1 W2 + b2)    (mean, log2 scale) = [h2, taps] W3

taps[0] is 1 everywhere; its weights are the biases.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fourcodec.coding.distributions import LOG_SCALE_MAX, LOG_SCALE_MIN
from fourcodec.compiling import float_kernel, inline_kernel
from fourcodec.fourier.elementary import LN_2, LOG2_E, exp2, log2
from fourcodec.fourier.layout import BLOCK
from fourcodec.fourier.simd import accumulate_outputs, accumulate_weight_gradients
from fourcodec.grid.kernels.layout import B2, HIDDEN, TAPS, W1, W2, W3
from fourcodec.grid.kernels.sampling import in_sample

_LOW, _HIGH = np.float32(LOG_SCALE_MIN), np.float32(LOG_SCALE_MAX)
_HALF = np.float32(0.5)
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)

_ROWS = HIDDEN + TAPS


@inline_kernel
def _laplace(y: Any, mean: Any, log_scale: Any, mask: Any, bits: Any, dy: Any, dmean: Any, dlog: Any) -> None:
    """bits = -log2 of the mass of Laplace(mean, 2^log_scale) between y - 1/2 and y + 1/2; dy, dmean, dlog = the
    gradients of bits by y, mean and log_scale. All are rows of BLOCK; where mask is 0 there is no latent, and no bits.
    """
    for i in range(BLOCK):
        s = min(max(log_scale[i], _LOW), _HIGH)
        a = exp2(-s)  # 1 / scale
        h = exp2(a * (-_HALF * LOG2_E))  # e^(-a/2)
        d = y[i] - mean[i]
        sign = _ONE if d >= _ZERO else -_ONE
        u = abs(d)
        # outside the bin: p = e^(-a (u - 1/2)) (1 - h^2) / 2
        rest = _ONE - h * h
        far_bits = a * (u - _HALF) * LOG2_E - log2(_HALF * rest)
        far_u = a
        far_a = (u - _HALF) - h * h / rest
        # inside: p = 1 - h cosh(a u)
        near = min(u, _HALF)
        e = exp2(a * near * LOG2_E)
        cosh, sinh = _HALF * (e + _ONE / e), _HALF * (e - _ONE / e)
        p = _ONE - h * cosh
        near_bits = -log2(p)
        near_u = h * a * sinh / p
        near_a = -(_HALF * h * cosh - h * near * sinh) / p
        inside = u < _HALF
        bits[i] = (near_bits if inside else far_bits) * mask[i]
        by_u = (near_u if inside else far_u) * LOG2_E * sign * mask[i]
        by_s = (near_a if inside else far_a) * LOG2_E * (-a * LN_2) * mask[i]
        # Where log_scale is clamped, only gradients that lead back into its range pass.
        blocked = (log_scale[i] < _LOW and by_s > _ZERO) or (log_scale[i] > _HIGH and by_s < _ZERO)
        dy[i] = by_u
        dmean[i] = -by_u
        dlog[i] = _ZERO if blocked else by_s


@inline_kernel
def _relu(rows: Any) -> None:
    for j in range(rows.shape[0]):
        row = rows[j]
        for i in range(BLOCK):
            row[i] = max(row[i], _ZERO)


@inline_kernel
def _relu_back(rows: Any, gradients: Any) -> None:
    for j in range(rows.shape[0]):
        row, gradient = rows[j], gradients[j]
        for i in range(BLOCK):
            gradient[i] = gradient[i] if row[i] > _ZERO else _ZERO


@inline_kernel
def _copy(row: Any, out: Any) -> None:
    for i in range(BLOCK):
        out[i] = row[i]


@inline_kernel
def _add(row: Any, out: Any) -> None:
    for i in range(BLOCK):
        out[i] += row[i]


@inline_kernel
def _sum(row: Any) -> Any:
    total = np.float32(0.0)
    for i in range(BLOCK):
        total += row[i]
    return total


@inline_kernel
def _predict(planes: Any, tap_planes: Any, tap_offsets: Any, w: Any, at: int, h1: Any, rows: Any, out: Any) -> None:
    """Runs the network of one pass, with weights w, at a block of positions from `at`: h1 (HIDDEN, BLOCK), rows =
    [h2, taps] and out = (mean, log2 scale)."""
    h2, taps = rows[:HIDDEN], rows[HIDDEN:]
    taps[0] = _ONE
    for k in range(1, TAPS):
        if tap_planes[k] < 0:
            taps[k, :] = _ZERO
            continue
        first = at + tap_offsets[k]
        _copy(planes[tap_planes[k], first : first + BLOCK], taps[k])
    h1[:] = _ZERO
    accumulate_outputs(h1, taps, w, W1, TAPS, HIDDEN)
    _relu(h1)
    for j in range(HIDDEN):
        h2[j, :] = w[B2 + j]
    accumulate_outputs(h2, h1, w, W2, HIDDEN, HIDDEN)
    _relu(h2)
    out[:] = _ZERO
    accumulate_outputs(out, rows, w, W3, _ROWS, 2)


@float_kernel
def rate(
    planes: Any, mask: Any, tap_planes: Any, tap_offsets: Any, weights: Any, start: int, stop: int, bits: Any
) -> None:
    """bits (passes, total) float32 = the bits of each latent at positions start..stop-1, whose difference is a multiple
    of BLOCK. The other arguments are those of `rate_gradient`."""
    h1, rows = np.empty((HIDDEN, BLOCK), np.float32), np.empty((_ROWS, BLOCK), np.float32)
    out, unused = np.empty((2, BLOCK), np.float32), np.empty(BLOCK, np.float32)
    for at in range(start, stop, BLOCK):
        for p in range(weights.shape[0]):
            _predict(planes, tap_planes[p], tap_offsets[p], weights[p], at, h1, rows, out)
            _laplace(
                planes[p, at : at + BLOCK], out[0], out[1], mask[at : at + BLOCK], bits[p, at : at + BLOCK],
                unused, unused, unused,
            )  # fmt: skip


@float_kernel
def rate_gradient(
    planes: Any,
    mask: Any,
    tap_planes: Any,
    tap_offsets: Any,
    weights: Any,
    transposed: Any,
    start: int,
    stop: int,
    sample: int,
    plane_gradients: Any,
    gradients: Any,
    pass_bits: Any,
) -> None:
    """Adds the bits of the latents at positions start..stop-1, and their gradients, to three arrays.

    Outputs: pass_bits (passes,) float64, bits of each pass; plane_gradients (planes, total) float32, by the planes;
    gradients (passes, PASS_WEIGHTS) float32, by the weights, from the blocks in `sample` alone
    (kernels/sampling.py).

    Inputs: planes (planes, total) float32, of which plane p holds the latents of pass p; mask (total,) float32, 1 where
    there are latents, else 0; tap_planes, tap_offsets (passes, TAPS) int64: tap t of position i is planes[plane, i +
    offset], and 0 where the plane is -1 (tap 0 is 1); weights (passes, PASS_WEIGHTS) float32; transposed: weights as
    `transpose` returns them. stop - start is a multiple of BLOCK.
    """
    passes = weights.shape[0]
    rows, h1 = np.empty((_ROWS, BLOCK), np.float32), np.empty((HIDDEN, BLOCK), np.float32)
    drows, dh1 = np.empty((_ROWS, BLOCK), np.float32), np.empty((HIDDEN, BLOCK), np.float32)
    out, dout, dy = np.empty((2, BLOCK), np.float32), np.empty((2, BLOCK), np.float32), np.empty(BLOCK, np.float32)
    bits = np.empty(BLOCK, np.float32)
    h2, taps, dh2, dtaps = rows[:HIDDEN], rows[HIDDEN:], drows[:HIDDEN], drows[HIDDEN:]
    for at in range(start, stop, BLOCK):
        present, sampled = mask[at : at + BLOCK], in_sample(at, sample)
        for p in range(passes):
            w, t, g = weights[p], transposed[p], gradients[p]
            _predict(planes, tap_planes[p], tap_offsets[p], w, at, h1, rows, out)
            _laplace(planes[p, at : at + BLOCK], out[0], out[1], present, bits, dy, dout[0], dout[1])
            pass_bits[p] += _sum(bits)
            _add(dy, plane_gradients[p, at : at + BLOCK])
            if sampled:
                accumulate_weight_gradients(g, W3, dout, rows, _ROWS, 2)
            drows[:] = _ZERO
            accumulate_outputs(drows, dout, t, W3, 2, _ROWS)
            _relu_back(h2, dh2)
            if sampled:
                for j in range(HIDDEN):
                    g[B2 + j] += _sum(dh2[j])
                accumulate_weight_gradients(g, W2, dh2, h1, HIDDEN, HIDDEN)
            dh1[:] = _ZERO
            accumulate_outputs(dh1, dh2, t, W2, HIDDEN, HIDDEN)
            _relu_back(h1, dh1)
            if sampled:
                accumulate_weight_gradients(g, W1, dh1, taps, TAPS, HIDDEN)
            accumulate_outputs(dtaps, dh1, t, W1, HIDDEN, TAPS)
            for k in range(1, TAPS):
                if tap_planes[p, k] < 0:
                    continue
                first = at + tap_offsets[p, k]
                _add(dtaps[k], plane_gradients[tap_planes[p, k], first : first + BLOCK])


def transpose(weights: Any) -> Any:
    """Weights (passes, PASS_WEIGHTS) with every matrix transposed, as the backward pass reads them."""
    out = weights.copy()
    for at, shape in ((W1, (TAPS, HIDDEN)), (W2, (HIDDEN, HIDDEN)), (W3, (_ROWS, 2))):
        size = shape[0] * shape[1]
        matrices = weights[:, at : at + size].reshape(-1, *shape)
        out[:, at : at + size] = matrices.transpose(0, 2, 1).reshape(-1, size)
    return out
