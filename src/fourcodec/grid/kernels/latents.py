"""Element-wise kernels on latents: soft rounding with noise, Adam's update, changes of layout (numba, GIL released).

The latents of a level lie in four planes, one for each place in a 2 x 2 cell (a pass), with rows `stride` apart; see
grid/pyramid.py. A level as one array (rows, columns) is called plain here.
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
    """The keys (4, 2) uint32 of the noise of the four planes, for `perturb`.

    stream: integers that name the noise, such as seed, iteration and tile. They go through a hash, so that streams that
    differ by 1 have unrelated keys.
    """
    digest = hashlib.blake2b(repr(stream).encode(), digest_size=32).digest()
    return np.frombuffer(digest, "<u4").reshape(4, 2).astype(np.uint32)


@float_kernel
def perturb(
    latents: Any,
    mask: Any,
    temperature: Any,
    deviation: Any,
    keys: Any,
    start: int,
    stop: int,
    noisy: Any,
    derivative: Any,
) -> None:
    """noisy = softround(softround(y) + noise) and its derivative by y, at positions start..stop-1 of all four planes.

    It stands for rounding during a fit (Kim et al., "C3: High-performance and low-complexity neural compression from a
    single image or video", 2024, section 3.1); soft rounding is that of Agustsson and Theis, "Universally Quantized
    Neural Compression", 2020, sharper at lower `temperature`.

    latents, noisy, derivative: (4, total) float32. mask: (total,) float32. The noise is a sum of four uniform bytes,
    near Gaussian, with standard deviation `deviation`. It is a hash of position and `keys` (4, 2), so it does not
    depend on how the work is divided. One key enters before the first multiplication and one after it: with one key
    alone all planes would have the same sequence of noise, shifted.
    """
    inverse = _ONE / temperature
    scale = _HALF / _tanh(_HALF * inverse)
    steep = scale * inverse
    spread = deviation / np.float32(147.8)
    for p in range(4):
        y, out, by = latents[p, start:stop], noisy[p, start:stop], derivative[p, start:stop]
        present = mask[start:stop]
        before, after = keys[p, 0], keys[p, 1]
        first = np.uint32(start)
        for i in range(stop - start):
            # numba computes in 64 bits; without the casts to 32 the loop is not vectorised
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
            first_derivative = steep * (_ONE - r * r)
            t = whole + _HALF + scale * r + noise
            whole = np.floor(t)
            r = _tanh((t - whole - _HALF) * inverse)
            out[i] = (whole + _HALF + scale * r) * present[i]
            by[i] = first_derivative * steep * (_ONE - r * r) * present[i]


@float_kernel
def adam(
    latents: Any,
    first: Any,
    second: Any,
    gradients: Any,
    proxy_derivative: Any,
    rate: Any,
    floor: Any,
    momentum: Any,
    decay: Any,
    start: int,
    stop: int,
) -> None:
    """One update of `latents` by Adam (Kingma and Ba, 2015) without bias correction, its denominator at least `floor`,
    at positions start..stop-1.

    latents and the moments first, second: (4, total) float32, changed in place. gradients: by the noisy latents;
    proxy_derivative: of those by the latents, from `perturb`. rate, floor, momentum, decay: float32.
    """
    for p in range(4):
        y, m, v = latents[p, start:stop], first[p, start:stop], second[p, start:stop]
        g, c = gradients[p, start:stop], proxy_derivative[p, start:stop]
        for i in range(stop - start):
            d = g[i] * c[i]
            a = momentum * m[i] + (_ONE - momentum) * d
            b = decay * v[i] + (_ONE - decay) * d * d
            m[i] = a
            v[i] = b
            y[i] -= rate * a / (np.sqrt(b) + floor)


@float_kernel
def interleave(planes: Any, base: int, stride: int, first: int, last: int, plain: Any) -> None:
    """Rows 2 first..2 last - 1 of plain (rows, columns) from rows first..last-1 of the four planes."""
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
    """planes += plain, at rows first..last-1 of the planes: the adjoint of interleave, and its inverse where planes are
    0."""
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
    """plane at (r, c) = plain at (r >> shift, c >> shift): a coarser level as the entropy model sees it."""
    for r in range(rows):
        out = plane[base + r * stride : base + r * stride + columns]
        source = plain[r >> shift]
        for c in range(columns):
            out[c] = source[c >> shift]


@float_kernel
def collect_coarser(plane: Any, shift: int, base: int, stride: int, rows: int, columns: int, plain: Any) -> None:
    """The adjoint of place_coarser: plain at (r >> shift, c >> shift) += plane at (r, c)."""
    for r in range(rows):
        source = plane[base + r * stride : base + r * stride + columns]
        out = plain[r >> shift]
        for c in range(columns):
            out[c >> shift] += source[c]
