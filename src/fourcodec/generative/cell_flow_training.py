"""The training of a CellFlow on the latents of a trained model. It can be killed at any moment and resumed exactly.

Its checkpoint is a file of its own beside the model's. It states which latents it belongs to: where the model was
trained on in between, the flow starts anew. Order, noise, times and left-out classes follow from (seed, iteration).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fourcodec.arrays import Floats
from fourcodec.batch.progress import TimeLeft
from fourcodec.generative import checkpoints
from fourcodec.generative.cell_flow import CellFlow, VelocityNetwork, moments
from fourcodec.generative.config import FlowConfig
from fourcodec.generative.prior_store import digest
from fourcodec.generative.schedules import Budget, scheduled
from fourcodec.threads import thread_count

FILE_NAME = "flow-training.safetensors"
CHECKPOINT_SECONDS = 60.0
_BETAS = (0.9, 0.99)
_WARM_UP = 0.05  # share of the budget
_DECAY = 0.999  # of the moving average of the weights, which is what is sampled with
_WITHOUT_CLASS = 0.1  # share of the codes that are seen without their class
_TAG = 0x666C6F77  # makes the random numbers others than those of the model's training with the same seed


@dataclass(frozen=True)
class FlowProgress:
    """The progress of a flow's training after an iteration."""

    fraction: float  # of the budget
    loss: float  # moving average of the mean squared error of velocities
    seconds_left: float


