"""The free latents of a training set: their start, and Adam on the rows of one batch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fourcodec.cells import Grid
from fourcodec.generative.baselines import PrincipalComponents
from fourcodec.generative.config import LatentConfig
from fourcodec.generative.windows import cell_images

# Each image is seen once per epoch, so moving averages span epochs. Long ones would hold gradients of an outdated
# decoder.
_MOMENTUM, _DECAY, _EPSILON = 0.5, 0.9, 1e-8
_RANDOM_START = 0.01  # standard deviation


class LatentTable:
    """The latents of all training images, and Adam's averages of their gradients and squared gradients, each (N, L)."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values = values
        self.mean, self.square = torch.zeros_like(values), torch.zeros_like(values)

    def step(self, rows: torch.Tensor, gradient: torch.Tensor, rate: float, visits: int) -> None:
        """One iteration of Adam (Kingma, Ba, 2015) on some rows; `gradient` is (len(rows), L).

        `visits` is the number of earlier iterations on these rows."""
        mean = self.mean[rows].lerp_(gradient, 1 - _MOMENTUM)
        square = self.square[rows].lerp_(gradient.square(), 1 - _DECAY)
        self.mean[rows], self.square[rows] = mean, square
        unbiased = (square / (1 - _DECAY ** (visits + 1))).sqrt_().add_(_EPSILON)
        self.values[rows] -= rate / (1 - _MOMENTUM ** (visits + 1)) * mean / unbiased

    def tensors(self) -> dict[str, torch.Tensor]:
        """Latents and averages by name, for a checkpoint."""
        return {"values": self.values, "mean": self.mean, "square": self.square}


def start_values(
    images: NDArray[np.uint8], config: LatentConfig, grid: Grid, generator: torch.Generator
) -> torch.Tensor:
    """The latents, float32 (N, L), at which training on images uint8 (N, H, W, C) with a grid of cells starts."""
    count, size, cells = len(images), config.size, cell_images(images, grid)
    if config.start == "random" or size > cells[0].size:
        return _RANDOM_START * torch.randn((count, grid.count * size), generator=generator)
    return torch.from_numpy(PrincipalComponents.fit(cells, size).whiten(cells).reshape(count, -1))
