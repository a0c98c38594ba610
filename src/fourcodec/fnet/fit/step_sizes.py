"""Quantiser steps from the curvature of the MSE, and the estimated rate of coefficients.

A quantiser of step s adds h s^2 / 12 to the MSE for a coefficient with curvature h (MSE rises by h e^2) and saves
log2(s) bits. At a price of `bit_price` MSE per bit the best step is s = sqrt(6 bit_price / (h ln 2)), so steps need
not be learned by gradients. Curvatures are the same for all coefficients of one output of a layer, since cosine and
sine of a feature have a mean square of 1/2, and differ a thousandfold between outputs. Rounding with feedback
(error_feedback.py) costs only a share of this, so that curvatures are multiplied by the share, and steps are larger.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.fnet.coefficient_coding import groups
from fourcodec.fourier.shape import NetworkShape

_FLATTEST = 1e-7  # least curvature relative to the largest: outputs without effect so far get a finite step
_KEPT = 0.8  # weight of the old curvature at each new estimate
_FINER = 0.85  # steps, relative to the best in theory; see error_feedback._RIDGE
_PRESSURE = 2.0  # gradients count a bit so many times higher than steps do: 5% fewer bytes at equal PSNR


class StepSizes:
    """A running estimate of the curvature, and the quantiser step of each output of each layer."""

    def __init__(self) -> None:
        self._curvature: NDArray[np.float64] | None = None  # (outputs of all layers,)

    def observe(self, sensitivities: Sequence[tuple[Floats, Floats]]) -> None:
        """Updates the running estimate. sensitivities: what `Backend.sensitivities` returns, for each layer its inputs
        (inputs, N) and derivatives (outputs, N), float32."""
        channels = len(sensitivities[-1][1])
        squares = [np.square(derivatives, dtype=np.float64).mean(axis=1) for _, derivatives in sensitivities]
        new = np.concatenate(squares) / (2 * channels)
        self._curvature = new if self._curvature is None else _KEPT * self._curvature + (1 - _KEPT) * new

    def steps(self, bit_price: float, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """The best steps at a price of `bit_price` MSE per bit, (outputs of all layers,) float64, for
        quantize.step_index. shares: of each output, what errors cost relative to independent ones."""
        assert self._curvature is not None
        floor = max(float(self._curvature.max()) * _FLATTEST, 1e-30)
        return _FINER * np.sqrt(6 * bit_price / (np.maximum(self._curvature, floor) * shares * math.log(2)))


class CoefficientRate:
    """The estimated rate of the coefficients. Those of a group share a Laplace density, whose scale is their mean
    magnitude."""

    def __init__(self, shape: NetworkShape) -> None:
        self._groups = groups(shape)
        self._counts = np.bincount(self._groups)

    def bits(self, coefficients: Floats, steps: Floats) -> float:
        """The estimated rate of quantised coefficients in bits, times _PRESSURE. A Laplace variable of large scale b
        has an entropy of log2(2 e b / s) at step s."""
        scales = np.bincount(self._groups, np.abs(coefficients)) / self._counts
        return _PRESSURE * float(np.log2(1 + 2 * math.e * scales[self._groups] / steps).sum())

    def gradient(self, coefficients: Floats, steps: Floats) -> Floats:
        """The gradient of the rate, times _PRESSURE: sign(c) / (scale ln 2) bits per unit of a coefficient, smooth
        within half a step around 0."""
        scales = np.bincount(self._groups, np.abs(coefficients)) / self._counts
        inverse = (_PRESSURE / (math.log(2) * np.maximum(scales, 1e-9))).astype(np.float32)
        return np.tanh(2 * coefficients / steps) * inverse[self._groups]
