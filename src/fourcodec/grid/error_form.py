"""A quadratic form of a picture's errors, in place of the sum of their squares.

    x_0 = the errors;  x_k = x_(k-1) at half the size
    form = sum over scales k, channels c and places p of 4^k w_k(p) x_kc(p)^2

4^k is the number of samples that a place at scale k stands for. Errors that neighbours share count at all scales, those
that change from one sample to the next only at the first.

SSIMULACRA 2 (grid/ssimulacra2.py) may have a share in the gradient. Its loss alone is a poor guide: its slopes are
steep at few samples, and it says nothing of the finest errors. So half the gradient of the form, h, becomes h + pull:

    pull = share * (bounded - h);  bounded = s g / sqrt(1 + (s g / bound)^2)

g is the metric's gradient, scaled by s so that its root mean square is STRENGTH times that of h; bound is BOUND times
the same. Where whole steps of latents are judged (RDOQ), the form with the linear term 2 pull x stands for both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fourcodec.arrays import Floats
from fourcodec.grid.kernels import error_form as kernels
from fourcodec.grid.ssimulacra2 import PHASES, Ssimulacra2, scales_of
from fourcodec.threads import map_threads

STRENGTH, BOUND = 2.0, 2.0
PHASE_STEP = 167  # from a phase of the metric to the next: all come, and neighbours are far apart
PHASE_TURNS = 4  # gradients of the metric at one phase, which share what is computed of the original
_ROWS = 64  # rows per piece of work


@dataclass(frozen=True, eq=False)
class ErrorForm:
    """The form for one picture or tile: weights[k] (rows, columns) float32 at scale k, finest first, all positive;
    metric_share, 0 to 1: that of SSIMULACRA 2 in gradients."""

    weights: tuple[Floats, ...]
    metric_share: float = 0.0

    def cut(self, rows: slice, columns: slice) -> ErrorForm:
        """The form of a tile, which begins at multiples of 2^(scales - 1)."""
        cuts = [
            (slice(rows.start >> k, -(-rows.stop >> k)), slice(columns.start >> k, -(-columns.stop >> k)))
            for k in range(len(self.weights))
        ]
        return ErrorForm(tuple(plane[at] for plane, at in zip(self.weights, cuts, strict=True)), self.metric_share)


class FormKernels:
    """An ErrorForm of the errors of copies of one picture, `target` (channels, height, width) float32 in [0, 1], on
    this process's cores, with work space."""

    def __init__(self, form: ErrorForm, target: Floats, threads: int) -> None:
        self._weights, self._threads = form.weights, threads
        self._share = np.float32(form.metric_share)
        judged = form.metric_share > 0 and scales_of(*target.shape[1:]) > 0
        self._metric = Ssimulacra2(target, threads) if judged else None
        self._turn = 0
        self._pull = np.zeros(target.shape if self._metric else 0, np.float32)
        channels = len(target)
        self._coarser = [np.zeros((channels, *plane.shape), np.float32) for plane in form.weights[1:]]
        rows, columns = form.weights[-1].shape
        self._nothing = np.zeros((channels, -(-rows // 2), -(-columns // 2)), np.float32)

    def measure(self, errors: Floats) -> float:
        """The form of errors (channels, height, width). Their coarser scales are kept for `weigh` and `costs`."""
        total, scales = 0.0, [errors, *self._coarser]
        for k, (planes, weight, coarser) in enumerate(zip(scales, self._weights, self._coarser, strict=False)):
            found = self._map(
                coarser.shape[1],
                lambda *band, a=planes, b=weight, c=coarser: float(kernels.measure_and_halve(a, b, *band, c)),
            )
            total += 4.0**k * sum(found)
        coarsest, weight = scales[-1], self._weights[-1]
        found = self._map(len(weight), lambda *band: float(kernels.measure(coarsest, weight, *band)))
        return total + 4.0 ** len(self._coarser) * sum(found)

    def weigh(self, errors: Floats, *, anew: bool = True) -> None:
        """The errors, after `measure`, become half the gradient by them: of the form, and of the metric by its share.
        anew: whether the pull is computed; otherwise it is that of the last call."""
        other = None
        if self._metric and anew:
            other = self._metric.gradient(errors, PHASE_STEP * (self._turn // PHASE_TURNS) % PHASES)[1]
            self._turn += 1
        coarser = self._nothing
        for planes, weight in self._coarsest_first(errors):
            self._map(len(weight), lambda *band, a=planes, b=weight, c=coarser: kernels.weigh(a, b, c, *band))
            coarser = planes
        if other is not None:
            self._add_pull(errors, other)
        elif self._metric:
            errors += self._pull

    def _add_pull(self, gradient: Floats, other: Floats) -> None:
        """Adds the pull to half the gradient of the form; `other` is the metric's gradient."""
        planes = list(zip(gradient, other, self._pull, strict=True))
        sums = [self._map(len(a), lambda *band, a=a, b=b: kernels.squares(a, b, *band)) for a, b, _ in planes]
        own, others = np.sqrt(np.sum(sums, axis=(0, 1)))
        if not own or not others:
            self._pull[:] = 0
            return
        scale = np.float32(STRENGTH * own / others)
        bound = np.float32(BOUND * STRENGTH * own / math.sqrt(gradient.size))
        for a, b, pull in planes:
            args = a, b, scale, bound, self._share
            self._map(len(a), lambda *band, args=args, out=pull: kernels.pull(*args, *band, out))

    def costs(self, errors: Floats, factor: float) -> Floats:
        """The terms of the form times `factor`, (height, width), after `measure`: those of coarser scales in equal
        parts at the pixels that they belong to, without the parts beyond an odd edge. With them those of 2 pull x, for
        the pull of the last `weigh`."""
        coarser, scaled = self._nothing[0], np.float32(factor)
        for planes, weight in self._coarsest_first(errors):
            out = np.empty(weight.shape, np.float32)
            self._map(
                len(weight),
                lambda *band, a=planes, b=weight, c=coarser, d=out: kernels.add_costs(a, b, scaled, c, *band, d),
            )
            coarser = out
        if self._metric:
            coarser += np.float32(2 * factor) * np.einsum("chw,chw->hw", self._pull, errors)
        return coarser

    def _coarsest_first(self, errors: Floats) -> Iterator[tuple[Floats, Floats]]:
        """The errors and the weights of each scale."""
        yield from zip(reversed([errors, *self._coarser]), reversed(self._weights), strict=True)

    def _map(self, rows: int, function: Callable[..., Any]) -> list[Any]:
        bands = [(at, min(at + _ROWS, rows)) for at in range(0, rows, _ROWS)]
        return map_threads(lambda band: function(*band), bands, self._threads)
