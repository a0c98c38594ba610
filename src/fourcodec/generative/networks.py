"""The learned parts around the Fourier network: z -> coefficients, and where there is one, pixels -> z."""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn

from fourcodec.generative.config import Config
from fourcodec.networks.shape import NetworkShape

# Standard deviations that keep a network of any depth near the identity, so that it learns at all (see
# docs/results.md): times the square root of their number, of coefficients after the first layer.
_HIDDEN_START, _LAST_START = 0.03, 0.09
_NONLINEARITIES = {"leaky_relu": nn.LeakyReLU, "silu": nn.SiLU}


class Decoder(nn.Module):
    """z (B, L) -> coefficients (B, count): a base that all images share, plus what an MLP adds to it.

    The MLP's last hidden layer bounds the rank of what z can change, and with it the cost of the largest matrix.
    """

    def __init__(self, config: Config, shape: NetworkShape) -> None:
        super().__init__()
        settings = config.decoder
        self.mlp = _mlp((config.latents.size, *settings.hidden, shape.coefficient_count), settings.nonlinearity)
        self.base: nn.Parameter | None = None
        self.gains: torch.Tensor
        if settings.gains:
            self.base = nn.Parameter(_near_identity(shape, settings.first_start))
            self.register_buffer("gains", _spread(settings.gains, shape), persistent=False)
            last = self.mlp[-1]
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.bias)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        coefficients: torch.Tensor = self.mlp(z)
        return coefficients if self.base is None else self.base + self.gains * coefficients


class Encoder(nn.Module):
    """Images (B, C, N) uint8 -> z (B, L)."""

    def __init__(self, config: Config, pixel_count: int) -> None:
        super().__init__()
        assert config.encoder is not None
        sizes = (pixel_count, *config.encoder.hidden, config.latents.size)
        self.mlp = _mlp(sizes, config.encoder.nonlinearity)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        z: torch.Tensor = self.mlp(images.flatten(1).float() * (2 / 255) - 1)
        return z


def _mlp(sizes: tuple[int, ...], nonlinearity: str) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes[:-1]):
        layers += [nn.Linear(inputs, outputs), _NONLINEARITIES[nonlinearity]()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def _spread(gains: tuple[float, ...], shape: NetworkShape) -> torch.Tensor:
    """Of the first layer, the hidden ones and the last one -> of each coefficient."""
    first, hidden, last = gains
    by_layer = [first, *[hidden] * (shape.depth - 1), last]
    return torch.cat([torch.full((layer.size,), gain) for layer, gain in zip(shape.layers, by_layer, strict=True)])


def _near_identity(shape: NetworkShape, first_start: float) -> torch.Tensor:
    parts = []
    for number, layer in enumerate(shape.layers):
        start = _LAST_START if number == shape.depth else _HIDDEN_START
        deviation = first_start if number == 0 else start / math.sqrt(2 << layer.inputs)
        parts.append(deviation * torch.randn(layer.size))
    return torch.cat(parts)