class CellFlowTraining:
    """The training of a flow in a model's directory, whose lock the caller holds.

    latents: (N, L) float32, those of the training images. labels: (N,) their labels, or None. augmented: (N, L),
    latents of changed copies of the same images, or None. noise: (L,) the deviations of the noise that the decoder was
    trained with. A training that the directory has of the same latents is resumed. Raises ModelError where its
    checkpoint is damaged.
    """

    def __init__(
        self,
        latents: Floats,
        labels: NDArray[np.int64] | None,
        augmented: Floats | None,
        *,
        noise: Floats,
        cells: int,
        config: FlowConfig,
        directory: Path,
        device: str,
        seed: int,
    ) -> None:
        self._config, self._directory, self._seed, self._device = config, directory, seed, torch.device(device)
        known = np.zeros(len(latents), np.int64) if labels is None else labels
        values, classes, counts = np.unique(known, return_inverse=True, return_counts=True)
        if labels is None:
            values, classes, counts = values[:0], classes - 1, counts[:0]
        copies = [latents] if augmented is None else [latents, augmented]
        together = np.concatenate(copies)
        self._mean, self._deviation = moments(together)
        self._labels, self._shares = values.astype(np.int64), counts / max(1, counts.sum())
        standard = ((together - self._mean) / self._deviation).astype(np.float32)
        self._codes = torch.from_numpy(standard).unflatten(1, (cells, -1)).to(self._device)
        spread = (config.noise * noise / self._deviation).astype(np.float32)
        self._spread = torch.from_numpy(spread).unflatten(0, (cells, -1)).to(self._device)
        self._classes = torch.from_numpy(1 + np.tile(classes.ravel(), len(copies))).to(self._device)
        self._digest = digest(latents)
        self._steps = math.ceil(len(self._codes) / config.batch)  # iterations in an epoch
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self._size = cells, self._codes.shape[2]
            network = VelocityNetwork(*self._size, config.width, config.blocks, len(values))
        self._network = network.to(self._device)
        self._average = {name: value.clone() for name, value in self._network.state_dict().items()}
        self._optimiser = torch.optim.Adam(self._network.parameters(), lr=config.rate, betas=_BETAS, fused=True)
        self._iteration, self._seconds, self._loss = 0, 0.0, 0.0
        self._load()

    def run(
        self,
        budget: Budget,
        report: Callable[[FlowProgress], None] = lambda _: None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> CellFlow:
        """Trains until the budget is used up, its epochs being passes over all latents. Returns the flow with the
        moving average of the weights. Raises FitError where the training diverges, and OSError."""
        torch.set_num_threads(thread_count())
        started = time.monotonic() - self._seconds
        left, saved = TimeLeft(1 - self._fraction(budget)), time.monotonic()
        while (fraction := self._fraction(budget)) < 1:
            self._train_step(scheduled(fraction, _WARM_UP, "cosine"))
            self._seconds = time.monotonic() - started
            done = self._fraction(budget)
            left.finish(left.left - (1 - done))
            report(FlowProgress(done, self._loss, left.seconds))
            if time.monotonic() - saved >= checkpoint_seconds:
                self._save()
                saved = time.monotonic()
        self._save()
        weights = {name: value.cpu() for name, value in self._average.items()}
        network = VelocityNetwork(*self._size, self._config.width, self._config.blocks, len(self._labels))
        network.load_state_dict(weights)
        network.requires_grad_(False)
        return CellFlow(self._mean, self._deviation, self._labels, self._shares, network, self._config.guidance)

    def _fraction(self, budget: Budget) -> float:
        return budget.fraction(self._iteration / self._steps, self._seconds)

    def _train_step(self, factor: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = self._config.rate * factor
        epoch, step = divmod(self._iteration, self._steps)
        order = np.random.default_rng([self._seed, _TAG, epoch]).permutation(len(self._codes))
        rows = torch.from_numpy(order[step * self._config.batch :][: self._config.batch]).to(self._device)
        targets, classes = self._codes[rows], self._classes[rows]
        (number,) = np.random.SeedSequence([self._seed, _TAG, epoch, step]).generate_state(1)
        generator = torch.Generator().manual_seed(int(number))
        noise = torch.randn(targets.shape, generator=generator).to(self._device)
        times = torch.rand(len(rows), generator=generator).to(self._device)
        hidden = (torch.rand(len(rows), generator=generator) < _WITHOUT_CLASS).to(self._device)
        classes = torch.where(hidden, 0, classes)
        if self._config.noise:
            more = torch.randn(targets.shape, generator=generator).to(self._device)
            targets = targets + self._spread * more
        points = torch.lerp(noise, targets, times[:, None, None])
        loss = nn.functional.mse_loss(self._network(points, times, classes), targets - noise)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._iteration += 1
        recent = min(0.99, 1 - 1 / self._iteration)
        self._loss = recent * self._loss + (1 - recent) * float(loss.detach())
        if not math.isfinite(self._loss):
            raise checkpoints.diverged()
        kept = min(_DECAY, self._iteration / (10 + self._iteration))
        with torch.no_grad():
            for name, value in self._network.state_dict().items():
                self._average[name].lerp_(value, 1 - kept)

    def _save(self) -> None:
        facts = {
            "config": asdict(self._config),
            "latents": self._digest,
            "seed": self._seed,
            "iteration": self._iteration,
            "seconds": self._seconds,
            "loss": self._loss,
        }
        tensors = (
            checkpoints.named("network", self._network.state_dict())
            | checkpoints.named("average", self._average)
            | checkpoints.named("optimiser", checkpoints.of_optimiser(self._optimiser))
        )
        checkpoints.check_finite(tensors)
        checkpoints.write_checkpoint(self._directory, tensors, facts, FILE_NAME)

    def _load(self) -> None:
        """Goes on with what the directory holds of a training of the same latents by the same configuration."""
        if not (self._directory / FILE_NAME).is_file():
            return
        tensors, facts = checkpoints.read_checkpoint(self._directory, FILE_NAME)
        own = asdict(self._config), self._digest, self._seed
        if (facts.get("config"), facts.get("latents"), facts.get("seed")) != own:
            return
        with checkpoints.explained(self._directory, FILE_NAME):
            targets = checkpoints.named("network", self._network.state_dict())
            checkpoints.fill(targets | checkpoints.named("average", self._average), tensors)
            checkpoints.fill_optimiser(self._optimiser, checkpoints.part(tensors, "optimiser"))
            self._iteration = checkpoints.count(facts["iteration"])
            self._seconds, self._loss = checkpoints.finite(facts["seconds"]), checkpoints.finite(facts["loss"])
