"""Element-wise work on latents: the quantisation proxy, the optimiser's step, and the layouts (numba, GIL released).

Latents of one level lie in four planes, one per 2 x 2 sub-lattice ("pass"), rows `stride` apart; see
grid/pyramid.py.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.compiling import float_kernel, inline_kernel
from fourcodec.fourier.elementary import LOG2_E, exp2

_HALF, _ONE, _TWO, _ZERO = np.float32(0.5), np.float32(1.0), np.float32(2.0), np.float32(0.0)


@inline_kernel
def _tanh(x):  # type: ignore[no-untyped-def]
    return _ONE - _TWO / (exp2(_TWO * LOG2_E * x) + _ONE)


def noise_keys(*stream: int) -> NDArray[np.uint32]:
    """(4, 2): what the noise of each of the four planes is hashed with. stream: integers that name the noise, such as
    the fit's seed, the step and the tile. Each stream has keys of its own, unlike those of its neighbours."""
    digest = hashlib.blake2b(repr(stream).encode(), digest_size=32).digest()
    return np.frombuffer(digest, "<u4").reshape(4, 2).astype(np.uint32)


@float_kernel
def perturb(
    latents: Any, mask: Any, temperature: Any, deviation: Any, keys: Any, start: int, stop: int, noisy: Any, slope: Any
) -> None:
    """noisy = softround(softround(y) + noise), slope = its derivative by y (Kim et al., "C3", 2024, section 3.1;
    Agustsson and Theis, 2020), for positions start..stop-1 of all four planes.

    Noise is the sum of four uniform bytes, near Gaussian, of `deviation`; a hash of position and `keys` (4, 2), so that
    it does not depend on how the work is shared. One key goes in before the first multiplication and one after it: with
    one alone all planes would have the same sequence of noise, from different positions on.
    """
    inverse = _ONE / temperature
    scale = _HALF / _tanh(_HALF * inverse)
    steep = scale * inverse
    spread = deviation / np.float32(147.8)
    for p in range(4):
        y, out, by = latents[p, start:stop], noisy[p, start:stop], slope[p, start:stop]
        visible = mask[start:stop]
        before, after = keys[p, 0], keys[p, 1]
        first = np.uint32(start)
        for i in range(stop - start):
            # numba computes in 64 bits: cut back to 32 at once, or the loop is not vectorised
            z = np.uint32(np.uint32(np.uint32(i) + first) * np.uint32(0x9E3779B1) + before)
            z = np.uint32(np.uint32(z ^ np.uint32(z >> np.uint32(16))) * np.uint32(0x85EBCA6B) + after)
            z = np.uint32(np.uint32(z ^ np.uint32(z >> np.uint32(13))) * np.uint32(0xC2B2AE35))
            z = np.uint32(z ^ np.uint32(z >> np.uint32(16)))
            four = np.int32(z & np.uint32(255)) + np.int32(np.uint32(z >> np.uint32(8)) & np.uint32(255))
            four += np.int32(np.uint32(z >> np.uint32(16)) & np.uint32(255)) + np.int32(z >> np.uint32(24))
            noise = (np.float32(four) - np.float32(510.0)) * spread
            t = y[i]
            whole = np.floor(t)
            r = _tanh((t - whole - _HALF) * inverse)
            first_slope = steep * (_ONE - r * r)
            t = whole + _HALF + scale * r + noise
            whole = np.floor(t)
            r = _tanh((t - whole - _HALF) * inverse)
            out[i] = (whole + _HALF + scale * r) * visible[i]
            by[i] = first_slope * steep * (_ONE - r * r) * visible[i]


@float_kernel
def adam(
    latents: Any,
    first: Any,
    second: Any,
    slopes: Any,
    chain: Any,
    rate: Any,
    floor: Any,
    momentum: Any,
    decay: Any,
    start: int,
    stop: int,
) -> None:
    """One step of Adam without bias correction, its denominator at least `floor`; slopes by the noisy latents, chain
    the derivative of those."""
    for p in range(4):
        y, m, v = latents[p, start:stop], first[p, start:stop], second[p, start:stop]
        g, c = slopes[p, start:stop], chain[p, start:stop]
        for i in range(stop - start):
            d = g[i] * c[i]
            a = momentum * m[i] + (_ONE - momentum) * d
            b = decay * v[i] + (_ONE - decay) * d * d
            m[i] = a
            v[i] = b
            y[i] -= rate * a / (np.sqrt(b) + floor)


@float_kernel
def interleave(planes: Any, base: int, stride: int, first: int, last: int, plain: Any) -> None:
    """plain (h, w) rows 2 first..2 last - 1 from the four planes."""
    half = plain.shape[1] // 2
    for r in range(first, last):
        at = base + r * stride
        a, b, c, d = (
            planes[0, at : at + half],
            planes[2, at : at + half],
            planes[3, at : at + half],
            planes[1, at : at + half],
        )
        upper, lower = plain[2 * r], plain[2 * r + 1]
        for i in range(half):
            upper[2 * i] = a[i]
            upper[2 * i + 1] = b[i]
            lower[2 * i] = c[i]
            lower[2 * i + 1] = d[i]


@float_kernel
def add_deinterleaved(plain: Any, base: int, stride: int, first: int, last: int, planes: Any) -> None:
    """planes += plain by sub-lattices: the adjoint of interleave, and its inverse where planes is 0."""
    half = plain.shape[1] // 2
    for r in range(first, last):
        at = base + r * stride
        a, b, c, d = (
            planes[0, at : at + half],
            planes[2, at : at + half],
            planes[3, at : at + half],
            planes[1, at : at + half],
        )
        upper, lower = plain[2 * r], plain[2 * r + 1]
        for i in range(half):
            a[i] += upper[2 * i]
            b[i] += upper[2 * i + 1]
            c[i] += lower[2 * i]
            d[i] += lower[2 * i + 1]


@float_kernel
def place_coarser(plain: Any, shift: int, base: int, stride: int, rows: int, columns: int, plane: Any) -> None:
    """plane at (r, c) = plain at (r >> shift, c >> shift): a coarser level as the context model sees it."""
    for r in range(rows):
        out = plane[base + r * stride : base + r * stride + columns]
        source = plain[r >> shift]
        for c in range(columns):
            out[c] = source[c >> shift]


@float_kernel
def collect_coarser(plane: Any, shift: int, base: int, stride: int, rows: int, columns: int, plain: Any) -> None:
    """The adjoint: plain at (r >> shift, c >> shift) += plane at (r, c)."""
    for r in range(rows):
        source = plane[base + r * stride : base + r * stride + columns]
        out = plain[r >> shift]
        for c in range(columns):
            out[c >> shift] += source[c]
