"""The latents of a training set: where they start, and Adam on the rows of a batch alone."""

from __future__ import annotations

import torch

from fourcodec.generative.config import LatentConfig

# An image is seen once an epoch, so its averages span epochs: long ones would remember a decoder that is gone.
_MOMENTUM, _DECAY, _EPSILON = 0.5, 0.9, 1e-8
_RANDOM_START = 0.01
_AT_ONCE = 4096  # images


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


def start_values(images: torch.Tensor, config: LatentConfig, generator: torch.Generator) -> torch.Tensor:
    """(N, L) float32 for images (N, C, P) uint8."""
    count, size = len(images), config.size
    if config.start == "random" or size > images[0].numel():
        return _RANDOM_START * torch.randn((count, size), generator=generator)
    return _principal_components(images, size)


def _principal_components(images: torch.Tensor, size: int) -> torch.Tensor:
    """The `size` largest, each scaled to unit variance."""
    total, products = _moments(images)
    mean = total / len(images)
    variances, vectors = torch.linalg.eigh(products / len(images) - torch.outer(mean, mean))
    vectors = vectors[:, -size:].flip(1)
    # A sign of its own for each, not the solver's: equal data starts equally.
    vectors *= torch.sign(vectors.gather(0, vectors.abs().argmax(0, keepdim=True)))
    whitening = vectors / variances[-size:].flip(0).clamp(min=1e-12).sqrt()
    return torch.cat([((part - mean) @ whitening).float() for part in _parts(images)])


def _moments(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    pixels = images[0].numel()
    total, products = torch.zeros(pixels, dtype=torch.float64), torch.zeros((pixels, pixels), dtype=torch.float64)
    for part in _parts(images):
        total += part.sum(0)
        products += part.T @ part
    return total, products


def _parts(images: torch.Tensor) -> list[torch.Tensor]:
    return [part.flatten(1).double() / 255 for part in images.split(_AT_ONCE)]
