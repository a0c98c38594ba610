"""Separable upsampling by 2 with a symmetric 8-tap filter, and its adjoint, row by row (numba, GIL released).

    out[2i]     = a0 in[i-2] + a1 in[i-1] + a2 in[i] + a3 in[i+1]
    out[2i + 1] = a3 in[i-1] + a2 in[i] + a1 in[i+1] + a0 in[i+2]

in both directions, edges replicated. Samples lie at the centres of their cells, so out[2i] lies a quarter of a cell
before in[i]. The finer level may have fewer than twice the rows or columns; those beyond it are not written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fourcodec.compiling import float_kernel, inline_kernel
from fourcodec.grid.kernels.layout import PAD


@inline_kernel
def clamped_row(index: int, count: int) -> int:
    """The nearest of the rows 0..count-1."""
    return min(max(index, 0), count - 1)


@inline_kernel
def _mix(out: Any, r0: Any, r1: Any, r2: Any, r3: Any, w0: Any, w1: Any, w2: Any, w3: Any) -> None:
    for i in range(out.shape[0]):
        out[i] = w0 * r0[i] + w1 * r1[i] + w2 * r2[i] + w3 * r3[i]


@inline_kernel
def _replicate(padded: Any, width: int) -> None:
    for k in range(PAD):
        padded[k] = padded[PAD]
        padded[PAD + width + k] = padded[PAD + width - 1]


@inline_kernel
def _spread(padded: Any, out: Any, a0: Any, a1: Any, a2: Any, a3: Any) -> None:
    """Upsamples a row: out (at most 2w, even) from padded (w + 4,)."""
    count = out.shape[0] // 2
    v0, v1, v2 = padded[:count], padded[1 : count + 1], padded[2 : count + 2]
    v3, v4 = padded[3 : count + 3], padded[4 : count + 4]
    for i in range(count):
        out[2 * i] = a0 * v0[i] + a1 * v1[i] + a2 * v2[i] + a3 * v3[i]
        out[2 * i + 1] = a3 * v1[i] + a2 * v2[i] + a1 * v3[i] + a0 * v4[i]


@float_kernel
def upsample(source: Any, filters: Any, first: int, last: int, out: Any) -> None:
    """Rows 2 first..2 last - 1 of out = source (h, w) upsampled, float32. out has at most 2h rows and 2w columns, both
    even. filters: (4,) float32, a0..a3."""
    h, w = source.shape
    a0, a1, a2, a3 = filters[0], filters[1], filters[2], filters[3]
    even, odd = np.empty(w + 2 * PAD, np.float32), np.empty(w + 2 * PAD, np.float32)
    for i in range(first, last):
        b, c, d = source[clamped_row(i - 1, h)], source[i], source[clamped_row(i + 1, h)]
        _mix(even[PAD : PAD + w], source[clamped_row(i - 2, h)], b, c, d, a0, a1, a2, a3)
        _mix(odd[PAD : PAD + w], b, c, d, source[clamped_row(i + 2, h)], a3, a2, a1, a0)
        _replicate(even, w)
        _replicate(odd, w)
        if 2 * i < out.shape[0]:
            _spread(even, out[2 * i], a0, a1, a2, a3)
            _spread(odd, out[2 * i + 1], a0, a1, a2, a3)


@inline_kernel
def _gather(row: Any, width: int, even: Any, odd: Any, back: Any, a0: Any, a1: Any, a2: Any, a3: Any) -> None:
    """The adjoint of _spread and _replicate: row (2w or less,) -> back (w + 4,), of which the middle w entries are
    complete. even, odd: work space (w + 8,), 0 at the ends."""
    n = row.shape[0] // 2
    e, o = even[4 : 4 + n], odd[4 : 4 + n]
    for i in range(n):
        e[i] = row[2 * i]
        o[i] = row[2 * i + 1]
    count = width + 2 * PAD
    e0, e1, e2, e3 = even[4 : count + 4], even[3 : count + 3], even[2 : count + 2], even[1 : count + 1]
    o0, o1, o2, o3 = odd[0:count], odd[1 : count + 1], odd[2 : count + 2], odd[3 : count + 3]
    for j in range(count):
        back[j] = a0 * (e0[j] + o0[j]) + a1 * (e1[j] + o1[j]) + a2 * (e2[j] + o2[j]) + a3 * (e3[j] + o3[j])
    for k in range(PAD):
        back[PAD] += back[k]
        back[PAD + width - 1] += back[PAD + width + k]


@inline_kernel
def add_weighted(out: Any, row: Any, weight: Any) -> None:
    """out (n,) += weight row, float32."""
    for i in range(out.shape[0]):
        out[i] += weight * row[i]


@float_kernel
def upsample_adjoint(gradient_out: Any, filters: Any, first: int, last: int, back: Any) -> None:
    """The adjoint of `upsample`: rows first..last-1 of back (h, w) = the gradient by source, given gradient_out, the
    gradient by out."""
    h, w = back.shape
    a0, a1, a2, a3 = filters[0], filters[1], filters[2], filters[3]
    even, odd = np.zeros(w + 8, np.float32), np.zeros(w + 8, np.float32)
    line = np.empty(w + 2 * PAD, np.float32)
    inner = line[PAD : PAD + w]
    for j in range(first, last):
        back[j, :] = np.float32(0.0)
    for i in range(max(first - 2, 0), min(last + 2, h)):
        for side in range(2):
            if 2 * i + side >= gradient_out.shape[0]:
                continue
            _gather(gradient_out[2 * i + side], w, even, odd, line, a0, a1, a2, a3)
            for t in range(4):
                target = clamped_row(i - 2 + side + t, h)
                if first <= target < last:
                    weight = filters[t] if side == 0 else filters[3 - t]
                    add_weighted(back[target], inner, weight)


@inline_kernel
def dot(a: Any, b: Any) -> Any:
    """The scalar product of a (n,) and b (n,), float32."""
    total = np.float32(0.0)
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@float_kernel
def filter_gradient(source: Any, gradient_out: Any, filters: Any, first: int, last: int, gradient: Any) -> None:
    """gradient (4,) float64 += the gradient by a0..a3, given gradient_out, the gradient by out, for rows first..last-1
    of source."""
    h, w = source.shape
    a = filters
    count = gradient_out.shape[1] // 2
    even, odd = np.empty(count, np.float32), np.empty(count, np.float32)
    line = np.empty(w + 2 * PAD, np.float32)
    zeros = np.zeros(w + 8, np.float32), np.zeros(w + 8, np.float32)
    pulled = np.empty(w + 2 * PAD, np.float32)
    for i in range(first, last):
        for side in range(2):
            r = 2 * i + side
            if r >= gradient_out.shape[0]:
                continue
            for k in range(count):
                even[k] = gradient_out[r, 2 * k]
                odd[k] = gradient_out[r, 2 * k + 1]
            first_row = i - 2 + side
            r0, r1 = source[clamped_row(first_row, h)], source[clamped_row(first_row + 1, h)]
            r2, r3 = source[clamped_row(first_row + 2, h)], source[clamped_row(first_row + 3, h)]
            if side == 0:
                _mix(line[PAD : PAD + w], r0, r1, r2, r3, a[0], a[1], a[2], a[3])
            else:
                _mix(line[PAD : PAD + w], r0, r1, r2, r3, a[3], a[2], a[1], a[0])
            _replicate(line, w)
            # The filter along rows: gradients against the rows filtered down the columns.
            for t in range(4):
                gradient[t] += dot(even, line[t : t + count]) + dot(odd, line[4 - t : 4 - t + count])
            # The filter down columns: gradients pulled back along the row, against the rows of source.
            _gather(gradient_out[r], w, zeros[0], zeros[1], pulled, a[0], a[1], a[2], a[3])
            inner = pulled[PAD : PAD + w]
            gradient[0 if side == 0 else 3] += dot(inner, r0)
            gradient[1 if side == 0 else 2] += dot(inner, r1)
            gradient[2 if side == 0 else 1] += dot(inner, r2)
            gradient[3 if side == 0 else 0] += dot(inner, r3)
