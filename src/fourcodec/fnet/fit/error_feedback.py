"""Quantisation errors that make up for each other: rounding with feedback, and training noise of the same form.

The features of a layer are correlated, since they are waves of the same few inputs. So what the rounding of one
coefficient changes in the picture, others of the same output can nearly undo. Where errors e of an output's
coefficients raise the MSE by e^T H e, H has a factorisation with

    e^T H e = sum_i d_i (e_i + sum_{j < i} B_ij e_j)^2

Coefficients are rounded in their order, each to the integer nearest to what makes up for the errors before (GPTQ,
Frantar et al., 2023, which is Babai's nearest plane). Errors are then (1 + B)^-1 u with u uniform within a step s, and
cost sum_i d_i s^2 / 12. Without feedback they cost sum_i H_ii s^2 / 12, which is 2 to 4 times as much.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.fnet.quantize import MAX_SYMBOL, quantize
from fourcodec.fourier.frequencies import frequency_bits
from fourcodec.fourier.shape import LayerShape, NetworkShape
from fourcodec.threads import map_threads

OBSERVED_PIXELS = 4 * 768  # of an estimate of H
MAX_ROWS = 800  # layers with more coefficients an output have no feedback: estimates would take most of the time
_KEPT = 0.7  # weight of the old H at each new estimate
# Added to the diagonal of H, relative to its mean: errors that the observed pixels do not show are not free. Measured
# with step_sizes._FINER: 0.01 with steps of 0.75 and 1, and 0.05 with 1, have 0.3 to 1.8% more J than 0.03 with 0.85.
_RIDGE = 0.03


class ErrorFeedback:
    """A running estimate of H for each layer of a network, the same for all outputs of a layer, and what follows."""

    def __init__(self, shape: NetworkShape) -> None:
        self._shape = shape
        self._squares: list[NDArray[np.float64] | None] = [None] * len(shape.layers)  # H (rows, rows)
        self._feedback: list[NDArray[np.float64] | None] = [None] * len(shape.layers)  # B
        self._shaping: list[Floats | None] = [None] * len(shape.layers)  # (1 + B)^-1
        # Of each output: what errors cost, relative to those without feedback.
        self.shares = np.ones(shape.output_count)

    def observe(self, sensitivities: Sequence[tuple[Floats, Floats]], threads: int) -> None:
        """Updates the running estimate. sensitivities: what `Backend.sensitivities` returns, for each layer its inputs
        (inputs, N) and derivatives (outputs, N), float32."""

        def observe(number: int) -> None:
            inputs, derivatives = (array[:, :OBSERVED_PIXELS] for array in sensitivities[number])
            self._observe(number, inputs, derivatives)

        map_threads(observe, range(len(self._shape.layers)), threads)

    def _observe(self, number: int, inputs: Floats, derivatives: Floats) -> None:
        layer = self._shape.layers[number]
        if layer.size // layer.outputs > MAX_ROWS:
            return
        squares = np.square(derivatives)
        weights = (squares / (squares.mean(axis=1, keepdims=True) + np.float32(1e-30))).mean(axis=0)
        waves = _features(layer, inputs)
        new = ((waves * weights) @ waves.T).astype(np.float64)
        if not np.isfinite(new).all():  # the fit has diverged, and goes back
            return
        old = self._squares[number]
        kept = self._squares[number] = new if old is None else _KEPT * old + (1 - _KEPT) * new
        costs, feedback = _factorised(kept + (_RIDGE * np.trace(kept) / len(kept) + 1e-30) * np.eye(len(kept)))
        self._feedback[number] = feedback
        self._shaping[number] = np.linalg.inv(np.eye(len(kept)) + feedback).astype(np.float32)
        first = sum(before.outputs for before in self._shape.layers[:number])
        self.shares[first : first + layer.outputs] = costs.sum() / max(np.trace(kept), 1e-30)

    def shape_noise(self, noise: Floats, first: int, threads: int) -> None:
        """Turns noise (draws, count), independent and in steps, into that of rounding with feedback, in place, in all
        layers from number `first` on."""

        def shape(number: int) -> None:
            layer, shaping = self._shape.layers[number], self._shaping[number]
            if shaping is not None:
                own = noise[:, layer.span].reshape(len(noise), len(shaping), layer.outputs)
                together = np.ascontiguousarray(own.transpose(1, 0, 2)).reshape(len(shaping), -1)
                shaped = (shaping @ together).reshape(len(shaping), len(noise), layer.outputs)
                own[:] = shaped.transpose(1, 0, 2)

        map_threads(shape, range(first, len(self._shape.layers)), threads)

    def rounded(self, number: int, coefficients: Floats, steps: Floats) -> NDArray[np.int32]:
        """The symbols (size,) int32 of the coefficients of layer `number`, for quantiser steps (size,)."""
        feedback, outputs = self._feedback[number], self._shape.layers[number].outputs
        if feedback is None:
            return quantize(coefficients, steps)
        wanted, step = coefficients.reshape(-1, outputs).astype(np.float64), steps[:outputs].astype(np.float64)
        symbols, errors = np.empty_like(wanted), np.zeros_like(wanted)
        for row in range(len(wanted)):
            made_up = wanted[row] - feedback[row, :row] @ errors[:row]
            symbols[row] = np.clip(np.rint(made_up / step), -MAX_SYMBOL, MAX_SYMBOL)
            errors[row] = symbols[row] * step - wanted[row]
        return symbols.ravel().astype(np.int32)


def _features(layer: LayerShape, inputs: Floats) -> Floats:
    """cos(2 pi k.x) and sin(2 pi k.x) of all frequencies k of a layer at inputs x (inputs, N): (rows, N) float32, in
    the order of an output's coefficients."""
    angles = frequency_bits(layer.inputs, layer.order).astype(np.float32) @ (inputs - np.rint(inputs))
    angles *= np.float32(2 * np.pi)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).reshape(-1, inputs.shape[1])


def _factorised(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The d (n,) and B (n, n), 0 on and above its diagonal, of a positive definite matrix H (n, n)."""
    # Of the matrix in reversed order, the Cholesky factor gives squares in which the last error stands alone.
    factor = np.linalg.cholesky(matrix[::-1, ::-1])
    diagonal = np.diagonal(factor)
    return np.square(diagonal[::-1]), np.tril((factor / diagonal).T[::-1, ::-1], -1)
