"""Kernels of SSIMULACRA 2 (grid/ssimulacra2.py): its colours, local moments, and the maps of what differs, each beside
its gradient (numba, GIL released).

Planes are float32, (rows, columns). Rows first..last-1 are those that a call computes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fourcodec.compiling import float_kernel, inline_kernel

_ZERO, _QUARTER, _HALF, _ONE, _TWO = (np.float32(value) for value in (0, 0.25, 0.5, 1, 2))
_THIRD = np.float32(1 / 3)
# The Gaussian window of SSIM: a deviation of 1.5 pixels, 11 taps, the middle one first.
REACH = 5
_TAPS = [math.exp(-0.5 * (at / 1.5) ** 2) for at in range(REACH + 1)]
WINDOW = [tap / (2 * sum(_TAPS) - _TAPS[0]) for tap in _TAPS]
_W0, _W1, _W2, _W3, _W4, _W5 = (np.float32(tap) for tap in WINDOW)
STABLE = 0.0009  # C2 of SSIM: the variance below which errors are not masked
_C2 = np.float32(STABLE)

# sRGB samples in [0, 1] -> linear light, a polynomial from the constant term on: several samples at a time are computed
# by it. The responses of cones differ by at most 0.004 from those of the exact curve, in originals and copies alike.
TONES = (2.86808667e-4, 4.92355074e-2, 0.397145048, 1.02157575, -0.738812720, 0.272109838)
_T0, _T1, _T2, _T3, _T4, _T5 = (np.float32(tone) for tone in TONES)

# Linear light -> the responses of long, middle and short cones, before the cube root; the numbers are those of JPEG
# XL's XYB.
BIAS = 0.0037930732552754493
RESPONSES = (
    (0.30, 0.622, 0.078),
    (0.23, 0.692, 0.078),
    (0.24342268924547819, 0.20476744424496821, 0.5518098665095536),
)
_B, _ROOT = np.float32(BIAS), np.float32(math.cbrt(BIAS))
(_L0, _L1, _L2), (_M0, _M1, _M2), (_S0, _S1, _S2) = (tuple(map(np.float32, cone)) for cone in RESPONSES)
RED_GREEN = 14.0  # the weight of the channel X
_X = np.float32(RED_GREEN / 2)


@inline_kernel
def _cube_root(x: Any) -> Any:
    """The cube root of x in [BIAS, 1.02] by Newton's method from a polynomial; relative error 1e-6."""
    y = np.float32(0.16) + x * (np.float32(2.1) - x * (np.float32(2.55) - np.float32(1.3) * x))
    for _ in range(4):
        y = y - (y * y * y - x) / (np.float32(3) * y * y)
    return y


@inline_kernel
def _light(sample: Any) -> Any:
    """The linear light of an sRGB sample; samples outside [0, 1] count as its ends."""
    x = min(max(sample, _ZERO), _ONE)
    return _T0 + x * (_T1 + x * (_T2 + x * (_T3 + x * (_T4 + x * _T5))))


@inline_kernel
def _light_slope(sample: Any) -> Any:
    """The derivative of `_light`, 0 outside [0, 1]."""
    x = min(max(sample, _ZERO), _ONE)
    slope = _T1 + x * (_TWO * _T2 + x * (np.float32(3) * _T3 + x * (np.float32(4) * _T4 + x * np.float32(5) * _T5)))
    return slope if x == sample else _ZERO


@inline_kernel
def _share_of(at: int, count: int, start: int) -> Any:
    """The weight of a sample in its cell along one axis: 1 where it is alone, which happens at the ends."""
    alone = (at == 0 and start == 1) or (at == count - 1 and (count + start) % 2 == 1)
    return _ONE if alone else _HALF


