"""Fitting of the profile grid to one picture: planes -> integers.

    noisy             latents, soft-rounded and noisy, are fitted together with the networks, while the noise shrinks
    rdoq              latents are integers; rounds of RDOQ move those of some levels, and the networks adapt
    quantise weights  quantiser steps and dead zones of the weights, by measured distortion + lambda * rate
    final rdoq        more rounds of RDOQ, under the quantised weights

The objective is in bits: (sum of squared errors) / (channels * lambda) + bits. That is J = MSE + lambda * bpp, times
pixels / lambda. Tuned for people, a quadratic form of errors (grid/error_form.py) takes the place of their squares,
everywhere: in gradients, in RDOQ and in the choice of quantiser steps.
"""

from __future__ import annotations

import functools
import itertools
import math
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fourcodec.arrays import Floats
from fourcodec.errors import FitError
from fourcodec.grid.config import PHASE_STEPS, GridConfig
from fourcodec.grid.entropy_model import split
from fourcodec.grid.error_form import ErrorForm
from fourcodec.grid.fit import visual
from fourcodec.grid.fit.latents import CpuSpace, PyramidFit, Rates, Sample, Space, proxy_at
from fourcodec.grid.fit.settings import FILE_ITERATIONS, SEARCH_ITERATIONS, GridSettings
from fourcodec.grid.fit.weights import WeightRate, choose_integers
from fourcodec.grid.kernels.layout import HIDDEN
from fourcodec.grid.picture import QuantizedGrid
from fourcodec.grid.weights import BICUBIC, IDENTITY, UNUSED, GridShape, GridWeights
from fourcodec.metrics import MOST_DB, psnr_of_mse_db
from fourcodec.optimisation.progress import Progress
from fourcodec.optimisation.soap import SoapState
from fourcodec.tuning import VISUAL

# Learning rates at the start, per iteration; docs/research.md has what else was tried.
TRAINED_START_RATE = 7e-3  # of the entropy model where it starts from a trained start
ENTROPY_MODEL_RATE, FOURIER_RATE, KERNEL_RATE, FILTER_RATE, SMOOTHING_RATE = 1.4e-2, 4e-3, 3e-3, 2e-3, 2e-3
LINEAR_RATE = 3e-4  # times the square root of lambda / 1e-3, to which the linear path's weights are proportional
LATENT_RATE, LATENT_FLOOR, LATENT_MOMENTUM, LATENT_DECAY = 0.2, 2.0, 0.5, 0.98
NETWORK_MOMENTUM = 0.85
LINEAR_START, LINEAR_FALL = 0.05, 1.0  # grey that a latent of 1 adds at lambda 1e-3; it halves so often per level
PHASE_START = 1 / 25  # turns by which a latent of 1 moves a phase
# At high lambda most latents are 0; the others get a larger start and larger rates. These are the factors from
# COARSE_LAMBDA on; below it they are interpolated by the logarithm of lambda.
COARSE_LAMBDA, COARSE_START, COARSE_FALL, COARSE_PHASE = 1.2e-2, 1.6, 0.6, 2.1
COARSE_FOURIER, COARSE_LATENT, COARSE_FLOOR = 2.0, 1.5, 2.0
WARM_UP = 20  # iterations over which the rates rise
LAST_RATE = 0.02  # at the end of the noisy phase, relative to the start; the rate falls as half a cosine
RDOQ_SHARE, RDOQ_RATE = 0.1, 0.1  # the phase rdoq: its share of the schedule, its first rate relative to the start
RDOQ_COST = 1.3  # RDOQ of one level takes as long as so many iterations
RDOQ_FINE_LEVELS = 3  # levels that are in every round of RDOQ
RDOQ_COARSE_EVERY = 4  # the others, whose latents seldom move, are in every fourth round
FINAL_RDOQ_ROUNDS, ITERATIONS_A_ROUND = 4, 50  # rounds at the end, at most one for so many iterations
REPORT_SECONDS = 0.2
_TIMED = 3  # iterations after which the pace is known, beside the first, in which kernels are compiled
FEWEST_PIXELS = 1 << 12  # smaller pictures pay as much for a bit as 64 x 64: else one pixel would lose its colour


