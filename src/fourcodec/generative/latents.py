"""The latents of a training set: where they start, and Adam on the rows of a batch alone."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fourcodec.generative.baselines import PrincipalComponents
from fourcodec.generative.config import LatentConfig

# An image is seen once an epoch, so its averages span epochs: long ones would remember a decoder that is gone.
_MOMENTUM, _DECAY, _EPSILON = 0.5, 0.9, 1e-8
_RANDOM_START = 0.01


class LatentTable:
    """z of every training image and its averages of gradients and their squares, each (N, L)."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values = values
        self.mean, self.square = torch.zeros_like(values), torch.zeros_like(values)

    def step(self, rows: torch.Tensor, gradient: torch.Tensor, rate: float, visits: int) -> None:
        """Adam (Kingma, Ba, 2015) on `rows`, which it has moved `visits` times before; gradient (len(rows), L)."""
        mean = self.mean[rows].lerp_(gradient, 1 - _MOMENTUM)
        square = self.square[rows].lerp_(gradient.square(), 1 - _DECAY)
        self.mean[rows], self.square[rows] = mean, square
        unbiased = (square / (1 - _DECAY ** (visits + 1))).sqrt_().add_(_EPSILON)
        self.values[rows] -= rate / (1 - _MOMENTUM ** (visits + 1)) * mean / unbiased

    def tensors(self) -> dict[str, torch.Tensor]:
        return {"values": self.values, "mean": self.mean, "square": self.square}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])


def start_values(images: NDArray[np.uint8], config: LatentConfig, generator: torch.Generator) -> torch.Tensor:
    """(N, L) float32 for images (N, H, W, C)."""
    count, size = len(images), config.size
    if config.start == "random" or size > images[0].size:
        return _RANDOM_START * torch.randn((count, size), generator=generator)
    return torch.from_numpy(PrincipalComponents.fit(images, size).whiten(images))
