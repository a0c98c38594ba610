"""The 3 x 3 residual filter after the synthesis, its error against the picture, and its adjoint (numba, GIL released).

    z_c = o_c + sum over d, dy, dx of K[c, d, dy, dx] o_d(row + dy - 1, column + dx - 1)        edges replicated

Lines are rows of pixels with one more at each end, (width + 2,).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fourcodec.compiling import float_kernel, inline_kernel

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


@inline_kernel
def _line(row: Any, edge: Any, out: Any) -> None:
    """out (w + 2,) = row (w,), and at each end `edge` times its first or last value."""
    w = row.shape[0]
    inner = out[1 : w + 1]
    for i in range(w):
        inner[i] = row[i]
    out[0], out[w + 1] = edge * row[0], edge * row[w - 1]


@inline_kernel
def _add9(top: Any, middle: Any, bottom: Any, k: Any, out: Any) -> None:
    """out (w,) += three lines (w + 2,) filtered by the kernel k (3, 3)."""
    w = out.shape[0]
    t0, t1, t2 = top[:w], top[1 : w + 1], top[2 : w + 2]
    m0, m1, m2 = middle[:w], middle[1 : w + 1], middle[2 : w + 2]
    b0, b1, b2 = bottom[:w], bottom[1 : w + 1], bottom[2 : w + 2]
    k00, k01, k02, k10, k11, k12, k20, k21, k22 = (
        k[0, 0], k[0, 1], k[0, 2], k[1, 0], k[1, 1], k[1, 2], k[2, 0], k[2, 1], k[2, 2],
    )  # fmt: skip
    for i in range(w):
        above = k00 * t0[i] + k01 * t1[i] + k02 * t2[i]
        beside = k10 * m0[i] + k11 * m1[i] + k12 * m2[i]
        below = k20 * b0[i] + k21 * b1[i] + k22 * b2[i]
        out[i] += above + beside + below


@inline_kernel
def _see(planes: Any, r: int, first: int, width: int, height: int, edge: Any, lines: Any) -> None:
    """Makes `lines` (C, 3, width + 2) hold the rows r - 1, r and r + 1 of planes, as far as they exist, row n at n % 3.
    It is called for r = first, first + 1, ... and adds only the row that is new."""
    for d in range(planes.shape[0]):
        for row in range(r - 1 if r == first else r + 1, r + 2):
            if 0 <= row < height:
                _line(planes[d, row, :width], edge, lines[d, row % 3])


@float_kernel
def filter_rows(planes: Any, kernel: Any, width: int, height: int, first: int, last: int, out: Any) -> None:
    """Rows first..last-1 of out (C, height, width) = the filtered planes (C, >= height, >= width), float32. kernel: (C,
    C, 3, 3)."""
    channels = planes.shape[0]
    lines = np.empty((channels, 3, width + 2), np.float32)
    for r in range(first, last):
        _see(planes, r, first, width, height, _ONE, lines)
        above, below = max(r - 1, 0) % 3, min(r + 1, height - 1) % 3
        for c in range(channels):
            row, source = out[c, r], planes[c, r, :width]
            for i in range(width):
                row[i] = source[i]
            for d in range(channels):
                _add9(lines[d, above], lines[d, r % 3], lines[d, below], kernel[c, d], row)


@float_kernel
def subtract(planes: Any, target: Any, first: int, last: int) -> float:
    """planes -= target on rows first..last-1. Returns the sum of squares of the differences."""
    total = 0.0
    for c in range(planes.shape[0]):
        for r in range(first, last):
            row, wanted = planes[c, r], target[c, r]
            squares: Any = np.float32(0.0)
            for i in range(row.shape[0]):
                e = row[i] - wanted[i]
                row[i] = e
                squares += e * e
            total += squares
    return total


@float_kernel
def subtract_visible(planes: Any, target: Any, visible: Any, first: int, last: int) -> float:
    """`subtract` with differences times visible (height, width) float32."""
    total = 0.0
    for c in range(planes.shape[0]):
        for r in range(first, last):
            row, wanted, seen = planes[c, r], target[c, r], visible[r]
            squares: Any = np.float32(0.0)
            for i in range(row.shape[0]):
                e = (row[i] - wanted[i]) * seen[i]
                row[i] = e
                squares += e * e
            total += squares
    return total


@float_kernel
def hide(planes: Any, visible: Any, first: int, last: int) -> None:
    """planes *= visible (rows, columns), on rows first..last-1."""
    for c in range(planes.shape[0]):
        for r in range(first, last):
            row, seen = planes[c, r], visible[r]
            for i in range(row.shape[0]):
                row[i] *= seen[i]


@inline_kernel
def _dot9(row: Any, top: Any, middle: Any, bottom: Any, weight: Any, gradient: Any) -> None:
    """gradient (3, 3) += weight times the gradient of _add9 by its kernel, where row (w,) is that by its result."""
    w = row.shape[0]
    t0, t1, t2 = top[:w], top[1 : w + 1], top[2 : w + 2]
    m0, m1, m2 = middle[:w], middle[1 : w + 1], middle[2 : w + 2]
    b0, b1, b2 = bottom[:w], bottom[1 : w + 1], bottom[2 : w + 2]
    s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = _ZERO
    for i in range(w):
        e = row[i]
        s00 += e * t0[i]
        s01 += e * t1[i]
        s02 += e * t2[i]
        s10 += e * m0[i]
        s11 += e * m1[i]
        s12 += e * m2[i]
        s20 += e * b0[i]
        s21 += e * b1[i]
        s22 += e * b2[i]
    gradient[0, 0] += weight * s00
    gradient[0, 1] += weight * s01
    gradient[0, 2] += weight * s02
    gradient[1, 0] += weight * s10
    gradient[1, 1] += weight * s11
    gradient[1, 2] += weight * s12
    gradient[2, 0] += weight * s20
    gradient[2, 1] += weight * s21
    gradient[2, 2] += weight * s22


@inline_kernel
def _turned(kernel: Any, top: bool, bottom: bool, out: Any) -> None:
    """out (3, 3) = the kernel rotated by 180 degrees, for the adjoint. In the top and bottom row of a picture, where
    edges are replicated, the taps beyond the edge are added to those on it."""
    for dx in range(3):
        out[0, dx], out[1, dx], out[2, dx] = kernel[2, 2 - dx], kernel[1, 2 - dx], kernel[0, 2 - dx]
        if top:
            out[1, dx] += kernel[0, 2 - dx]
        if bottom:
            out[1, dx] += kernel[2, 2 - dx]


@float_kernel
def filter_adjoint(
    errors: Any, planes: Any, kernel: Any, weight: Any, first: int, last: int, back: Any, gradient: Any
) -> None:
    """The adjoint of filter_rows on rows first..last-1, given errors (C, height, width), the gradient by its result.

    back (C, H0, W0) = weight times the gradient by planes, 0 beyond width; gradient (C, C, 3, 3) += weight times that
    by the kernel.
    """
    channels, height, width = errors.shape
    error_lines, plane_lines = (
        np.empty((channels, 3, width + 2), np.float32),
        np.empty((channels, 3, width + 2), np.float32),
    )
    turned, nothing = np.empty((3, 3), np.float32), np.zeros(width + 2, np.float32)
    for r in range(first, last):
        _see(errors, r, first, width, height, _ZERO, error_lines)
        _see(planes, r, first, width, height, _ONE, plane_lines)
        above, below = max(r - 1, 0) % 3, min(r + 1, height - 1) % 3
        for d in range(channels):
            out, straight = back[d, r, :width], errors[d, r]
            for i in range(width):
                out[i] = straight[i]
            for c in range(channels):
                _turned(kernel[c, d], r == 0, r == height - 1, turned)
                top = error_lines[c, above] if r > 0 else nothing
                middle, bottom = error_lines[c, r % 3], error_lines[c, below] if r < height - 1 else nothing
                _add9(top, middle, bottom, turned, out)
                left = turned[0, 2] * top[1] + turned[1, 2] * middle[1] + turned[2, 2] * bottom[1]
                right = turned[0, 0] * top[width] + turned[1, 0] * middle[width] + turned[2, 0] * bottom[width]
                out[0] += left  # from taps beyond the edge, which read the edge itself
                out[width - 1] += right
            for i in range(width):
                out[i] *= weight
            for i in range(width, back.shape[2]):
                back[d, r, i] = _ZERO
            for c in range(channels):
                _dot9(
                    errors[c, r],
                    plane_lines[d, above],
                    plane_lines[d, r % 3],
                    plane_lines[d, below],
                    weight,
                    gradient[c, d],
                )
