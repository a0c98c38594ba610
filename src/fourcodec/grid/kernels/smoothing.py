"""Smoothing of a level's latents by a separable symmetric filter of 7 taps, and its adjoint, row by row (numba, GIL
released).

    out[i] = t3 in[i] + t2 (in[i-1] + in[i+1]) + t1 (in[i-2] + in[i+2]) + t0 (in[i-3] + in[i+3])

The filter runs down the columns, then along the rows. Edges are replicated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fourcodec.compiling import float_kernel, inline_kernel
from fourcodec.grid.kernels.layout import SMOOTHING_REACH as REACH
from fourcodec.grid.kernels.upsampling import add_weighted, clamped_row, dot

_ZERO = np.float32(0.0)


@inline_kernel
def _mix(out: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, taps: Any) -> None:
    t0, t1, t2, t3 = taps[0], taps[1], taps[2], taps[3]
    for i in range(out.shape[0]):
        out[i] = t3 * d[i] + t2 * (c[i] + e[i]) + t1 * (b[i] + f[i]) + t0 * (a[i] + g[i])


@inline_kernel
def _along(padded: Any, out: Any, taps: Any) -> None:
    """Filters a row: out (n,) from padded (n + 6,)."""
    n = out.shape[0]
    _mix(
        out, padded[:n], padded[1 : n + 1], padded[2 : n + 2], padded[3 : n + 3], padded[4 : n + 4],
        padded[5 : n + 5], padded[6 : n + 6], taps,
    )  # fmt: skip


@inline_kernel
def _down(source: Any, row: int, taps: Any, line: Any) -> None:
    """line (w + 6,) = row `row` of source (h, w) filtered down the columns, its ends replicated."""
    h, w = source.shape
    _mix(
        line[REACH : REACH + w], source[clamped_row(row - 3, h)], source[clamped_row(row - 2, h)],
        source[clamped_row(row - 1, h)], source[row], source[clamped_row(row + 1, h)], source[clamped_row(row + 2, h)],
        source[clamped_row(row + 3, h)], taps,
    )  # fmt: skip
    for k in range(REACH):
        line[k] = line[REACH]
        line[REACH + w + k] = line[REACH + w - 1]


@float_kernel
def smooth(source: Any, taps: Any, first: int, last: int, out: Any) -> None:
    """Rows first..last-1 of out (h, w) = source (h, w) smoothed, float32. taps: (4,) float32, t0..t3."""
    line = np.empty(source.shape[1] + 2 * REACH, np.float32)
    for row in range(first, last):
        _down(source, row, taps, line)
        _along(line, out[row], taps)


@inline_kernel
def _back(gradient_out: Any, wide: Any, line: Any, taps: Any) -> None:
    """The adjoint of filtering along a row: gradient_out (w,) -> line (w + 6,), of which the middle w entries are
    complete. wide (w + 12,) is work space, 0 at its ends."""
    w = gradient_out.shape[0]
    wide[2 * REACH : 2 * REACH + w] = gradient_out
    _along(wide, line, taps)
    for k in range(REACH):
        line[REACH] += line[k]
        line[REACH + w - 1] += line[REACH + w + k]


@float_kernel
def smooth_adjoint(gradient_out: Any, taps: Any, first: int, last: int, back: Any) -> None:
    """The adjoint of `smooth`: rows first..last-1 of back (h, w) = the gradient by source, given gradient_out (h, w),
    the gradient by out."""
    h, w = back.shape
    wide, line = np.zeros(w + 4 * REACH, np.float32), np.empty(w + 2 * REACH, np.float32)
    for row in range(first, last):
        back[row, :] = _ZERO
    for row in range(max(first - REACH, 0), min(last + REACH, h)):
        _back(gradient_out[row], wide, line, taps)
        for d in range(-REACH, REACH + 1):
            target = clamped_row(row + d, h)
            if first <= target < last:
                add_weighted(back[target], line[REACH : REACH + w], taps[REACH - abs(d)])


@float_kernel
def smoothing_gradient(source: Any, gradient_out: Any, taps: Any, first: int, last: int, gradient: Any) -> None:
    """gradient (4,) float64 += the gradient by t0..t3, given gradient_out (h, w), the gradient by out, on rows
    first..last-1."""
    h, w = source.shape
    wide, line = np.zeros(w + 4 * REACH, np.float32), np.empty(w + 2 * REACH, np.float32)
    for row in range(first, last):
        _down(source, row, taps, line)
        for k in range(2 * REACH + 1):
            gradient[REACH - abs(k - REACH)] += dot(gradient_out[row], line[k : k + w])
        _back(gradient_out[row], wide, line, taps)
        for d in range(-REACH, REACH + 1):
            gradient[REACH - abs(d)] += dot(line[REACH : REACH + w], source[clamped_row(row + d, h)])
