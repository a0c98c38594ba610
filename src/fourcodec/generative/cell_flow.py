"""A density of grids of codes by flow matching: a transformer over the cells moves Gaussian noise to codes.

Lipman, Chen, Ben-Hamu, Nickel, Le: Flow Matching for Generative Modeling (2023), with straight paths
x_t = (1 - t) x_0 + t x_1 between noise x_0 and standardised codes x_1; the network learns the mean of x_1 - x_0 at
(x_t, t). It has adaptive layer normalisation by time and class (Peebles, Xie: Scalable Diffusion Models with
Transformers, 2023). Samples of a class are guided away from what all classes share (Ho, Salimans: Classifier-Free
Diffusion Guidance, 2022). Its training is in cell_flow_training.py.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fourcodec.arrays import Floats
from fourcodec.cells import MAX_CELLS
from fourcodec.errors import ModelError
from fourcodec.generative.config import MAX_GUIDANCE
from fourcodec.generative.priors import PriorState, as_latents, stored_array
from fourcodec.generative.torch_threads import one_torch_thread

KIND = "cell-flow"
HEAD_WIDTH = 32
STEPS = 15  # of Heun's method, each of two evaluations of the network
_MAX_BLOCKS, _MAX_WIDTH = 64, 2048
_FREQUENCIES = 16  # in the time embedding: cosines and sines of f t, f from 1 to 100
_BATCH = 500  # grids that are sampled together
_LEAST_DEVIATION = 1e-3  # of a code's number, as a share of the mean one: numbers that never change stay finite


class _Block(nn.Module):
    """Attention between the cells, then an MLP on each, both normalised and scaled by the condition."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.condition = nn.Linear(width, 6 * width)
        self.queries = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width))
        self._width = width
        nn.init.zeros_(self.condition.weight)
        nn.init.zeros_(self.condition.bias)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """x (B, cells, width) and condition (B, width) -> (B, cells, width)."""
        shift, scale, gate, shift_2, scale_2, gate_2 = self.condition(condition)[:, None].chunk(6, dim=2)
        normal = nn.functional.layer_norm(x, (self._width,)) * (1 + scale) + shift
        heads = self.queries(normal).unflatten(2, (3, -1, HEAD_WIDTH)).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(heads[0], heads[1], heads[2])
        x = x + gate * self.mixed(seen.transpose(1, 2).flatten(2))
        normal = nn.functional.layer_norm(x, (self._width,)) * (1 + scale_2) + shift_2
        changed: torch.Tensor = x + gate_2 * self.mlp(normal)
        return changed


