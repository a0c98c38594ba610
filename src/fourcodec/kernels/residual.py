"""The 3 x 3 residual filter behind the synthesis, its error against the picture, and its adjoint (numba, GIL released).

z_c = o_c + sum over d, dy, dx of K[c, d, dy, dx] o_d(row + dy - 1, column + dx - 1)        edges replicated
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_ZERO = np.float32(0.0)


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def _padded(row: Any, out: Any) -> None:
    w = row.shape[0]
    inner = out[1 : w + 1]
    for i in range(w):
        inner[i] = row[i]
    out[0] = row[0]
    out[w + 1] = row[w - 1]


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def _add3(out: Any, row: Any, a: Any, b: Any, c: Any) -> None:
    w = out.shape[0]
    r0, r1, r2 = row[:w], row[1 : w + 1], row[2 : w + 2]
    for i in range(w):
        out[i] += a * r0[i] + b * r1[i] + c * r2[i]


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def filter_rows(planes: Any, kernel: Any, width: int, height: int, first: int, last: int, out: Any) -> None:
    """out (C, height, width), rows first..last-1: the filtered planes (C, >= height, >= width)."""
    channels = planes.shape[0]
    line = np.empty(width + 2, np.float32)
    for r in range(first, last):
        for c in range(channels):
            row = out[c, r]
            source = planes[c, r, :width]
            for i in range(width):
                row[i] = source[i]
        for d in range(channels):
            for dy in range(3):
                _padded(planes[d, min(max(r + dy - 1, 0), height - 1), :width], line)
                for c in range(channels):
                    _add3(out[c, r], line, kernel[c, d, dy, 0], kernel[c, d, dy, 1], kernel[c, d, dy, 2])


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def subtract(planes: Any, target: Any, first: int, last: int) -> float:
    """planes -= target on the rows first..last-1; the sum of the squares of what is left."""
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


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def subtract_visible(planes: Any, target: Any, visible: Any, first: int, last: int) -> float:
    """`subtract`, with no error where visible (height, width) is 0; elsewhere it is 1."""
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


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def _scatter3(out: Any, row: Any, a: Any, b: Any, c: Any) -> None:
    """out (w + 2,) += the adjoint of _add3."""
    w = row.shape[0]
    o0, o1, o2 = out[:w], out[1 : w + 1], out[2 : w + 2]
    for i in range(w):
        o0[i] += a * row[i]
    for i in range(w):
        o1[i] += b * row[i]
    for i in range(w):
        o2[i] += c * row[i]


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def filter_adjoint(
    errors: Any, planes: Any, kernel: Any, weight: Any, first: int, last: int, back: Any, gradient: Any
) -> None:
    """back (C, H0, W0) rows first..last-1 = weight times the gradient of errors . filtered by planes; gradient
    (C, C, 3, 3) += weight times that by the kernel. errors (C, height, width)."""
    channels, height, width = errors.shape
    line = np.empty(width + 2, np.float32)
    for r in range(first, last):
        for d in range(channels):
            line[:] = _ZERO
            for dy in range(3):
                # rows whose tap dy is r: row r - dy + 1, and at the edges the rows that replicate it
                for source in range(r - dy + 1, r - dy + 2):
                    if 0 <= source < height:
                        for c in range(channels):
                            _scatter3(
                                line, errors[c, source], kernel[c, d, dy, 0], kernel[c, d, dy, 1], kernel[c, d, dy, 2]
                            )
                if r == 0 and dy == 0:
                    for c in range(channels):
                        _scatter3(line, errors[c, 0], kernel[c, d, 0, 0], kernel[c, d, 0, 1], kernel[c, d, 0, 2])
                if r == height - 1 and dy == 2:
                    for c in range(channels):
                        _scatter3(line, errors[c, r], kernel[c, d, 2, 0], kernel[c, d, 2, 1], kernel[c, d, 2, 2])
            line[1] += line[0]
            line[width] += line[width + 1]
            out, straight, pulled = back[d, r, :width], errors[d, r], line[1 : width + 1]
            for i in range(width):
                out[i] = weight * (straight[i] + pulled[i])
            for i in range(width, back.shape[2]):
                back[d, r, i] = _ZERO
            for dy in range(3):
                _padded(planes[d, min(max(r + dy - 1, 0), height - 1), :width], line)
                for c in range(channels):
                    row = errors[c, r]
                    for dx in range(3):
                        shifted = line[dx : dx + width]
                        total = np.float32(0.0)
                        for i in range(width):
                            total += row[i] * shifted[i]
                        gradient[c, d, dy, dx] += weight * total
