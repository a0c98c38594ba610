"""Kernels of a quadratic form of errors at several scales (numba, GIL released); grid/error_form.py describes it.

Planes are (channels, rows, columns) float32, weights (rows, columns). A coarser plane has the mean of 2 x 2 samples,
where those beyond an odd edge are 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fourcodec.compiling import float_kernel

_ZERO, _QUARTER, _ONE = np.float32(0.0), np.float32(0.25), np.float32(1.0)


@float_kernel
def measure(planes: Any, weight: Any, first: int, last: int) -> float:
    """The sum of weight * planes^2 over rows first..last-1."""
    total = 0.0
    for c in range(planes.shape[0]):
        for r in range(first, last):
            row, counted = planes[c, r], weight[r]
            squares: Any = _ZERO
            for i in range(row.shape[0]):
                squares += row[i] * row[i] * counted[i]
            total += squares
    return total


@float_kernel
def measure_and_halve(planes: Any, weight: Any, first: int, last: int, out: Any) -> float:
    """The sum of `measure` over the rows that rows first..last-1 of out, the coarser planes, belong to; these rows of
    out are computed."""
    rows, columns = planes.shape[1:]
    whole, total = columns // 2, 0.0
    for c in range(planes.shape[0]):
        for r in range(first, last):
            below = min(2 * r + 1, rows - 1)
            upper, lower = planes[c, 2 * r], planes[c, below]
            counted, other = weight[2 * r], weight[below]
            there = _ONE if 2 * r + 1 < rows else _ZERO
            squares: Any = _ZERO
            for i in range(columns):
                squares += upper[i] * upper[i] * counted[i] + there * lower[i] * lower[i] * other[i]
            total += squares
            row = out[c, r]
            for i in range(whole):
                row[i] = _QUARTER * (upper[2 * i] + upper[2 * i + 1] + there * (lower[2 * i] + lower[2 * i + 1]))
            if whole < row.shape[0]:
                row[whole] = _QUARTER * (upper[columns - 1] + there * lower[columns - 1])
    return total


@float_kernel
def add_costs(planes: Any, weight: Any, factor: Any, coarser: Any, first: int, last: int, out: Any) -> None:
    """out (rows, columns) = factor times the terms of `measure`, summed over channels, + those of the coarser scale,
    (rows / 2, columns / 2), at each of the samples that they belong to."""
    columns = planes.shape[2]
    for r in range(first, last):
        row, counted, above = out[r], weight[r], coarser[r // 2]
        for i in range(columns):
            row[i] = above[i // 2]
        for c in range(planes.shape[0]):
            values = planes[c, r]
            for i in range(columns):
                row[i] += factor * counted[i] * values[i] * values[i]


@float_kernel
def weigh(planes: Any, weight: Any, coarser: Any, first: int, last: int) -> None:
    """planes = weight * planes + coarser, (channels, rows / 2, columns / 2), each of whose samples belongs to 2 x 2:
    half the gradient of the form by the planes, if `coarser` is that by the next scale."""
    columns = planes.shape[2]
    for c in range(planes.shape[0]):
        for r in range(first, last):
            row, counted, above = planes[c, r], weight[r], coarser[c, r // 2]
            for i in range(columns):
                row[i] = counted[i] * row[i] + above[i // 2]


@float_kernel
def squares(first_plane: Any, second_plane: Any, first: int, last: int) -> Any:
    """The sums of squares of two planes (rows, columns) over rows first..last-1."""
    total, other_total = 0.0, 0.0
    for r in range(first, last):
        row, other = first_plane[r], second_plane[r]
        some: Any = _ZERO
        others: Any = _ZERO
        for i in range(row.shape[0]):
            some += row[i] * row[i]
            others += other[i] * other[i]
        total += some
        other_total += others
    return total, other_total


@float_kernel
def pull(gradient: Any, other: Any, scale: Any, bound: Any, share: Any, first: int, last: int, out: Any) -> None:
    """out = share times (scale * other, softly bounded, - gradient), which is added to the gradient; all planes (rows,
    columns). At most `bound` is left of any entry of scale * other."""
    inverse = _ONE / bound
    for r in range(first, last):
        row, others, pulls = gradient[r], other[r], out[r]
        for i in range(row.shape[0]):
            x = scale * others[i]
            ratio = x * inverse
            pulls[i] = share * (x / np.sqrt(_ONE + ratio * ratio) - row[i])
            row[i] += pulls[i]