class VelocityNetwork(nn.Module):
    """Grids of codes (B, cells, size), times (B,) and classes (B,) -> velocities (B, cells, size).

    Class 0 stands for no class; class n for the n-th of `classes` classes. `width` is a multiple of 32.
    """

    def __init__(self, cells: int, size: int, width: int, blocks: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Linear(size, width)
        self.places = nn.Parameter(0.02 * torch.randn(cells, width))
        self.times = nn.Sequential(nn.Linear(2 * _FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))
        self.classes = nn.Embedding(classes + 1, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))
        self.last = nn.Linear(width, size)
        self._width = width
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        nn.init.normal_(self.classes.weight, std=0.02)

    def forward(self, codes: torch.Tensor, times: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """The velocities (B, cells, size) at codes (B, cells, size) and times (B,) in [0, 1]."""
        frequencies = torch.logspace(0, 2, _FREQUENCIES, device=codes.device)
        angles = times[:, None] * frequencies
        condition = self.times(torch.cat([angles.cos(), angles.sin()], dim=1)) + self.classes(classes)
        condition = nn.functional.silu(condition)
        x = self.first(codes) + self.places
        for block in self.blocks:
            x = block(x, condition)
        velocities: torch.Tensor = self.last(nn.functional.layer_norm(x, (self._width,)))
        return velocities


@dataclass(frozen=True)
class CellFlow:
    """Gaussian noise, moved by a network to standardised codes, which are then scaled to the codes' means and
    deviations.

    labels (classes,) int64: the data's label of each class, sorted; shares (classes,): how often each comes. Both are
    empty for a flow without classes. guidance: by how much the velocity of a class is moved further from that of no
    class, as a multiple of their difference.
    """

    mean: NDArray[np.float64]  # (L,), cell after cell
    deviation: NDArray[np.float64]  # (L,)
    labels: NDArray[np.int64]
    shares: NDArray[np.float64]
    network: VelocityNetwork
    guidance: float = 0.0
    name = KIND

    @property
    def latent_size(self) -> int:
        """L."""
        return len(self.mean)

    def sample(self, n: int, seed: int, temperature: float = 1.0, label: int | None = None) -> Floats:
        """Samples float32 (n, L), by Heun's method in 15 steps. The temperature multiplies the initial noise.

        All have the class with the given label; without one, classes are drawn as often as they come in the data.
        Raises ModelError for a label that the flow does not know.
        """
        random = np.random.default_rng(seed)
        noise = random.standard_normal((n, self.latent_size)).astype(np.float32)
        if label is not None:
            classes = np.full(n, self._class_of(label))
        elif len(self.labels):
            classes = 1 + random.choice(len(self.labels), n, p=self.shares / self.shares.sum())
        else:
            classes = np.zeros(n, np.int64)
        return self._scaled(self._moved(np.float32(temperature) * noise, classes, 0, 1))

    def to_noise(self, latents: Floats) -> Floats:
        """The noise (n, L) that the flow moves to latents (n, L), without a class."""
        standard = ((latents - self.mean) / self.deviation).astype(np.float32)
        return self._moved(standard, np.zeros(len(latents), np.int64), 1, 0)

    def from_noise(self, noise: Floats) -> Floats:
        """Latents (n, L) to which the flow moves noise (n, L), without a class: the inverse of `to_noise`, but for the
        errors of its steps."""
        return self._scaled(self._moved(noise, np.zeros(len(noise), np.int64), 0, 1))

    def interpolate(self, stops: Floats, frames: int) -> Floats:
        """Latents ((S - 1) frames + 1, L) from each of `stops` (S, L) to the next, `frames` for each way.

        The ways are arcs between the stops' noise, on which noise keeps its length (Shoemake: Animating rotation with
        quaternion curves, 1985), so that what is between is as likely as the stops. The stops themselves are kept.
        """
        noise, shares = self.to_noise(stops), np.linspace(0, 1, frames, endpoint=False)
        ways = self.from_noise(
            np.concatenate([_arc(a, b, shares[1:]) for a, b in itertools.pairwise(noise)]).astype(np.float32)
        ).reshape(len(stops) - 1, frames - 1, self.latent_size)
        parts = [np.concatenate([stop[None], way]) for stop, way in zip(stops[:-1], ways, strict=True)]
        return np.concatenate([*parts, stops[-1:]]).astype(np.float32)

    def to_state(self) -> PriorState:
        """The codes' moments, the classes, and the network's weights."""
        weights = {f"network.{name}": value.cpu().numpy() for name, value in self.network.state_dict().items()}
        own = {"mean": self.mean, "deviation": self.deviation, "labels": self.labels, "shares": self.shares}
        own["guidance"] = np.array([self.guidance])
        return PriorState(self.name, {**own, **weights})

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> CellFlow:
        """The inverse of `to_state`. Raises KeyError for a missing array, ValueError for one that is not valid."""
        mean = stored_array(arrays, "mean", None)
        deviation = stored_array(arrays, "deviation", mean.size)
        labels, shares = np.asarray(arrays["labels"]), np.asarray(arrays["shares"], np.float64)
        if labels.ndim != 1 or labels.dtype != np.int64 or shares.shape != labels.shape:
            raise ValueError("its classes contradict each other")
        if deviation.min() <= 0 or (len(labels) and not (shares.min() >= 0 and 0 < shares.sum() < math.inf)):
            raise ValueError("its deviations or shares are not above 0")
        guidance = float(stored_array(arrays, "guidance", 1)[0]) if "guidance" in arrays else 0.0
        if not 0 <= guidance <= MAX_GUIDANCE:
            raise ValueError(f"its guidance is {guidance}")
        network = _stored_network(arrays, mean.size, len(labels))
        return cls(mean, deviation, labels, shares, network, guidance)

    def _class_of(self, label: int) -> int:
        found = np.flatnonzero(self.labels == label)
        if not len(found):
            known = ", ".join(map(str, self.labels)) or "none: it was trained without labels"
            raise ModelError(f"the model knows no class {label}; it knows {known}")
        return 1 + int(found[0])

    def _moved(self, points: Floats, classes: NDArray[np.int64], start: float, stop: float) -> Floats:
        """Points (n, L) moved by the flow from one time to another."""
        parts = [
            self._move(points[at : at + _BATCH], classes[at : at + _BATCH], start, stop)
            for at in range(0, len(points), _BATCH)
        ]
        return np.concatenate(parts) if parts else points

    def _move(self, points: Floats, classes: NDArray[np.int64], start: float, stop: float) -> Floats:
        x = torch.from_numpy(np.ascontiguousarray(points)).unflatten(1, (len(self.network.places), -1))
        chosen, step = torch.from_numpy(classes), (stop - start) / STEPS
        with torch.inference_mode(), one_torch_thread():
            for index in range(STEPS):
                time = start + index * step
                velocity = self._velocity(x, time, chosen)
                other = self._velocity(x + step * velocity, time + step, chosen)
                x = x + step * (velocity + other) / 2
        return as_latents(x.flatten(1).numpy())

    def _velocity(self, x: torch.Tensor, time: float, classes: torch.Tensor) -> torch.Tensor:
        """The guided velocity of grids (B, cells, size); none without a class is guided."""
        times = torch.full((len(x),), time)
        velocity: torch.Tensor = self.network(x, times, classes)
        if not (self.guidance and classes.any()):
            return velocity
        return velocity + self.guidance * (velocity - self.network(x, times, torch.zeros_like(classes)))

    def _scaled(self, standard: Floats) -> Floats:
        return as_latents(self.mean + standard * self.deviation)


def moments(latents: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean and deviation of each number of latents (N, L); deviations are above 0."""
    deviation = latents.std(0, dtype=np.float64)
    return latents.mean(0, dtype=np.float64), np.maximum(deviation, _LEAST_DEVIATION * deviation.mean() + 1e-12)


def _arc(first: Floats, second: Floats, shares: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
    """Points (len(shares), L) on the arc from one point to another, both (L,)."""
    cosine = first @ second / max(float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-12)
    angle = math.acos(min(max(float(cosine), -1.0), 1.0))
    if math.sin(angle) < 1e-4:  # the same or opposite directions: the arc is a line, or not defined
        return first + shares[:, None] * (second - first)
    weights = np.sin(np.stack([(1 - shares) * angle, shares * angle], axis=1)) / math.sin(angle)
    return weights @ np.stack([first, second])


def _stored_network(arrays: dict[str, NDArray[Any]], latent_size: int, classes: int) -> VelocityNetwork:
    """The network whose size the arrays state by their shapes; nothing is allocated before these fit together."""
    cells, width = _matrix(arrays, "network.places")
    size = latent_size // cells
    blocks = sum(name.startswith("network.blocks.") and name.endswith(".mixed.bias") for name in arrays)
    if cells > MAX_CELLS or cells * size != latent_size or width > _MAX_WIDTH or width % HEAD_WIDTH or width < 1:
        raise ValueError(f"{cells} cells of width {width} for {latent_size} numbers")
    if blocks > _MAX_BLOCKS:
        raise ValueError(f"it has {blocks} blocks")
    with torch.device("meta"):
        network = VelocityNetwork(cells, size, width, blocks, classes)
    found = {}
    for name, target in network.state_dict().items():
        stored = np.asarray(arrays[f"network.{name}"], np.float32)
        if stored.shape != tuple(target.shape) or not np.isfinite(stored).all():
            raise ValueError(f"'network.{name}' has shape {stored.shape}, or is not finite")
        found[name] = torch.from_numpy(stored)
    network.load_state_dict(found, assign=True)
    return network.requires_grad_(False).eval()


def _matrix(arrays: dict[str, NDArray[Any]], name: str) -> tuple[int, int]:
    shape = np.asarray(arrays[name]).shape
    if len(shape) != 2 or not min(shape):
        raise ValueError(f"{name!r} has shape {shape}")
    return int(shape[0]), int(shape[1])