def fit(
    planes: Floats,
    config: GridConfig,
    settings: GridSettings,
    *,
    seed: int,
    report: Callable[[Progress], None] | None,
    start: QuantizedGrid | None = None,
    visible: NDArray[np.bool_] | None = None,
    device: str = "cpu",
) -> QuantizedGrid:
    """Fits the latents of each tile, and networks, to planes (channels, H, W) float32 in [0, 1].

    visible: (H, W); where it is false, pixels do not count. device: "cpu" (kernels, no torch) or a device of torch.
    report: called with the progress now and then. start: another fit of the same config, for a warm start;
    settings.begin is the share of the schedule that it replaces.

    Equal arguments give equal results on one machine, except where settings.max_seconds cuts the fit short. Raises
    ValueError for a start of another config, FitError where the fit diverges.
    """
    if start is not None and start.config != config:
        raise ValueError(f"a fit of {config} cannot start from {start.config}")
    fitted = _Fit(planes, config, settings, seed, visible, device)
    if start is not None:
        fitted.place(start)
    fitted.run(report)
    return fitted.integers()


def coarseness(rate_weight: float) -> float:
    """The interpolation between low and high lambda: 0 up to 1e-3, 1 from COARSE_LAMBDA on."""
    return min(max(math.log(rate_weight / 1e-3) / math.log(COARSE_LAMBDA / 1e-3), 0.0), 1.0)


def phase_index(rate_weight: float) -> int:
    """The field `phase` of the configuration for a fit at this lambda, see GridConfig.phase_scale."""
    return round(-PHASE_STEPS * math.log2(PHASE_START * COARSE_PHASE ** coarseness(rate_weight)))


class _Optimiser:
    """SOAP for one matrix, with its own learning rate."""

    def __init__(self, shape: tuple[int, int], rate: float) -> None:
        self._soap, self._rate = SoapState(*shape, momentum=NETWORK_MOMENTUM), rate

    def update(self, matrix: Floats, gradient: Floats, factor: float) -> None:
        """Updates the matrix in place, at `factor` times the learning rate."""
        matrix -= np.float32(self._rate * factor) * self._soap.direction(gradient)


def _matrices(weights: GridWeights, shape: GridShape) -> list[Floats]:
    """Views of the weights, or of their gradients, as the matrices that have an optimiser each."""
    model = split(weights.entropy_model)
    found = [*model.first, *model.second, *model.last, *model.maps, model.mixing]
    features = 2 * shape.feature_count
    found.append(weights.first[:features])
    found.append(weights.last[:features])
    found.append(weights.last[shape.rows : shape.rows + shape.levels])
    found.append(weights.kernel.reshape(shape.channels, -1))
    if shape.levels > 1:
        found.append(weights.filters)
    if shape.smooth:
        found.append(weights.smoothing)
    return found


