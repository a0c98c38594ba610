"""The trained networks around the Fourier network: the decoder, z -> coefficients, and the encoder, pixels -> z."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fourcodec.fourier.shape import NetworkShape
from fourcodec.generative.config import Config

# Standard deviations of coefficients after the first layer, times the square root of a layer's number of features. They
# keep a network of any depth near the identity; otherwise training does not progress (docs/research.md).
_HIDDEN_START, _LAST_START = 0.03, 0.09
_NONLINEARITIES = {"leaky_relu": nn.LeakyReLU, "silu": nn.SiLU}


class Decoder(nn.Module):
    """z (B, L) -> coefficients (B, cells count): base coefficients that all images share, plus the scaled output of an
    MLP. All cells share both: the code of each is decoded alone.

    The width of the MLP's last hidden layer bounds the rank of the changes and the cost of the largest matrix. With
    linear parts, another matrix maps z to an addition to the last layer's coefficients.
    """

    def __init__(self, config: Config, shape: NetworkShape) -> None:
        super().__init__()
        settings = config.decoder
        self._cells = config.network.grid.count
        self.mlp = _mlp((config.latents.size, *settings.hidden, shape.coefficient_count), settings.nonlinearity)
        self.base: nn.Parameter | None = None
        self.gains: torch.Tensor
        if settings.gains:
            self.base = nn.Parameter(_near_identity(shape, settings.first_start))
            self.register_buffer("gains", _per_coefficient(settings.gains, shape), persistent=False)
            last = self.mlp[-1]
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.bias)
        self.linear: nn.Linear | None = None
        self._last_layer = shape.layers[-1].span
        if config.latents.linear:
            self.linear = nn.Linear(config.latents.size, shape.layers[-1].size, bias=False)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """The coefficients (B, cells count) for z (B, L)."""
        z = z.unflatten(1, (self._cells, -1)).flatten(0, 1)
        coefficients: torch.Tensor = self.mlp(z)
        if self.base is not None:
            coefficients = self.base + self.gains * coefficients
        if self.linear is not None:
            coefficients[:, self._last_layer] += self.linear(z)
        return coefficients.unflatten(0, (-1, self._cells)).flatten(1)

    def start_at(self, base: torch.Tensor, synthesis: torch.Tensor) -> None:
        """Sets the last layer's coefficients to base (size,) + z @ synthesis (L, size), and the MLP's output to 0."""
        assert self.base is not None
        assert self.linear is not None
        with torch.no_grad():
            self.base[self._last_layer] = base.to(self.base)
            self.linear.weight.copy_(synthesis.T)
        _zero_output(self.mlp)


class Encoder(nn.Module):
    """Images uint8 (B, C, N) -> z (B, L), by an MLP; with linear parts, a linear map is added to it.

    With several cells the code of each is made from the cell's window (windows.py), `windows` (cells, P), by weights
    that all cells share.
    """

    def __init__(self, config: Config, channels: int, windows: NDArray[np.int64]) -> None:
        super().__init__()
        assert config.encoder is not None
        self.windows: torch.Tensor | None
        self.register_buffer("windows", torch.from_numpy(windows) if len(windows) > 1 else None, persistent=False)
        pixel_count = channels * windows.shape[1]
        sizes = (pixel_count, *config.encoder.hidden, config.latents.size)
        self.mlp = _mlp(sizes, config.encoder.nonlinearity)
        self.linear = nn.Linear(pixel_count, config.latents.size) if config.latents.linear else None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """z (B, L) for images uint8 (B, C, N)."""
        cells = images[:, None] if self.windows is None else images[:, :, self.windows].transpose(1, 2)
        samples = cells.flatten(2).float() * (2 / 255) - 1  # (B, cells, C P)
        z: torch.Tensor = self.mlp(samples)
        if self.linear is not None:
            z = z + self.linear(samples)
        return z.flatten(1)

    def start_at(self, analysis: torch.Tensor, mean: torch.Tensor) -> None:
        """Sets the linear part to analysis (L, samples) @ (samples in [0, 1] - mean), and the MLP's output to 0."""
        assert self.linear is not None
        with torch.no_grad():
            self.linear.weight.copy_(analysis / 2)
            self.linear.bias.copy_(analysis @ (0.5 - mean))
        _zero_output(self.mlp)


def _mlp(sizes: tuple[int, ...], nonlinearity: str) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes[:-1]):
        layers += [nn.Linear(inputs, outputs), _NONLINEARITIES[nonlinearity]()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def _zero_output(mlp: nn.Sequential) -> None:
    """Sets the last layer of an MLP to 0, so that it outputs 0 but is trained as usual."""
    last = mlp[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)


def _per_coefficient(gains: tuple[float, ...], shape: NetworkShape) -> torch.Tensor:
    """The gains of the first, hidden and last layers -> the gain of each coefficient (count,)."""
    first, hidden, last = gains
    by_layer = [first, *[hidden] * (shape.depth - 1), last]
    return torch.cat([torch.full((layer.size,), gain) for layer, gain in zip(shape.layers, by_layer, strict=True)])


def _near_identity(shape: NetworkShape, first_start: float) -> torch.Tensor:
    """Random coefficients (count,) of a network whose hidden layers are near the identity."""
    parts = []
    for number, layer in enumerate(shape.layers):
        start = _LAST_START if number == shape.depth else _HIDDEN_START
        deviation = first_start if number == 0 else start / math.sqrt(2 << layer.inputs)
        parts.append(deviation * torch.randn(layer.size))
    return torch.cat(parts)
