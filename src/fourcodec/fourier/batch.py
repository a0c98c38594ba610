"""Fourier networks of many images at the same positions, as differentiable torch functions of their coefficients.

On the CPU these run the fused kernels of fourier/batch_kernels.py; on CUDA plain torch computes the same formula. A
test binds the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fourcodec.fourier.batch_kernels import network_kernels, position_features
from fourcodec.fourier.layout import SIGMOID
from fourcodec.fourier.shape import LayerShape, NetworkShape
from fourcodec.threads import map_threads, thread_count

_PIECE = 8  # images per piece of work: a millisecond or two
_TILE_FLOATS = 1 << 28  # features per tile of plain torch: 1 GB, and autograd keeps about four times as much


class FourierImages:
    """The networks of one shape at fixed positions.

    positions (2, N) float32; activation as in a file's header: 0 for outputs that are samples in [0, 1], 1 for
    2 sigmoid - 1 in [-1, 1].
    """

    def __init__(self, shape: NetworkShape, positions: NDArray[np.float32], activation: int) -> None:
        self.shape, self.activation = shape, activation
        self.positions = positions
        self._features = position_features(positions)

    def evaluate(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Samples (B, channels, N) in [-1, 1] of coefficients (B, count), without gradients."""
        if coefficients.device.type == "cpu":
            return self._evaluate_with_kernels(coefficients.detach())
        with torch.no_grad():
            return torch.cat([self.formula(tile) for tile in coefficients.split(self._tile())])

    def squared_errors(self, coefficients: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """(B,) sums over all positions and channels of squared differences on [-1, 1] between the networks of
        coefficients (B, count) and the images targets (B, channels, N) uint8; differentiable by coefficients."""
        if coefficients.device.type == "cpu":
            return _SquaredErrors.apply(coefficients, targets, self)  # type: ignore[no-untyped-call, no-any-return]
        return self.squared_errors_by_formula(coefficients, targets)

    def squared_errors_by_formula(self, coefficients: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """`squared_errors` in plain torch, as CUDA computes them."""
        wanted = targets.to(coefficients.dtype) * (2 / 255) - 1
        return (self.formula(coefficients) - wanted).square().sum(dim=(1, 2))

    def formula(self, coefficients: torch.Tensor) -> torch.Tensor:
        """As `evaluate`, in plain torch and differentiable: what the kernels are bound to, and what CUDA runs."""
        x = self._before(len(self.shape.layers), coefficients)
        return torch.tanh(x / 2) if self.activation == SIGMOID else 2 * x - 1

    def last_features(self, coefficients: torch.Tensor) -> torch.Tensor:
        """What the last layer, which has no residual, multiplies its coefficients with: (B, 2^inputs * 2, N), in their
        order, for coefficients (B, count)."""
        cosines, sines = _waves(self.shape.layers[-1], self._before(self.shape.depth, coefficients))
        return torch.stack([cosines, sines], 2).flatten(1, 2)

    def _before(self, stop: int, coefficients: torch.Tensor) -> torch.Tensor:
        """(B, outputs, N) of the layers before number `stop`."""
        x = torch.from_numpy(self.positions).to(coefficients).expand(len(coefficients), -1, -1)
        for layer in self.shape.layers[:stop]:
            x = _layer(layer, coefficients[:, layer.span].reshape(-1, 2**layer.inputs, 2, layer.outputs), x)
        return x

    def _evaluate_with_kernels(self, coefficients: torch.Tensor) -> torch.Tensor:
        samples = np.empty((len(coefficients), self.shape.channels, self.positions.shape[1]), np.float32)
        weights, kernel = np.ascontiguousarray(coefficients.numpy()), self._kernels().evaluate

        def run(start: int) -> None:
            kernel(weights, self._features, self.activation, start, min(start + _PIECE, len(weights)), samples)

        map_threads(run, range(0, len(weights), _PIECE), thread_count())
        return torch.from_numpy(samples)

    def errors_and_gradients(
        self, coefficients: NDArray[np.float32], targets: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`squared_errors` and their gradients (B, count), by the kernels; the results do not depend on threads."""
        errors, gradients = np.empty(len(coefficients), np.float32), np.empty_like(coefficients)
        kernel = self._kernels().squared_errors

        def run(start: int) -> None:
            stop = min(start + _PIECE, len(coefficients))
            kernel(coefficients, self._features, self.activation, targets, start, stop, errors, gradients)

        map_threads(run, range(0, len(coefficients), _PIECE), thread_count())
        return errors, gradients

    def _kernels(self) -> Any:
        return network_kernels(self.shape.width, self.shape.depth, self.shape.channels)

    def _tile(self) -> int:
        return max(1, _TILE_FLOATS // ((2 << self.shape.width) * self.positions.shape[1]))


class _SquaredErrors(torch.autograd.Function):
    """Values and gradients come out of one pass of the kernel, so the gradient is made while going forward."""

    @staticmethod
    def forward(ctx: Any, coefficients: torch.Tensor, targets: torch.Tensor, images: FourierImages) -> torch.Tensor:
        weights = np.ascontiguousarray(coefficients.detach().numpy())
        errors, gradients = images.errors_and_gradients(weights, np.ascontiguousarray(targets.numpy()))
        ctx.save_for_backward(torch.from_numpy(gradients))
        return torch.from_numpy(errors)

    @staticmethod
    def backward(ctx: Any, slopes: torch.Tensor) -> tuple[torch.Tensor, None, None]:  # type: ignore[override]
        (gradients,) = ctx.saved_tensors
        return gradients * slopes[:, None], None, None


def _layer(layer: LayerShape, w: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """x (B, inputs, N), w (B, 2^inputs, 2, outputs) -> (B, outputs, N)."""
    cosines, sines = _waves(layer, x)
    y = w[:, :, 0].transpose(1, 2) @ cosines + w[:, :, 1].transpose(1, 2) @ sines
    return y + x if layer.residual else y


def _waves(layer: LayerShape, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines (B, 2^inputs, N) of all k.x; phases are reduced to one turn first."""
    bits = torch.arange(2**layer.inputs, device=x.device)[:, None] >> torch.arange(layer.inputs, device=x.device) & 1
    turns = bits.to(x) @ (x - x.round())
    angle = 2 * torch.pi * (turns - turns.round())
    return angle.cos(), angle.sin()
