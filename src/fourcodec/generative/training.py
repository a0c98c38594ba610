"""Training of decoder, latents and, where there is one, encoder. It can be killed at any moment and resumed exactly.

An iteration draws a batch, decodes its latents with noise, and takes a gradient step on

    sum of squared errors on [-1, 1] [+ w times the perceptual distance] + c ||z||^2

in the networks and, without an encoder, in the batch's latents. The order of images and the noise depend only on (seed,
epoch, iteration), so a checkpoint between two iterations is the complete state.

embedding.py minimises the same sum for given images but without the perceptual distance, for which it would need the
classifier. Another change of the loss in `_descend` is made there too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fourcodec import files, images
from fourcodec.batch.progress import TimeLeft
from fourcodec.errors import ConfigError, ModelError
from fourcodec.generative import checkpoints, sheets
from fourcodec.generative import history as records
from fourcodec.generative.card import FILE_NAME as CARD
from fourcodec.generative.classifier_cache import cached_classifier
from fourcodec.generative.component_start import start_at_components
from fourcodec.generative.config import Config, cell_shape, from_table, to_table
from fourcodec.generative.core import ModelCore, outline
from fourcodec.generative.datasets import Dataset
from fourcodec.generative.latents import LatentTable, start_values
from fourcodec.generative.perception import SEED, Perception
from fourcodec.generative.schedules import Budget, rate_factor
from fourcodec.metrics import MOST_DB, psnr_of_mse_db
from fourcodec.threads import thread_count

CHECKPOINT_SECONDS = 60.0
_BETAS = (0.9, 0.99)
_NOISE_RATE = 0.01  # learning rate of the logarithm of learned noise
_SHEETS = 20  # over the whole training
_SHEET_IMAGES = 64
_LOG, _PLOT = "log.csv", "log.png"
_RECORDS = _LOG, _PLOT, CARD


@dataclass(frozen=True)
class TrainingProgress:
    """The progress of a training after an iteration."""

    epoch: int  # the current one, from 1
    fraction: float  # of the budget
    loss: float  # mean of this epoch's images so far
    psnr_db: float  # the same
    images_per_second: float  # since the training was started or resumed
    seconds_left: float


class Training:
    """The state of one training. Use `begin` or `resume` in a `with` statement, which holds the directory's lock.

    config: the configuration of this training. history: the records of all finished epochs.
    """

    def __init__(self, data: Dataset, settings: Config, directory: Path, device: str, seed: int) -> None:
        self.core = ModelCore(settings, data.image_shape, device, seed)
        self.config, self._data, self._directory, self._seed = settings, data, directory, seed
        self._images = self.core.pixels(data.train)
        self._table = LatentTable(torch.zeros((len(data.train), settings.latent_size), device=self.core.device))
        self._log_noise = torch.full((settings.latents.size,), math.log(max(settings.latents.noise, 1e-30)))
        self._log_noise = self._log_noise.to(self.core.device).requires_grad_(settings.latents.learned_noise)
        self._steps = math.ceil(len(self._images) / settings.training.batch)  # iterations in an epoch
        self._perception = _perception(data, self.core.device) if settings.training.perceptual else None
        self._optimiser = self._make_optimiser()
        self._epoch, self._step, self._seconds = 0, 0, 0.0
        self._sums = [0.0, 0.0, 0]  # of this epoch so far: losses, squared errors, images
        self.history: list[records.EpochRecord] = []

    @classmethod
    @contextmanager
    def begin(cls, data: Dataset, settings: Config, directory: Path, *, device: str, seed: int) -> Iterator[Training]:
        """A new training in `directory`, which is made if it is missing and locked until the context ends.

        Raises RunError where another training has the directory, FileExistsError where it holds a model or records
        already,
        OSError where it cannot be made, and ConfigError for linear latents of more numbers than a cell has samples, and
        for cells that do not divide the images.
        """
        samples = math.prod(cell_shape(settings, data.image_shape))
        if settings.latents.linear and settings.latents.size > samples:
            raise ConfigError(f"{settings.latents.size} linear latents for cells of {samples} samples")
        directory.mkdir(parents=True, exist_ok=True)
        with checkpoints.locked(directory):
            for name in (checkpoints.FILE_NAME, *_RECORDS):
                if (directory / name).exists():
                    what = "a model" if name == checkpoints.FILE_NAME else f"{name}, which a training would overwrite,"
                    raise FileExistsError(f"{str(directory)!r} holds {what} already")
            training = cls(data, settings, directory, device, seed)
            training._start()
            yield training

    @classmethod
    @contextmanager
    def resume(cls, data: Dataset, directory: Path, *, device: str) -> Iterator[Training]:
        """The training whose last checkpoint is in `directory`, which is locked until the context ends.

        Raises RunError where another training has the directory, and ModelError where it holds no sound model, or one
        that was trained on other data.
        """
        checkpoints.check_exists(directory)  # before a lock is written into a folder that may be no model's
        with checkpoints.locked(directory):
            tensors, facts = checkpoints.read_checkpoint(directory)
            with checkpoints.explained(directory):
                if facts["dataset"]["hash"] != data.content_hash:
                    raise ModelError(f"{str(directory)!r} was trained on other data ({facts['dataset']['name']})")
                settings = from_table(facts["config"])
                size = (len(data.train), settings.latent_size)
                latents = {"latents.values": torch.empty(size, device="meta")}
                checkpoints.compare(outline(settings, data.image_shape) | latents, tensors)
                training = cls(data, settings, directory, device, checkpoints.count(facts["seed"]))
                training._load(tensors, facts)
            for folder in (directory, directory / "sheets"):
                files.remove_all_leftovers(folder)  # of a process that was killed
            yield training

    def run(
        self,
        budget: Budget,
        report: Callable[[TrainingProgress], None] | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        """Trains until the budget is used up. Raises FitError where the training diverges, and OSError where the
        directory cannot be written to."""
        torch.set_num_threads(thread_count())
        clock = _Clock(self._seconds)
        saved = time.monotonic()
        while (fraction := budget.fraction(self._epochs_done(), self._seconds)) < 1:
            self._train_step(rate_factor(self.config.training, fraction))
            self._seconds = clock.seconds()
            if report is not None:
                report(self._progress(budget, clock))
            if self._step == self._steps:
                self._end_epoch(budget, rate_factor(self.config.training, fraction))
            if time.monotonic() - saved >= checkpoint_seconds:
                self.save()
                saved = time.monotonic()
        if self.core.encoder is not None:
            found = self.core.encode(self._images)
            # Rounding depends on the number of threads. A prior belongs to the very numbers it was fitted to.
            if not torch.allclose(found, self._table.values, rtol=1e-3, atol=1e-4):
                self._table.values.copy_(found)
        self.save()
        self._write_records()

    def save(self) -> None:
        """Writes the checkpoint. Raises FitError where the training has diverged: the one before is then kept."""
        facts = {
            "config": to_table(self.config),
            "dataset": {"name": self._data.name, "hash": self._data.content_hash},
            "image_shape": self._data.image_shape,
            "seed": self._seed,
            "epoch": self._epoch,
            "step": self._step,
            "seconds": self._seconds,
            "sums": self._sums,
            "perception": None if self._perception is None else self._perception.weights_hash,
            "history": [asdict(record) for record in self.history],
        }
        tensors = self._tensors() | checkpoints.named("optimiser", checkpoints.of_optimiser(self._optimiser))
        checkpoints.check_finite(tensors)
        checkpoints.write_checkpoint(self._directory, tensors, facts)

    def _tensors(self) -> dict[str, torch.Tensor]:
        """All tensors that are trained, by name; the optimiser's state is not among them."""
        latents = checkpoints.named("latents", self._table.tensors())
        return {**self.core.tensors(), **latents, "log_noise": self._log_noise}

    def _start(self) -> None:
        latents, images = self.config.latents, self._data.train
        if self.core.encoder is None:
            generator = torch.Generator().manual_seed(self._seed)
            self._table.values.copy_(start_values(images, latents, self.config.network.grid, generator))
        if latents.linear:
            start_at_components(self.core, images)

    def _load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        checkpoints.fill(self._tensors(), tensors)
        if self._perception is not None and facts["perception"] != self._perception.weights_hash:
            raise ValueError("its perceptual distance is by another classifier than this machine's")
        checkpoints.fill_optimiser(self._optimiser, checkpoints.part(tensors, "optimiser"))
        self._epoch, self._step = checkpoints.count(facts["epoch"]), checkpoints.count(facts["step"])
        self._seconds = checkpoints.finite(facts["seconds"])
        loss, error, seen = map(checkpoints.finite, facts["sums"])
        self._sums = [loss, error, checkpoints.count(seen)]
        self.history = [
            records.EpochRecord(**{name: checkpoints.finite(value) for name, value in record.items()})
            for record in facts["history"]
        ]
        if self._step >= self._steps or len(self.history) != self._epoch or (self._step > 0) != (seen > 0):
            raise ValueError("its progress contradicts itself")

    def _make_optimiser(self) -> torch.optim.Adam:
        settings = self.config
        groups = [{"params": [p for p in self.core.decoder.parameters() if p.requires_grad], "share": 1.0}]
        if self.core.encoder is not None and settings.encoder is not None:
            groups.append({"params": list(self.core.encoder.parameters()), "share": settings.encoder.rate})
        if settings.latents.learned_noise:
            groups.append({"params": [self._log_noise], "share": _NOISE_RATE / settings.training.rate})
        return torch.optim.Adam(groups, lr=settings.training.rate, betas=_BETAS, fused=True)

    def _epochs_done(self) -> float:
        return self._epoch + self._step / self._steps

    def _train_step(self, factor: float) -> None:
        settings = self.config.training
        for group in self._optimiser.param_groups:
            group["lr"] = settings.rate * group["share"] * factor
        order = np.random.default_rng([self._seed, self._epoch]).permutation(len(self._images))
        rows = torch.from_numpy(order[self._step * settings.batch :][: settings.batch]).to(self.core.device)
        loss, error = self._descend(rows, settings.latent_rate * factor)
        if not math.isfinite(loss):
            raise checkpoints.diverged()
        self._sums = [before + more * len(rows) for before, more in zip(self._sums, (loss, error, 1), strict=True)]
        self._step += 1

    def _descend(self, rows: torch.Tensor, latent_rate: float) -> tuple[float, float]:
        """One iteration on a batch; returns its mean loss and squared error per image."""
        (wanted, mirrored), encoder = self._seen_images(rows), self.core.encoder
        z = encoder(wanted) if encoder is not None else self._table.values[rows].requires_grad_()
        noise = torch.exp(self._log_noise)  # of each number of a code: cells share it
        errors, distances = self._errors(self.core.decoder(z + self._noise_like(z, noise)), wanted)
        penalties = z.square().sum(1)
        loss = distances.mean() + self.config.latents.penalty * penalties.mean()
        self._optimiser.zero_grad()
        (loss + self._noise_cost(noise)).backward()
        self._optimiser.step()
        if encoder is not None:
            self._table.values[rows[~mirrored]] = z.detach()[~mirrored]  # latents of the images as they are
        else:
            assert z.grad is not None
            self._table.step(rows, z.grad * len(rows), latent_rate, self._epoch)
        return float(loss.detach()), float(errors.detach().mean())

    def _errors(self, coefficients: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The squared error of each image, and what training minimises of it: the same, or with the perceptual
        distance added."""
        if self._perception is None:
            errors = self.core.fourier.squared_errors(coefficients, wanted)
            return errors, errors
        samples = self.core.fourier.evaluate(coefficients)
        errors = (samples - (wanted * (2 / 255) - 1)).square().sum(dim=(1, 2))
        return errors, errors + self.config.training.perceptual * self._perception.distances(samples, wanted)

    def _seen_images(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The images of a batch as this iteration sees them, and which of them are mirrored."""
        images = self._images[rows]
        if not self.config.training.mirrored:
            return images, torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
        mirrored = np.random.default_rng([self._seed, self._epoch, self._step]).random(len(rows)) < 0.5
        height, width, _ = self._data.image_shape
        turned = images.unflatten(2, (height, width)).flip(3).flatten(2)
        chosen = torch.from_numpy(mirrored).to(images.device)
        return torch.where(chosen[:, None, None], turned, images), chosen

    def _noise_cost(self, noise: torch.Tensor) -> torch.Tensor:
        """The terms of the Kullback-Leibler divergence of N(z, noise^2) from N(0, 1) that depend on the noise, times
        twice the penalty (Kingma, Welling: Auto-Encoding Variational Bayes, 2014, appendix B); 0 where noise is fixed.
        """
        if not self.config.latents.learned_noise:
            return torch.zeros((), device=noise.device)
        cells = self.config.network.grid.count
        return cells * self.config.latents.penalty * (noise.square() - 2 * self._log_noise).sum()

    def _noise_like(self, z: torch.Tensor, deviations: torch.Tensor) -> torch.Tensor:
        """Noise for z (B, L) with a deviation for each number of a cell's code."""
        (number,) = np.random.SeedSequence([self._seed, self._epoch, self._step]).generate_state(1)
        generator = torch.Generator().manual_seed(int(number))
        return deviations.repeat(self.config.network.grid.count) * torch.randn(z.shape, generator=generator).to(
            z.device
        )

    def _end_epoch(self, budget: Budget, factor: float) -> None:
        loss, squared_error, psnr_db = self._means()
        self.history.append(
            records.EpochRecord(
                epoch=self._epoch + 1,
                seconds=self._seconds,
                loss=loss,
                squared_error=squared_error,
                psnr_db=psnr_db,
                latent_rms=float(self._table.values.square().mean().sqrt()),
                noise=float(torch.exp(self._log_noise.detach()).mean()),
                rate=self.config.training.rate * factor,
            )
        )
        before = budget.fraction(self._epoch, self.history[-2].seconds if self._epoch else 0.0)
        self._epoch, self._step, self._sums = self._epoch + 1, 0, [0.0, 0.0, 0]
        if int(before * _SHEETS) < int(budget.fraction(self._epoch, self._seconds) * _SHEETS):
            self._write_records()

    def _write_records(self) -> None:
        """Writes log, plot, and a sheet of images sampled from a Gaussian with the latents' mean and covariance."""
        if self.history:
            self._write(_LOG, records.to_csv(self.history))
            self._write(_PLOT, records.to_plot(self.history))
        latents = self._table.values.cpu().double().numpy()
        random = np.random.default_rng(self._seed)
        covariance = np.atleast_2d(np.cov(latents.T))
        z = random.multivariate_normal(latents.mean(0), covariance, _SHEET_IMAGES, method="eigh").astype(np.float32)
        picture = images.to_png(sheets.sheet(sheets.to_bytes(self.core.decode(z))))
        (self._directory / "sheets").mkdir(exist_ok=True)
        self._write(f"sheets/epoch-{self._epoch:05}.png", picture)

    def _write(self, name: str, data: bytes) -> None:
        files.write(self._directory / name, data, overwrite=True, within=self._directory)

    def _means(self) -> tuple[float, float, float]:
        """Mean loss and squared error of this epoch's images so far, and their PSNR in dB."""
        loss, error, seen = self._sums
        mse = error / seen / self._images[0].numel()
        return loss / seen, error / seen, psnr_of_mse_db(mse, peak=2, at_most=MOST_DB)  # samples on [-1, 1]

    def _progress(self, budget: Budget, clock: _Clock) -> TrainingProgress:
        fraction = budget.fraction(self._epochs_done(), self._seconds)
        loss, _, psnr_db = self._means()
        pace = clock.pace(self.config.training.batch, fraction)
        return TrainingProgress(self._epoch + 1, fraction, loss, psnr_db, *pace)


def _perception(data: Dataset, device: torch.device) -> Perception:
    return Perception(cached_classifier(data, seed=SEED), device)


class _Clock:
    """The seconds of training in all, also before a resumption, and the speed since it was started or resumed."""

    def __init__(self, before: float) -> None:
        self._before, self._started = before, time.monotonic()
        self._images = 0
        self._left: TimeLeft | None = None

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._started

    def pace(self, images_seen: int, fraction: float) -> tuple[float, float]:
        """Counts a step's images; `fraction` of the budget is then used up. Returns images per second, and the seconds
        left by the pace so far: 0 before the second step, since the first, in which torch loads and compiles, does not
        count for it."""
        if self._left is None:
            self._left = TimeLeft(1 - fraction)
        self._left.finish(self._left.left - (1 - fraction))
        self._images += images_seen
        return self._images / max(time.monotonic() - self._started, 1e-9), self._left.seconds