class _Fit:
    """The state of one fit: the networks, which all tiles share, and the latents of every tile."""

    def __init__(
        self,
        planes: Floats,
        config: GridConfig,
        settings: GridSettings,
        seed: int,
        visible: NDArray[np.bool_] | None = None,
        device: str = "cpu",
    ) -> None:
        self._config, self._settings, self._seed = config, settings, seed
        self._shape, self._size = config.shape, planes.size
        pixels = config.height * config.width
        self._lambda = settings.rate_weight * min(1.0, pixels / FEWEST_PIXELS)
        self._coarse = coarseness(self._lambda)
        self._weight = 1 / (config.channels * self._lambda)  # of a squared error, in bits
        mean_colour = planes.mean(axis=(1, 2)) if visible is None else planes[:, visible].mean(axis=1)
        self.weights = initial_weights(mean_colour, config.shape, self._lambda, np.random.default_rng(seed))
        form = visual.form_of(planes, visible) if settings.tune == VISUAL else None
        self._pyramids = _pyramids(planes, config, visible, form, device)
        rates = [FOURIER_RATE * COARSE_FOURIER**self._coarse] * 2
        rates += [LINEAR_RATE * math.sqrt(self._lambda / 1e-3), KERNEL_RATE]
        rates += [FILTER_RATE] * (config.levels > 1) + [SMOOTHING_RATE] * config.smooth
        matrices = _matrices(self.weights, config.shape)
        of_entropy_model = TRAINED_START_RATE if config.trained_start else ENTROPY_MODEL_RATE
        rates = [of_entropy_model] * (len(matrices) - len(rates)) + rates
        self._optimisers = [
            _Optimiser((matrix.shape[0], matrix.shape[1]), rate) for matrix, rate in zip(matrices, rates, strict=True)
        ]
        self._rdoq_rounds = _rdoq_rounds(config.levels)
        self._started, self._pace = time.perf_counter(), 0.0  # pace: seconds an iteration
        self._work = 0  # done so far, in iterations; a round of RDOQ counts as several
        self._weight_rate = WeightRate(config.shape)
        self._unused = config.shape.groups[: self.weights.entropy_model.size] == UNUSED

    def place(self, start: QuantizedGrid) -> None:
        """Takes the latents and weights of another fit."""
        for number, pyramid in enumerate(self._pyramids):
            pyramid.place(start.tiles[number])
        for mine, theirs in zip(self.weights.parts(), start.networks.weights.parts(), strict=True):
            mine[:] = theirs

    def run(self, report: Callable[[Progress], None] | None) -> None:
        """Iterates until the schedule is done."""
        settings, started, warm, shown = self._settings, self._started, 0.0, 0.0
        with threadpool_limits(1):  # products of matrices this small are slower on several threads
            first, done = 0, settings.begin
            while done < 1:
                squares, work = self._iterate(done), self._work
                elapsed = time.perf_counter() - started
                if not first:
                    first, warm = work, elapsed  # kernels are compiled: from here on the pace can be measured
                self._pace = pace = (elapsed - warm) / max(work - first, 1)
                if work <= first + _TIMED:
                    settings.check_time(elapsed, pace)
                done = settings.progress(work, elapsed, pace)
                if work > first and report and (done >= 1 or elapsed - shown > REPORT_SECONDS):
                    shown = elapsed
                    mse = squares / self._size
                    left = settings.seconds_left(work, elapsed, pace)
                    whole = round(work * (1 - settings.begin) / (done - settings.begin))
                    report(Progress(min(work, whole), whole, mse, psnr_of_mse_db(mse, at_most=MOST_DB), left))

    def integers(self) -> QuantizedGrid:
        """Quantises the weights and runs the final rounds of RDOQ."""
        with threadpool_limits(1):
            short = self._settings.tail(self._pace) < SEARCH_ITERATIONS
            ends = self._ends(0.0 if short else 0.6)
            networks = choose_integers(
                Sample(self._pyramids), self._config, self.weights, self._weight, ends, short=short
            )
            weights = networks.weights
            for number, pyramid in enumerate(self._pyramids, 1):
                rounds = min(FINAL_RDOQ_ROUNDS, self._work // ITERATIONS_A_ROUND)
                for levels in itertools.islice(_rdoq_rounds(self._config.levels), rounds):
                    if time.perf_counter() > self._ends(number / len(self._pyramids)):
                        break
                    pyramid.show_rounded()
                    pyramid.gradient(weights, self._weight)
                    pyramid.improve_latents(weights, self._weight, levels)
        latents = [pyramid.integers(self.weights) for pyramid in self._pyramids]
        return QuantizedGrid(networks, dict(enumerate(latents)))

    def _ends(self, share: float) -> float:
        """When this share of the time for the final RDOQ is over, as time.perf_counter() has it. Quantising, before it,
        has as much time. A round of RDOQ that begins before its end may end a little later."""
        if self._settings.max_seconds is None:
            return math.inf
        end = self._started + self._settings.max_seconds - FILE_ITERATIONS * self._pace
        return end - (1 - share) / 2 * self._settings.tail(self._pace) * self._pace

    def _iterate(self, done: float) -> float:
        """One iteration of latents and networks, at share `done` of the schedule. Returns the sum of squared errors
        before it."""
        iteration = self._work
        share = min(done / (1 - RDOQ_SHARE), 1.0)
        if share < 1:
            rate = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))
            rate *= min(1.0, (iteration + 1) / WARM_UP)
        else:
            rate = RDOQ_RATE * (1 - done) / RDOQ_SHARE
            levels = next(self._rdoq_rounds)
        total, gradients = 0.0, self.weights.zeros()
        for number, pyramid in enumerate(self._pyramids):
            if share < 1:
                noisy = pyramid.noisy()
                noisy.perturb(proxy_at(share, self._coarse, self._seed, iteration, number))
                squares, _, found = noisy.gradient(self.weights, self._weight, iteration)
                noisy.move(self._latent_rates(rate))
            else:
                pyramid.show_rounded()
                squares, _, found = pyramid.gradient(self.weights, self._weight)
                pyramid.improve_latents(self.weights, self._weight, levels)
            total += squares
            for sum_, some in zip(gradients.parts(), found.parts(), strict=True):
                sum_ += some
        if not (math.isfinite(total) and np.isfinite(gradients.flat()).all()):
            raise FitError(f"the fit diverged at iteration {iteration + 1}: another --seed takes another way")
        self._weight_rate.add_gradient(self.weights, gradients)
        pairs = zip(
            self._optimisers, _matrices(self.weights, self._shape), _matrices(gradients, self._shape), strict=True
        )
        for optimiser, matrix, gradient in pairs:
            optimiser.update(matrix, gradient, rate)
        self.weights.entropy_model[self._unused] = 0  # SOAP mixes rows, and so moves unused weights too
        self._work += 1 if share < 1 else 1 + math.ceil(RDOQ_COST * len(levels))
        return total

    def _latent_rates(self, rate: float) -> Rates:
        return Rates(
            rate * LATENT_RATE * COARSE_LATENT**self._coarse,
            LATENT_FLOOR * COARSE_FLOOR**self._coarse,
            LATENT_MOMENTUM,
            LATENT_DECAY,
        )


