"""The Fourier network in plain torch, for CUDA: the same functions as fnet/network.py.

Pixels are processed in tiles, which bounds the memory for features: those of a tile are kept only while autograd needs
them.
"""

from __future__ import annotations

import numpy as np
import torch

from fourcodec.arrays import Floats
from fourcodec.fourier.batch import layer_outputs
from fourcodec.fourier.shape import NetworkShape, share_size

_TILE_FLOATS = 1 << 26  # features of all layers per tile: 256 MB, and autograd keeps about four times as much


class TorchBackend:
    """The Backend on one torch device. All arithmetic is float32, without TF32."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)

    def evaluate(self, shape: NetworkShape, coefficients: Floats, x: Floats) -> Floats:
        """Implements `Backend.evaluate`."""
        with torch.no_grad():
            c, positions = self._send(coefficients), self._send(x)
            tiles = [_forward(shape, c, tile)[-1] for tile in positions.split(_tile_pixels(shape), dim=1)]
            return torch.cat(tiles, dim=1).cpu().numpy()

    def mse_gradient(
        self, shape: NetworkShape, coefficients: Floats, x: Floats, target: Floats
    ) -> tuple[float, Floats]:
        """Implements `Backend.mse_gradient`."""
        c, share = self._send(coefficients).requires_grad_(), share_size(len(coefficients), x.shape[1])
        # Rows side by side, and of each as many of its positions as a tile has room for.
        positions, wanted = (self._send(a).unflatten(1, (-1, share)).transpose(0, 1) for a in (x, target))
        square, size = 0.0, max(1, _tile_pixels(shape) // len(coefficients))
        for tile, own in zip(positions.split(size, dim=2), wanted.split(size, dim=2), strict=True):
            loss = (_forward(shape, c, tile)[-1] - own).square().sum() / target.size
            loss.backward()  # type: ignore[no-untyped-call]
            square += float(loss.detach())
        assert c.grad is not None
        return square, c.grad.sum(dim=0).cpu().numpy()

    def sensitivities(
        self, shape: NetworkShape, coefficients: Floats, x: Floats, signs: Floats
    ) -> list[tuple[Floats, Floats]]:
        """Implements `Backend.sensitivities`."""
        c, size = self._send(coefficients).requires_grad_(), _tile_pixels(shape)
        inputs: list[list[torch.Tensor]] = [[] for _ in shape.layers]
        derivatives: list[list[torch.Tensor]] = [[] for _ in shape.layers]
        for tile, sign in zip(self._send(x).split(size, dim=1), self._send(signs).split(size, dim=1), strict=True):
            values = _forward(shape, c, tile)
            found = torch.autograd.grad((values[-1] * sign).sum(), values[1:])
            for n in range(len(shape.layers)):
                inputs[n].append(values[n].detach())
                derivatives[n].append(found[n])

        def joined(tiles: list[torch.Tensor]) -> Floats:
            return torch.cat(tiles, dim=1).cpu().numpy()

        return [(joined(own), joined(by_outputs)) for own, by_outputs in zip(inputs, derivatives, strict=True)]

    def output_shifts(self, shape: NetworkShape, coefficients: Floats, direction: Floats, x: Floats) -> list[float]:
        """Implements `Backend.output_shifts`."""
        with torch.no_grad():
            c, d, inputs = self._send(coefficients), self._send(direction), self._send(x)
            shifts = []
            for layer in shape.layers:
                moved = layer_outputs(layer, d, inputs)
                moved = moved - inputs if layer.residual else moved
                shifts.append(float(moved.square().mean().sqrt()))
                inputs = layer_outputs(layer, c, inputs)
            return shifts

    def _send(self, values: Floats) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._device)


def _tile_pixels(shape: NetworkShape) -> int:
    return max(1, _TILE_FLOATS // ((2 << shape.width) * (shape.depth + 1)))


def _forward(shape: NetworkShape, coefficients: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    """The input and each layer's outputs."""
    values = [x]
    for layer in shape.layers:
        values.append(layer_outputs(layer, coefficients, values[-1]))
    return values