@inline_kernel
def _paired(line: Any, across: int, factor: Any, row: Any) -> None:
    """row = factor times the sums of two entries of the line, cells beginning at -across; an entry that is alone in its
    cell counts twice."""
    columns = line.shape[0]
    pairs, cells, count = line[across:], row[across:], (columns - across) // 2
    for i in range(count):
        cells[i] = factor * (pairs[2 * i] + pairs[2 * i + 1])
    if across:
        row[0] = _TWO * factor * line[0]
    if (columns - across) % 2:
        cells[count] = _TWO * factor * line[columns - 1]


@inline_kernel
def _spread(row: Any, across: int, factor: Any, line: Any) -> None:
    """line += the adjoint of `_paired`."""
    columns = line.shape[0]
    pairs, cells, count = line[across:], row[across:], (columns - across) // 2
    for i in range(count):
        more = factor * cells[i]
        pairs[2 * i] += more
        pairs[2 * i + 1] += more
    if across:
        line[0] += _TWO * factor * row[0]
    if (columns - across) % 2:
        line[columns - 1] += _TWO * factor * cells[count]


@float_kernel
def halved_light(samples: Any, errors: Any, down: int, across: int, first: int, last: int, out: Any) -> None:
    """out = means of 2 x 2 of the light of samples + errors, as `halve` takes them."""
    rows, columns = samples.shape
    line = np.empty(columns, np.float32)
    for r in range(first, last):
        above, below = max(2 * r - down, 0), min(2 * r + 1 - down, rows - 1)
        a, b, c, d = samples[above], errors[above], samples[below], errors[below]
        for i in range(columns):
            line[i] = _light(a[i] + b[i]) + _light(c[i] + d[i])
        _paired(line, across, _QUARTER, out[r])


