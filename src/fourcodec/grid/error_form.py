"""A quadratic form of a picture's errors, in place of the sum of their squares.

    x_0 = the errors;  x_k = x_(k-1) at half the size
    form = sum over scales k, channels c and places p of 4^k w_k(p) x_kc(p)^2

4^k is the number of samples that a place at scale k stands for. Errors that neighbours share count at all scales, those
that change from one sample to the next only at the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fourcodec.arrays import Floats
from fourcodec.grid.kernels import error_form as kernels
from fourcodec.threads import map_threads

_ROWS = 16  # rows per piece of work


@dataclass(frozen=True, eq=False)
class ErrorForm:
    """The weights of the form for one picture or tile: weights[k] (rows, columns) float32 at scale k, finest first,
    all positive."""

    weights: tuple[Floats, ...]

    def cut(self, rows: slice, columns: slice) -> ErrorForm:
        """The form of a tile, which begins at multiples of 2^(scales - 1)."""
        cuts = [
            (slice(rows.start >> k, -(-rows.stop >> k)), slice(columns.start >> k, -(-columns.stop >> k)))
            for k in range(len(self.weights))
        ]
        return ErrorForm(tuple(plane[at] for plane, at in zip(self.weights, cuts, strict=True)))


class FormKernels:
    """An ErrorForm on this process's cores, with work space."""

    def __init__(self, form: ErrorForm, channels: int, threads: int) -> None:
        self._weights, self._threads = form.weights, threads
        self._coarser = [np.zeros((channels, *plane.shape), np.float32) for plane in form.weights[1:]]
        rows, columns = form.weights[-1].shape
        self._nothing = np.zeros((channels, -(-rows // 2), -(-columns // 2)), np.float32)

    def measure(self, errors: Floats) -> float:
        """The form of errors (channels, height, width). Their coarser scales are kept for `weigh` and `costs`."""
        for finer, coarser in zip([errors, *self._coarser], self._coarser, strict=False):
            self._map(coarser.shape[1], lambda *band, a=finer, b=coarser: kernels.halve(a, *band, b))
        total = 0.0
        for k, (planes, weight) in enumerate(zip([errors, *self._coarser], self._weights, strict=True)):
            found = self._map(len(weight), lambda *band, a=planes, b=weight: float(kernels.measure(a, b, *band)))
            total += 4.0**k * sum(found)
        return total

    def weigh(self, errors: Floats) -> None:
        """The errors, after `measure`, become half the gradient of the form by them."""
        coarser = self._nothing
        for planes, weight in self._coarsest_first(errors):
            self._map(len(weight), lambda *band, a=planes, b=weight, c=coarser: kernels.weigh(a, b, c, *band))
            coarser = planes

    def costs(self, errors: Floats, factor: float) -> Floats:
        """The terms of the form times `factor`, (height, width), after `measure`: those of coarser scales in equal
        parts at the pixels that they belong to, without the parts beyond an odd edge."""
        coarser, scaled = self._nothing[0], np.float32(factor)
        for planes, weight in self._coarsest_first(errors):
            out = np.empty(weight.shape, np.float32)
            self._map(
                len(weight),
                lambda *band, a=planes, b=weight, c=coarser, d=out: kernels.add_costs(a, b, scaled, c, *band, d),
            )
            coarser = out
        return coarser

    def _coarsest_first(self, errors: Floats) -> Iterator[tuple[Floats, Floats]]:
        """The errors and the weights of each scale."""
        yield from zip(reversed([errors, *self._coarser]), reversed(self._weights), strict=True)

    def _map(self, rows: int, function: Callable[..., Any]) -> list[Any]:
        bands = [(at, min(at + _ROWS, rows)) for at in range(0, rows, _ROWS)]
        return map_threads(lambda band: function(*band), bands, self._threads)
