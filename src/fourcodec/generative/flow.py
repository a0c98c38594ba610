"""A prior by flow matching: a network moves Gaussian noise to where latents are.

Lipman, Chen, Ben-Hamu, Nickel, Le: Flow Matching for Generative Modeling (2023), with straight paths
x_t = (1 - t) x_0 + t x_1 between noise x_0 and a latent x_1; the network learns the mean of x_1 - x_0 at (x_t, t).
Latents are whitened first, so that a network which does nothing is the full-covariance Gaussian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fourcodec.arrays import Floats
from fourcodec.generative.priors import FullGaussian, PriorState
from fourcodec.generative.torch_threads import one_torch_thread

_WIDTH = 256
_BLOCKS = 3
_FREQUENCIES = 16  # of the time embedding: cosines and sines of t times 1 ... 100
_STEPS = 4000  # of training; two minutes on one core
_BATCH = 512
_PEAK_RATE = 2e-3
_HEUN_STEPS = 24


class _Velocity(nn.Module):
    """(N, L) at times (N, 1) -> (N, L): a residual multilayer perceptron that sees the time in every block."""

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.first = nn.Linear(latent_size, _WIDTH)
        self.times = nn.Linear(2 * _FREQUENCIES, _WIDTH)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(_WIDTH), nn.Linear(_WIDTH, _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, _WIDTH))
            for _ in range(_BLOCKS)
        )
        self.last = nn.Linear(_WIDTH, latent_size)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, points: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        angles = times * torch.logspace(0, 2, _FREQUENCIES)
        embedded = self.times(torch.cat([angles.cos(), angles.sin()], dim=1))
        hidden = self.first(points) + embedded
        for block in self.blocks:
            hidden = hidden + block(hidden + embedded)
        velocity: torch.Tensor = self.last(hidden)
        return velocity


@dataclass(frozen=True)
class Flow:
    """Noise, moved by a network, then given the latents' mean and covariance."""

    gaussian: FullGaussian
    network: _Velocity
    name = "flow"

    @property
    def latent_size(self) -> int:
        return self.gaussian.latent_size

    @classmethod
    def fit(cls, latents: Floats, seed: int, steps: int = _STEPS) -> Flow:
        """Of latents (N, L), on one thread: the same seed gives the same network on the same kind of machine."""
        gaussian = FullGaussian.fit(latents)
        factor = np.linalg.cholesky(gaussian.covariance)
        whitened = np.linalg.solve(factor, (latents - gaussian.mean).T).T.astype(np.float32)
        return cls(gaussian, _train(torch.from_numpy(np.ascontiguousarray(whitened)), seed, steps))

    def sample(self, n: int, seed: int, temperature: float = 1.0) -> Floats:
        """By Heun's method; the temperature multiplies the noise that it starts from."""
        noise = np.random.default_rng(seed).standard_normal((n, self.latent_size)).astype(np.float32)
        points = torch.from_numpy(temperature * noise)
        step = 1 / _HEUN_STEPS
        with torch.inference_mode(), one_torch_thread():
            for index in range(_HEUN_STEPS):
                slope = self.network(points, torch.full((n, 1), index * step))
                next_slope = self.network(points + step * slope, torch.full((n, 1), (index + 1) * step))
                points = points + step * (slope + next_slope) / 2
        moved = points.numpy().astype(np.float64) @ np.linalg.cholesky(self.gaussian.covariance).T
        return (self.gaussian.mean + moved).astype(np.float32)

    def to_state(self) -> PriorState:
        weights = {f"network.{name}": value.numpy() for name, value in self.network.state_dict().items()}
        return PriorState(self.name, {**self.gaussian.to_state().arrays, **weights})

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Flow:
        gaussian = FullGaussian.from_arrays(arrays)
        with torch.random.fork_rng(devices=[]):  # whatever its start, which is replaced
            network = _Velocity(gaussian.latent_size)
        for name, target in network.state_dict().items():
            stored = np.asarray(arrays[f"network.{name}"], np.float32)
            if stored.shape != tuple(target.shape) or not np.isfinite(stored).all():
                raise ValueError(f"'network.{name}' has shape {stored.shape}, or is not finite")
            target.copy_(torch.from_numpy(stored))
        return cls(gaussian, network.requires_grad_(False))


def _train(latents: torch.Tensor, seed: int, steps: int) -> _Velocity:
    generator = torch.Generator().manual_seed(seed)
    with one_torch_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Velocity(latents.shape[1])
        optimiser = torch.optim.AdamW(network.parameters(), _PEAK_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for _ in range(steps):
            targets = latents[torch.randint(len(latents), (_BATCH,), generator=generator)]
            noise = torch.randn(targets.shape, generator=generator)
            times = torch.rand((_BATCH, 1), generator=generator)
            velocity = network((1 - times) * noise + times * targets, times)
            loss = nn.functional.mse_loss(velocity, targets - noise)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.requires_grad_(False)