@float_kernel
def halved_light_adjoint(
    back: Any, samples: Any, errors: Any, down: int, across: int, first: int, last: int, out: Any
) -> None:
    """out += the gradient by samples + errors, given that by `halved_light`, `back`; first and last: rows of out."""
    rows, columns = samples.shape
    line = np.empty(columns, np.float32)
    for r in range(first, last):
        for i in range(columns):
            line[i] = _ZERO
        _spread(back[(r + down) // 2], across, _HALF * _share_of(r, rows, down), line)
        a, b, row = samples[r], errors[r], out[r]
        for i in range(columns):
            row[i] += line[i] * _light_slope(a[i] + b[i])


@float_kernel
def to_xyb(light: Any, first: int, last: int, roots: Any, xyb: Any) -> None:
    """xyb (3, rows, columns) = the channels X, Y and B - Y, scaled as SSIMULACRA 2 does, of light (3, rows, columns);
    roots: the cube roots that `xyb_adjoint` needs."""
    for r in range(first, last):
        for i in range(light.shape[2]):
            red, green, blue = light[0, r, i], light[1, r, i], light[2, r, i]
            long = _cube_root(_L0 * red + _L1 * green + _L2 * blue + _B)
            middle = _cube_root(_M0 * red + _M1 * green + _M2 * blue + _B)
            short = _cube_root(_S0 * red + _S1 * green + _S2 * blue + _B)
            roots[0, r, i], roots[1, r, i], roots[2, r, i] = long, middle, short
            y = _HALF * (long + middle) - _ROOT
            xyb[0, r, i] = _X * (long - middle) + np.float32(0.42)
            xyb[1, r, i] = y + np.float32(0.01)
            xyb[2, r, i] = short - _ROOT - y + np.float32(0.55)


@float_kernel
def xyb_adjoint(back: Any, roots: Any, first: int, last: int, out: Any) -> None:
    """out (3, rows, columns) += the gradient by light, given that by XYB, `back`."""
    for r in range(first, last):
        for i in range(back.shape[2]):
            x, y, b = _X * back[0, r, i], _HALF * (back[1, r, i] - back[2, r, i]), back[2, r, i]
            long, middle, short = roots[0, r, i], roots[1, r, i], roots[2, r, i]
            by_long = _THIRD * (y + x) / (long * long)
            by_middle = _THIRD * (y - x) / (middle * middle)
            by_short = _THIRD * b / (short * short)
            out[0, r, i] += _L0 * by_long + _M0 * by_middle + _S0 * by_short
            out[1, r, i] += _L1 * by_long + _M1 * by_middle + _S1 * by_short
            out[2, r, i] += _L2 * by_long + _M2 * by_middle + _S2 * by_short


@inline_kernel
def _mirrored(row: int, rows: int) -> int:
    """The row that stands for `row` beyond an edge: mirrored there, so the window is its own adjoint."""
    period = 2 * rows
    row = row % period
    return row if row < rows else period - 1 - row


@inline_kernel
def _across(line: Any, out: Any) -> None:
    """out (w,) = line (w + 2 REACH,), of which the middle is given, under the window, mirrored at its ends."""
    w = out.shape[0]
    for i in range(REACH):
        line[REACH - 1 - i] = line[REACH + _mirrored(i, w)]
        line[REACH + w + i] = line[REACH + _mirrored(w + i, w)]
    a, b, c, d, e, f = line[:w], line[1 : w + 1], line[2 : w + 2], line[3 : w + 3], line[4 : w + 4], line[5 : w + 5]
    g, h, j, k, m = line[6 : w + 6], line[7 : w + 7], line[8 : w + 8], line[9 : w + 9], line[10 : w + 10]
    for i in range(w):
        near = _W0 * f[i] + _W1 * (e[i] + g[i]) + _W2 * (d[i] + h[i])
        out[i] = near + (_W3 * (c[i] + j[i]) + _W4 * (b[i] + k[i]) + _W5 * (a[i] + m[i]))


@inline_kernel
def _tap(distance: int) -> Any:
    distance = abs(distance)
    if distance == 0:
        return _W0
    if distance == 1:
        return _W1
    if distance == 2:
        return _W2
    if distance == 3:
        return _W3
    return _W4 if distance == 4 else _W5


@float_kernel
def moments(original: Any, copy: Any, first: int, last: int, out: Any) -> None:
    """out (3, rows, columns) = local means of copy, copy^2 and original * copy."""
    rows, columns = copy.shape
    line = np.empty((3, columns + 2 * REACH), np.float32)
    means = line[0, REACH : REACH + columns]
    squares, products = line[1, REACH : REACH + columns], line[2, REACH : REACH + columns]
    for r in range(first, last):
        for i in range(columns):
            means[i], squares[i], products[i] = _ZERO, _ZERO, _ZERO
        for distance in range(-REACH, REACH + 1):
            source, tap = _mirrored(r + distance, rows), _tap(distance)
            x, y = original[source], copy[source]
            for i in range(columns):
                scaled = tap * y[i]
                means[i] += scaled
                squares[i] += scaled * y[i]
                products[i] += scaled * x[i]
        for n in range(3):
            _across(line[n], out[n, r])


@float_kernel
def moments_adjoint(by_moments: Any, original: Any, copy: Any, first: int, last: int, back: Any) -> None:
    """back (rows, columns) += the gradient by copy, given that by its moments, (3, rows, columns)."""
    rows, columns = copy.shape
    line, out = np.empty(columns + 2 * REACH, np.float32), np.empty((3, columns), np.float32)
    middle = line[REACH : REACH + columns]
    for r in range(first, last):
        for n in range(3):
            for i in range(columns):
                middle[i] = _ZERO
            for distance in range(-REACH, REACH + 1):
                source, tap = by_moments[n, _mirrored(r + distance, rows)], _tap(distance)
                for i in range(columns):
                    middle[i] += tap * source[i]
            _across(line, out[n])
        x, y, into = original[r], copy[r], back[r]
        for i in range(columns):
            into[i] += out[0, i] + _TWO * y[i] * out[1, i] + x[i] * out[2, i]


@inline_kernel
def _similarity(m1: Any, v1: Any, m2: Any, s22: Any, s12: Any) -> Any:
    """(luminance, numerator, denominator) of SSIM without C1, as SSIMULACRA 2 has it."""
    difference = m1 - m2
    numerator = _TWO * (s12 - m1 * m2) + _C2
    return _ONE - difference * difference, numerator, v1 + (s22 - m2 * m2) + _C2


@float_kernel
def losses(original: Any, mean: Any, variance: Any, copy: Any, seen: Any, first: int, last: int, sums: Any) -> None:
    """sums (4,) += the sums of d, d^4, a^4 and l^4: d is 1 - SSIM where positive; a, what was added to the contrast of
    each pixel with its surroundings, and l, what is lost of it; seen: the moments of copy and original."""
    for r in range(first, last):
        linear, fourth, added, lost = _ZERO, _ZERO, _ZERO, _ZERO
        for i in range(copy.shape[1]):
            m1, m2 = mean[r, i], seen[0, r, i]
            light, numerator, denominator = _similarity(m1, variance[r, i], m2, seen[1, r, i], seen[2, r, i])
            d = max(_ONE - light * numerator / denominator, _ZERO)
            linear += d
            fourth += d * d * d * d
            edge = (_ONE + abs(copy[r, i] - m2)) / (_ONE + abs(original[r, i] - m1)) - _ONE
            above, below = max(edge, _ZERO), min(edge, _ZERO)
            added += above * above * above * above
            lost += below * below * below * below
        sums[0] += linear
        sums[1] += fourth
        sums[2] += added
        sums[3] += lost


@float_kernel
def loss_slopes(
    original: Any, mean: Any, variance: Any, copy: Any, slopes: Any, first: int, last: int, seen: Any, back: Any
) -> None:
    """seen, the moments as `losses` takes them, become the gradient by them of slopes (4,) times its sums; back (rows,
    columns) = the gradient by the copy itself, where its moments are constant."""
    by_linear, four = slopes[0], np.float32(4)
    by_fourth, by_added, by_lost = four * slopes[1], four * slopes[2], four * slopes[3]
    for r in range(first, last):
        for i in range(copy.shape[1]):
            m1, m2 = mean[r, i], seen[0, r, i]
            light, numerator, denominator = _similarity(m1, variance[r, i], m2, seen[1, r, i], seen[2, r, i])
            inverse = _ONE / denominator
            ratio = numerator * inverse
            d = max(_ONE - light * ratio, _ZERO)
            by_d = by_linear + by_fourth * d * d * d if d > _ZERO else _ZERO
            lit = light * inverse
            by_mean = -_TWO * ((m1 - m2) * ratio + lit * (m2 * ratio - m1))
            sharpness = _ONE / (_ONE + abs(original[r, i] - m1))
            away = copy[r, i] - m2
            edge = (_ONE + abs(away)) * sharpness - _ONE
            above, below = max(edge, _ZERO), min(edge, _ZERO)
            by_copy = (by_added * above * above * above + by_lost * below * below * below) * sharpness
            by_copy = by_copy if away > _ZERO else -by_copy
            seen[0, r, i] = by_d * by_mean - by_copy
            seen[1, r, i] = by_d * lit * ratio
            seen[2, r, i] = -_TWO * by_d * lit
            back[r, i] = by_copy


@float_kernel
def halve(plane: Any, down: int, across: int, first: int, last: int, out: Any) -> None:
    """out = means of 2 x 2 of the plane. Cells begin at row -down and column -across, 0 or -1; at the edges they have
    the samples that are there."""
    rows, columns = plane.shape
    line = np.empty(columns, np.float32)
    for r in range(first, last):
        upper, lower = plane[max(2 * r - down, 0)], plane[min(2 * r + 1 - down, rows - 1)]
        for i in range(columns):
            line[i] = upper[i] + lower[i]
        _paired(line, across, _QUARTER, out[r])


@float_kernel
def halve_adjoint(back: Any, down: int, across: int, first: int, last: int, plane: Any) -> None:
    """plane += the adjoint of `halve`, on rows first..last-1 of the plane."""
    rows = plane.shape[0]
    for r in range(first, last):
        _spread(back[(r + down) // 2], across, _HALF * _share_of(r, rows, down), plane[r])
