"""A prior by flow matching: a network transports Gaussian noise to the distribution of latents.

Lipman, Chen, Ben-Hamu, Nickel, Le: Flow Matching for Generative Modeling (2023), with straight paths
x_t = (1 - t) x_0 + t x_1 between noise x_0 and a latent x_1; the network learns the mean of x_1 - x_0 at (x_t, t).
Latents are whitened first, so that zero velocity gives the Gaussian with full covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fourcodec.arrays import Floats
from fourcodec.generative.priors import FullGaussian, PriorState, as_latents
from fourcodec.generative.torch_threads import one_torch_thread

_WIDTH = 256
_BLOCKS = 3
_FREQUENCIES = 16  # in the time embedding: cosines and sines of f t, f from 1 to 100
_ITERATIONS = 4000  # two minutes on one core
_BATCH = 512
_PEAK_RATE = 2e-3
_HEUN_STEPS = 24


class _VelocityNetwork(nn.Module):
    """Points (N, L) and times (N, 1) -> velocities (N, L): a residual MLP with the time embedding in every block."""

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
        """The velocities (N, L) at points (N, L) and times (N, 1) in [0, 1]."""
        angles = times * torch.logspace(0, 2, _FREQUENCIES)
        embedded = self.times(torch.cat([angles.cos(), angles.sin()], dim=1))
        hidden = self.first(points) + embedded
        for block in self.blocks:
            hidden = hidden + block(hidden + embedded)
        velocity: torch.Tensor = self.last(hidden)
        return velocity


@dataclass(frozen=True)
class Flow:
    """Gaussian noise, transported by a network and then scaled to the mean and covariance of the latents."""

    gaussian: FullGaussian
    network: _VelocityNetwork
    name = "flow"

    @property
    def latent_size(self) -> int:
        """L."""
        return self.gaussian.latent_size

    @classmethod
    def fit(cls, latents: Floats, seed: int, iterations: int = _ITERATIONS) -> Flow:
        """A flow trained on latents (N, L).

        Runs on one thread: the same seed gives the same network on the same kind of machine. Raises ValueError for
        fewer than two latents and for values that are not finite.
        """
        gaussian = FullGaussian.fit(latents)
        factor = np.linalg.cholesky(gaussian.covariance)
        whitened = np.linalg.solve(factor, (latents - gaussian.mean).T).T.astype(np.float32)
        return cls(gaussian, _train(torch.from_numpy(np.ascontiguousarray(whitened)), seed, iterations))

    def sample(self, n: int, seed: int, temperature: float = 1.0) -> Floats:
        """Samples float32 (n, L), by Heun's method. The temperature multiplies the initial noise."""
        noise = np.random.default_rng(seed).standard_normal((n, self.latent_size)).astype(np.float32)
        points = torch.from_numpy(temperature * noise)
        step = 1 / _HEUN_STEPS
        with torch.inference_mode(), one_torch_thread():
            for index in range(_HEUN_STEPS):
                velocity = self.network(points, torch.full((n, 1), index * step))
                next_velocity = self.network(points + step * velocity, torch.full((n, 1), (index + 1) * step))
                points = points + step * (velocity + next_velocity) / 2
        white = as_latents(points.numpy()).astype(np.float64)
        return as_latents(self.gaussian.mean + white @ np.linalg.cholesky(self.gaussian.covariance).T)

    def to_state(self) -> PriorState:
        """The Gaussian's arrays and the network's weights."""
        weights = {f"network.{name}": value.numpy() for name, value in self.network.state_dict().items()}
        return PriorState(self.name, {**self.gaussian.to_state().arrays, **weights})

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Flow:
        """The inverse of `to_state`. Raises KeyError for a missing array, ValueError for one of another shape."""
        gaussian = FullGaussian.from_arrays(arrays)
        with torch.random.fork_rng(devices=[]):  # the random start, replaced below, must not change the global state
            network = _VelocityNetwork(gaussian.latent_size)
        for name, target in network.state_dict().items():
            stored = np.asarray(arrays[f"network.{name}"], np.float32)
            if stored.shape != tuple(target.shape) or not np.isfinite(stored).all():
                raise ValueError(f"'network.{name}' has shape {stored.shape}, or is not finite")
            target.copy_(torch.from_numpy(stored))
        return cls(gaussian, network.requires_grad_(False))


def _train(latents: torch.Tensor, seed: int, iterations: int) -> _VelocityNetwork:
    generator = torch.Generator().manual_seed(seed)
    with one_torch_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _VelocityNetwork(latents.shape[1])
        optimiser = torch.optim.AdamW(network.parameters(), _PEAK_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, iterations)
        for _ in range(iterations):
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
