"""The loss that SSIMULACRA 2 finds in a copy of a picture at scales 1:2 to 1:16, and its gradient by each sample.

The metric compares local means, variances and contrasts in the colours XYB. The loss is the weighted sum of what
differs, of which a polynomial makes the score; equal pictures have 0. Its finest scale, 1:1, is left out: its part of
the gradient costs two thirds of the time, and fits hardly gain by it (docs/research.md). Source: Sneyers, "SSIMULACRA
2", 2022, https://github.com/cloudinary/ssimulacra2.

A coarser scale has the means of 2 x 2 samples. A fit that always saw the same cells would learn to be right in their
means alone: six points of score were then lost where the picture is moved by two pixels. So every evaluation has a
phase, which says where the cells of each scale begin. The metric's own phase is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fourcodec.arrays import Floats
from fourcodec.grid.kernels import ssimulacra2 as kernels
from fourcodec.threads import map_threads

SMALLEST = 8  # pixels: the shortest side of a scale
_PIECES, _FEWEST_ROWS = 4, 64  # pieces of work, and rows of each


class Term(NamedTuple):
    """The weights of one channel at one scale: of the mean of d = 1 - SSIM, and of the fourth roots of the means of
    d^4, added^4 and lost^4."""

    linear: float = 0.0
    fourth: float = 0.0
    added: float = 0.0
    lost: float = 0.0


# By scale, 1:2 first: channel (0: X, 1: Y, 2: B - Y) and weights. What the metric weighs by less than 1 is left out.
TERMS: tuple[dict[int, Term], ...] = (
    {0: Term(fourth=1.104172643), 1: Term(fourth=6.683678146, lost=1.027889938)},
    {0: Term(fourth=1.842245552, added=11.441172604), 1: Term(225.205153008, 19.213238186)},
    {
        0: Term(fourth=1.878759498, added=10.949069906),
        1: Term(176.393175985, 24.433009999),
        2: Term(fourth=8.826982765, added=23.192433440),
    },
    {1: Term(fourth=34.779063445, added=44.835625329), 2: Term(95.108049881, added=171.266725590)},
)
PHASES = 4 ** len(TERMS)
LEAST_MEAN = 1e-20  # of fourth powers: the slope of their root has a bound


def scales_of(height: int, width: int) -> int:
    """The number of scales of a picture of this size, the same at all phases."""
    side, count = -(-min(height, width) // 2), 0
    while side >= SMALLEST and count < len(TERMS):
        side, count = -(-side // 2), count + 1
    return count


def starts_of(phase: int) -> list[tuple[int, int]]:
    """The rows and the columns, 0 or 1, by which the cells of each scale begin before the first sample."""
    return [(phase >> 2 * n & 1, phase >> 2 * n + 1 & 1) for n in range(len(TERMS))]


class _Moments(NamedTuple):
    """The local mean and variance of a channel of the original, (rows, columns)."""

    mean: Floats
    variance: Floats


class _OriginalScale(NamedTuple):
    """The original at one scale: XYB (3, rows, columns), and the moments of each channel that has a term."""

    xyb: Floats
    moments: dict[int, _Moments]


class Ssimulacra2:
    """The loss of copies of one picture, `original` (1 or 3, H, W) float32 in [0, 1], on this process's cores.

    scales: how many the picture has, those whose shorter side is SMALLEST pixels or more. One of less than 15 has none.
    What an evaluation needs of the original is kept until one of another phase.
    """

    def __init__(self, original: Floats, threads: int) -> None:
        self._original, self._threads = original, threads
        self.scales = scales_of(*original.shape[1:])
        self._phase, self._original_scales = -1, list[_OriginalScale]()
        self._by_samples = np.zeros_like(original)

    def gradient(self, errors: Floats, phase: int = 0) -> tuple[float, Floats]:
        """The loss of original + errors, (channels, H, W) float32, and its gradient by each sample. Samples below 0 and
        above 1 count as those, and have the gradient 0. The picture has a scale or more. phase: 0 to PHASES - 1. The
        next call writes its gradient to the same array."""
        starts = starts_of(phase)
        loss, found = 0.0, []
        for scale, terms, light in zip(self._originals(phase), TERMS, self._lights(errors, starts), strict=False):
            roots, xyb = self._to_xyb(light)
            by_xyb = np.zeros_like(xyb)
            for channel, term in terms.items():
                loss += self._term(scale.xyb[channel], scale.moments[channel], xyb[channel], term, by_xyb[channel])
            found.append((roots, by_xyb))
        by_light = np.zeros_like(found[-1][0])
        for n in range(len(found) - 1, -1, -1):
            roots, by_xyb = found[n]
            if n < len(found) - 1:
                by_light = self._halved_adjoint(by_light, *starts[n + 1], np.zeros_like(roots))
            self._map(roots.shape[1], lambda band, a=by_xyb, b=roots, c=by_light: kernels.xyb_adjoint(a, b, *band, c))
        by_samples = self._by_samples
        by_samples[:] = 0
        for channel, back in enumerate(by_light):  # a grey sample is all three
            args = back, *(planes[channel % len(planes)] for planes in (self._original, errors)), *starts[0]
            out = by_samples[channel % len(errors)]
            self._map(len(out), lambda band, args=args, out=out: kernels.halved_light_adjoint(*args, *band, out))
        return loss, by_samples

    def _originals(self, phase: int) -> list[_OriginalScale]:
        """The scales of the original, finest first."""
        if phase != self._phase:
            self._original_scales = []
            lights = self._lights(np.zeros_like(self._original), starts_of(phase))
            for terms, light in zip(TERMS, lights, strict=False):
                _, xyb = self._to_xyb(light)
                moments = {channel: self._original_moments(xyb[channel]) for channel in terms}
                self._original_scales.append(_OriginalScale(xyb, moments))
            self._phase = phase
        return self._original_scales

    def _original_moments(self, plane: Floats) -> _Moments:
        mean, square, _ = self._moments(plane, plane)
        return _Moments(mean, square - mean * mean)

    def _term(self, original: Floats, moments: _Moments, copy: Floats, term: Term, back: Floats) -> float:
        """The weighted losses of one channel at one scale, planes (rows, columns). Their gradient by `copy` is written
        to `back`."""
        seen = self._moments(original, copy)
        args = original, *moments, copy

        def measure(band: tuple[int, int]) -> Any:
            sums = np.zeros(4)
            kernels.losses(*args, seen, *band, sums)
            return sums

        means = np.sum(self._map(len(copy), measure), axis=0) / copy.size
        values = np.append(means[0], np.maximum(means[1:], LEAST_MEAN) ** 0.25)
        weights = np.array(term)
        slopes = weights / copy.size
        slopes[1:] *= values[1:] ** -3 / 4
        factors = slopes.astype(np.float32)
        self._map(len(copy), lambda band: kernels.loss_slopes(*args, factors, *band, seen, back))
        self._map(len(copy), lambda band: kernels.moments_adjoint(seen, original, copy, *band, back))
        return float(weights @ values)

    def _lights(self, errors: Floats, starts: list[tuple[int, int]]) -> Iterator[Floats]:
        """The linear light of original + errors at each scale, finest first."""
        light = self._halved_light(errors, *starts[0])
        yield light
        for start in starts[1 : self.scales]:
            light = self._halved(light, *start)
            yield light

    def _halved_light(self, errors: Floats, down: int, across: int) -> Floats:
        """The linear light of original + errors at 1:2, in three channels."""
        channels, height, width = errors.shape
        out = np.empty((3, -(-(height + down) // 2), -(-(width + across) // 2)), np.float32)
        for channel, half in enumerate(out):
            args = *(planes[channel % channels] for planes in (self._original, errors)), down, across
            self._map(len(half), lambda band, args=args, half=half: kernels.halved_light(*args, *band, half))
        return out

    def _halved(self, light: Floats, down: int, across: int) -> Floats:
        out = np.empty((3, -(-(light.shape[1] + down) // 2), -(-(light.shape[2] + across) // 2)), np.float32)
        for one, half in zip(light, out, strict=True):
            self._map(len(half), lambda band, a=one, b=half: kernels.halve(a, down, across, *band, b))
        return out

    def _halved_adjoint(self, back: Floats, down: int, across: int, out: Floats) -> Floats:
        """`out`, with the adjoint of _halved added to it."""
        for half, one in zip(back, out, strict=True):
            self._map(len(one), lambda band, a=half, b=one: kernels.halve_adjoint(a, down, across, *band, b))
        return out

    def _to_xyb(self, light: Floats) -> tuple[Floats, Floats]:
        """The cube roots of the cones' responses, and XYB."""
        roots, xyb = np.empty_like(light), np.empty_like(light)
        self._map(light.shape[1], lambda band: kernels.to_xyb(light, *band, roots, xyb))
        return roots, xyb

    def _moments(self, original: Floats, copy: Floats) -> Floats:
        """Local means of copy, copy^2 and original * copy, (3, rows, columns)."""
        out = np.empty((3, *copy.shape), np.float32)
        self._map(len(copy), lambda band: kernels.moments(original, copy, *band, out))
        return out

    def _map(self, rows: int, function: Callable[..., Any]) -> list[Any]:
        step = max(_FEWEST_ROWS, -(-rows // _PIECES))
        bands = [(at, min(at + step, rows)) for at in range(0, rows, step)]
        return map_threads(function, bands, self._threads)
