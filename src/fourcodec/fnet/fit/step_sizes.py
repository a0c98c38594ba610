"""Training for quantisation: step sizes from curvature, noise, the price of bits.

For a uniform quantiser of step s, a coefficient with curvature h (MSE grows by h e^2) costs h s^2 / 12 of MSE and saves
log2(s) bits. With a bit worth `bit_price` of MSE the best step is s = sqrt(6 bit_price / (h ln 2)): no step needs
learning. Curvatures are alike within one output of a layer (each feature has mean square 1/2) and differ a thousandfold
between outputs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.fourier.frequencies import frequency_bits
from fourcodec.fourier.shape import NetworkShape

_FLATTEST = 1e-7  # of the largest curvature: an output that does nothing yet still gets a finite step
_KEPT = 0.8  # of the old curvature at each new estimate
_PRESSURE = 2.0  # bits are priced so many times higher in gradients than in step sizes: 5% fewer bytes at equal PSNR


class StepSizes:
    """Tracks curvature and gives the step of every output of every layer."""

    def __init__(self, shape: NetworkShape, bit_price: float) -> None:
        self._shape, self._bit_price = shape, bit_price
        self._curvature: NDArray[np.float64] | None = None  # (outputs of all layers,)

    def observe(self, curvature: NDArray[np.float64]) -> None:
        """curvature (coefficient_count,) as fnet.network.curvature estimates it."""
        new = np.concatenate(
            [curvature[layer.span].reshape(-1, layer.outputs).mean(axis=0) for layer in self._shape.layers]
        )
        self._curvature = new if self._curvature is None else _KEPT * self._curvature + (1 - _KEPT) * new

    def steps(self) -> NDArray[np.float64]:
        """(outputs of all layers,), for quantize.step_index."""
        assert self._curvature is not None
        floor = max(float(self._curvature.max()) * _FLATTEST, 1e-30)
        return np.sqrt(6 * self._bit_price / (np.maximum(self._curvature, floor) * math.log(2)))


class LaplacePrior:
    """The price of bits: coefficients of one layer and one number of ones in k share a Laplace scale, their mean
    magnitude."""

    def __init__(self, shape: NetworkShape) -> None:
        groups, first = np.empty(shape.coefficient_count, np.int64), 0
        for layer in shape.layers:
            ones = frequency_bits(layer.inputs, layer.order).sum(axis=1)
            groups[layer.span].reshape(len(ones), -1)[:] = first + ones[:, None]
            first += layer.order + 1
        self._groups = groups
        self._counts = np.bincount(groups)

    def bits(self, coefficients: Floats, steps: Floats) -> float:
        """About what the quantised coefficients cost, as they are priced: the entropy of a Laplace variable of scale b
        at step s is log2(2 e b / s) where b is large, times _PRESSURE."""
        scales = np.bincount(self._groups, np.abs(coefficients)) / self._counts
        return _PRESSURE * float(np.log2(1 + 2 * math.e * scales[self._groups] / steps).sum())

    def gradient(self, coefficients: Floats, steps: Floats) -> Floats:
        """Bits per unit of each coefficient, sign(c) / (scale ln 2), times _PRESSURE; smooth within half a step of
        0."""
        scales = np.bincount(self._groups, np.abs(coefficients)) / self._counts
        inverse = (_PRESSURE / (math.log(2) * np.maximum(scales, 1e-9))).astype(np.float32)
        return np.tanh(2 * coefficients / steps) * inverse[self._groups]