def _rdoq_rounds(levels: int) -> Iterator[list[int]]:
    """The levels of each round of RDOQ, coarsest first, without end."""
    for number in itertools.count(1):
        yield list(reversed(range(levels if number % RDOQ_COARSE_EVERY == 0 else min(levels, RDOQ_FINE_LEVELS))))


def _space(config: GridConfig, device: str) -> Space:
    if device == "cpu":
        return CpuSpace(config)
    from fourcodec.grid.cuda.latents import TorchSpace

    return TorchSpace(config, device)


def _pyramids(
    planes: Floats, config: GridConfig, visible: NDArray[np.bool_] | None, form: ErrorForm | None, device: str
) -> list[PyramidFit]:
    """The fits of the latents of all tiles."""
    space_of = functools.cache(functools.partial(_space, device=device))

    def fit_of(number: int) -> PyramidFit:
        tile, own = config.tiling.tile(number), config.of_tile(number)
        space = space_of(own)  # tiles of one size have one configuration
        return PyramidFit(
            own,
            space,
            planes[:, *tile.slices],
            None if visible is None else visible[tile.slices],
            None if form is None else form.cut(*tile.slices),
        )

    return [fit_of(number) for number in range(config.tiling.count)]


def initial_weights(
    mean_colour: Floats, shape: GridShape, rate_weight: float, random: np.random.Generator
) -> GridWeights:
    """The weights at the start of a fit.

    They are the mean colour, a linear path from latents to grey (with some random colour from level 2 on), Fourier
    layers near 0, and the trained start, or an entropy model with random hidden layers whose output is near a scale of
    1/2.
    """
    weights = GridWeights(*(np.zeros(part, np.float32) for part in shape.shapes))
    model = split(weights.entropy_model)
    model.first[:] = random.normal(0, 0.6 / math.sqrt(model.first.shape[1]), model.first.shape)
    model.second[:, :HIDDEN] = random.normal(0, math.sqrt(2 / HIDDEN), (len(model.second), HIDDEN, HIDDEN))
    model.last[:, :HIDDEN] = random.normal(0, 0.1 / math.sqrt(HIDDEN), (len(model.last), HIDDEN, 2))
    model.last[:, HIDDEN, 1] = -1
    model.mixing[:] = random.normal(0, 0.3, model.mixing.shape)  # features begin as 0, and their weights not
    model.mixing[:, HIDDEN:] /= 3
    features = 2 * shape.feature_count
    for matrix in (weights.first, weights.last):
        matrix[2:features] = random.normal(0, 0.03 / math.sqrt(features), (features - 2, matrix.shape[1]))
    weights.last[0] = mean_colour
    coarse = coarseness(rate_weight)
    start, fall = LINEAR_START * COARSE_START**coarse, LINEAR_FALL * COARSE_FALL**coarse
    amplitude = start * math.sqrt(rate_weight / 1e-3) * 2.0 ** (-fall * np.arange(shape.levels))
    colour = np.ones((shape.levels, shape.channels))
    if shape.channels > 1:
        colour[2:] += 0.5 * random.standard_normal(colour[2:].shape)
    weights.last[shape.rows : shape.rows + shape.levels] = amplitude[:, None] * colour
    weights.filters[:], weights.smoothing[:] = BICUBIC, IDENTITY
    if shape.trained_start:
        weights.entropy_model[:] = shape.weights(shape.base).entropy_model
    weights.entropy_model[shape.groups[: weights.entropy_model.size] == UNUSED] = 0
    return weights
