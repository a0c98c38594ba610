"""Fourier networks of many images at the same positions, as differentiable torch functions of their coefficients.

On the CPU these run the fused kernels of fourier/batch_kernels.py; on CUDA plain torch computes the same formula. A
test compares the two.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fourcodec.cells import Grid, patches
from fourcodec.fourier import batch_kernels as kernels
from fourcodec.fourier.frequencies import frequency_bits
from fourcodec.fourier.layout import SIGMOID
from fourcodec.fourier.shape import LayerShape, NetworkShape
from fourcodec.threads import map_threads, thread_count
from fourcodec.views import whole

_PIECE = 8  # images per piece of work: one or two milliseconds
_TILE_FLOATS = 1 << 28  # features per tile of plain torch: 1 GB, and autograd keeps about four times as much


@dataclass(frozen=True)
class Piece:
    """The positions of one of an image's cells.

    x: (2, N) float32. pixels: (N,) int64, those to which the network's outputs there are added. weights: (N,) float32,
    with which they are. The weights of all cells add up to 1 at every pixel.
    """

    cell: int
    x: NDArray[np.float32]
    pixels: NDArray[np.int64]
    weights: NDArray[np.float32]


class FourierImages:
    """Networks of one shape, evaluated at fixed positions.

    pieces: the positions at which the networks of an image's cells are evaluated; `FourierImages.of_one_cell` makes
    them for images of one network each. size: the number of pixels, N. activation: LINEAR where outputs are samples in
    [0, 1], SIGMOID where samples in [-1, 1] are 2 sigmoid(output) - 1, as in a file's header. Raises ValueError for a
    shape of limited order.
    """

    def __init__(self, shape: NetworkShape, pieces: Sequence[Piece], size: int, activation: int) -> None:
        if shape.order is not None:
            raise ValueError("many networks at once have all frequencies")
        self.shape, self.activation, self.pieces, self.size = shape, activation, tuple(pieces), size
        self._sent: dict[torch.device, tuple[torch.Tensor, ...]] = {}
        self._blocks = kernels.Blocks.joined(
            [kernels.Blocks.of_cell(piece.cell, piece.x, piece.pixels, piece.weights) for piece in pieces]
        )

    @classmethod
    def of_one_cell(cls, shape: NetworkShape, positions: NDArray[np.float32], activation: int) -> FourierImages:
        """Networks at positions (2, N) float32, each of which is a pixel."""
        count = positions.shape[1]
        piece = Piece(0, positions, np.arange(count), np.ones(count, np.float32))
        return cls(shape, [piece], count, activation)

    @classmethod
    def of_cells(cls, shape: NetworkShape, size: tuple[int, int], grid: Grid, activation: int) -> FourierImages:
        """Networks of a grid of cells at all pixels of images of (height, width), row by row."""
        height, width = size
        number = np.arange(height * width).reshape(height, width)
        pieces = [
            Piece(patch.cell, patch.x, number[patch.rows, patch.columns].ravel(), patch.weights.ravel())
            for patch in patches(whole(width, height), size, grid)
        ]
        return cls(shape, pieces, height * width, activation)

    def evaluate(self, coefficients: torch.Tensor) -> torch.Tensor:
        """The samples (B, channels, N) float32 in [-1, 1] of images with coefficients (B, cells count) float32.
        Differentiable by the coefficients; a backward pass evaluates the networks a second time."""
        if coefficients.device.type == "cpu":
            return _Samples.apply(coefficients, self)  # type: ignore[no-untyped-call, no-any-return]
        if torch.is_grad_enabled() and coefficients.requires_grad:
            return self.formula(coefficients)
        tile = max(1, _TILE_FLOATS // ((2 << self.shape.width) * sum(piece.x.shape[1] for piece in self.pieces)))
        return torch.cat([self.formula(part) for part in coefficients.split(tile)])

    def squared_errors(self, coefficients: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The squared error of each image, (B,) float32: summed over pixels and channels, samples on [-1, 1].

        coefficients: (B, cells count) float32, the networks of each image, cell after cell. targets: (B, channels, N)
        uint8. Differentiable by the coefficients.
        """
        if coefficients.device.type == "cpu":
            return _SquaredErrors.apply(coefficients, targets, self)  # type: ignore[no-untyped-call, no-any-return]
        return self.squared_errors_by_formula(coefficients, targets)

    def squared_errors_by_formula(self, coefficients: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """`squared_errors` in plain torch, which is what CUDA runs."""
        wanted = targets.to(coefficients.dtype) * (2 / 255) - 1
        return (self.formula(coefficients) - wanted).square().sum(dim=(1, 2))

    def formula(self, coefficients: torch.Tensor) -> torch.Tensor:
        """`evaluate` in plain torch, differentiable: the reference for the kernels, and what CUDA runs."""
        x, pixels, weights, cells = self._padded(coefficients.device)
        own = coefficients.unflatten(1, (-1, self.shape.coefficient_count))[:, cells]  # (B, pieces, count)
        values = weights * self._before(len(self.shape.layers), own, x)
        flat = values.transpose(1, 2).flatten(2)
        y = flat.new_zeros((*flat.shape[:2], self.size)).index_add(2, pixels.flatten(), flat)
        return torch.tanh(y / 2) if self.activation == SIGMOID else 2 * y - 1

    def _padded(self, device: torch.device) -> tuple[torch.Tensor, ...]:
        """All pieces padded to equal lengths P: positions (pieces, 2, P), pixels (pieces, P), weights (pieces, 1, P), 0
        for the padding, and cells (pieces,). They are kept, so that they are sent to a device once."""
        if device in self._sent:
            return self._sent[device]
        most = max(piece.x.shape[1] for piece in self.pieces)

        def stacked(arrays: list[NDArray[Any]]) -> torch.Tensor:
            rest = [[(0, 0)] * (array.ndim - 1) + [(0, most - array.shape[-1])] for array in arrays]
            return torch.from_numpy(np.stack([np.pad(a, n) for a, n in zip(arrays, rest, strict=True)])).to(device)

        self._sent[device] = (
            stacked([piece.x for piece in self.pieces]),
            stacked([piece.pixels for piece in self.pieces]),
            stacked([piece.weights[None] for piece in self.pieces]),
            torch.tensor([piece.cell for piece in self.pieces], device=device),
        )
        return self._sent[device]

    def last_features(self, coefficients: torch.Tensor, positions: NDArray[np.float32]) -> torch.Tensor:
        """The features of the last layer at positions (2, N), (B, 2^inputs * 2, N): the factors of its coefficients, in
        their order.

        coefficients: (B, count). The layer's outputs are the products summed, since it has no residual.
        """
        x = torch.from_numpy(positions).to(coefficients)
        cosines, sines = _waves(self.shape.layers[-1], self._before(self.shape.depth, coefficients, x))
        return torch.stack([cosines, sines], 2).flatten(1, 2)

    def _before(self, stop: int, coefficients: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """The outputs (..., outputs, N) of layer `stop` - 1 at positions (..., 2, N); of no layer, the positions.
        coefficients: (..., count)."""
        x = positions.to(coefficients).expand(*coefficients.shape[:-1], 2, -1)
        for layer in self.shape.layers[:stop]:
            x = layer_outputs(layer, coefficients, x)
        return x

    def samples(self, coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
        """`evaluate` by the kernels: samples (B, channels, N)."""
        samples = np.empty((len(coefficients), self.shape.channels, self.size), np.float32)
        self._run(
            coefficients, samples, kernels.NO_TARGETS, kernels.NO_SAMPLES, kernels.NO_ERRORS, kernels.NO_GRADIENTS
        )
        return samples

    def errors_and_gradients(
        self, coefficients: NDArray[np.float32], targets: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The squared errors (B,) and their gradients by the coefficients (B, cells count), from the kernels. The
        results do not depend on the number of threads."""
        errors, gradients = np.empty(len(coefficients), np.float32), np.empty_like(coefficients)
        self._run(coefficients, kernels.NO_SAMPLES, targets, kernels.NO_SAMPLES, errors, gradients)
        return errors, gradients

    def pull_back(self, coefficients: NDArray[np.float32], pulls: NDArray[np.float32]) -> NDArray[np.float32]:
        """Gradients by the coefficients (B, cells count) of what has the gradients `pulls` (B, channels, N) by the
        samples, from the kernels."""
        gradients = np.empty_like(coefficients)
        self._run(coefficients, kernels.NO_SAMPLES, kernels.NO_TARGETS, pulls, kernels.NO_ERRORS, gradients)
        return gradients

    def _run(self, coefficients: NDArray[np.float32], *arrays: NDArray[Any]) -> None:
        kernel = kernels.network_kernel(self.shape.width, self.shape.depth, self.shape.channels)

        def run(start: int) -> None:
            stop = min(start + _PIECE, len(coefficients))
            kernel(coefficients, *self._blocks, self.activation, start, stop, *arrays)

        map_threads(run, range(0, len(coefficients), _PIECE), thread_count())


class _Samples(torch.autograd.Function):
    """FourierImages.evaluate for autograd, on the CPU."""

    @staticmethod
    def forward(ctx: Any, coefficients: torch.Tensor, images: FourierImages) -> torch.Tensor:
        ctx.save_for_backward(coefficients)
        ctx.images = images
        return torch.from_numpy(images.samples(np.ascontiguousarray(coefficients.detach().numpy())))

    @staticmethod
    def backward(ctx: Any, gradient_out: torch.Tensor) -> tuple[torch.Tensor, None]:  # type: ignore[override]
        (coefficients,) = ctx.saved_tensors
        weights, pulls = (np.ascontiguousarray(tensor.numpy()) for tensor in (coefficients, gradient_out))
        return torch.from_numpy(ctx.images.pull_back(weights, pulls)), None


class _SquaredErrors(torch.autograd.Function):
    """squared_errors for autograd. The kernel returns values and gradients from one pass, so `forward` computes both
    and `backward` only scales the gradients."""

    @staticmethod
    def forward(ctx: Any, coefficients: torch.Tensor, targets: torch.Tensor, images: FourierImages) -> torch.Tensor:
        weights = np.ascontiguousarray(coefficients.detach().numpy())
        errors, gradients = images.errors_and_gradients(weights, np.ascontiguousarray(targets.numpy()))
        ctx.save_for_backward(torch.from_numpy(gradients))
        return torch.from_numpy(errors)

    @staticmethod
    def backward(ctx: Any, gradient_out: torch.Tensor) -> tuple[torch.Tensor, None, None]:  # type: ignore[override]
        (gradients,) = ctx.saved_tensors
        return gradients * gradient_out[:, None], None, None


def layer_outputs(layer: LayerShape, coefficients: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The layer's outputs (..., outputs, N) for inputs x (..., inputs, N), where coefficients (..., count) are those of
    all layers of the network."""
    w = coefficients[..., layer.span].unflatten(-1, (-1, 2, layer.outputs))
    cosines, sines = _waves(layer, x)
    y = w[..., 0, :].mT @ cosines + w[..., 1, :].mT @ sines
    return y + x if layer.residual else y


def _waves(layer: LayerShape, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines (..., K, N) of 2 pi k.x for all k. Phases are reduced to one turn first: float32 cosines of
    large angles are inexact."""
    turns = _frequencies(layer.inputs, layer.order, x.device, x.dtype) @ (x - x.round())
    angle = 2 * torch.pi * (turns - turns.round())
    return angle.cos(), angle.sin()


@functools.cache
def _frequencies(inputs: int, order: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """The frequencies (K, inputs) on a device; cached, so that they are sent once and not for each tile."""
    return torch.from_numpy(frequency_bits(inputs, order)).to(device, dtype)
