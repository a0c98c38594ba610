"""Fitting of the profile grid to one picture: planes -> integers.

    coarse fits       where a fit is short, of the picture at 1:4, then at 1:2, each from the fit before: networks and
                      coarse levels are learned in a fraction of the time (coarse.py)
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
from fourcodec.grid.config import GridConfig
from fourcodec.grid.entropy_model import split
from fourcodec.grid.fit import visual
from fourcodec.grid.fit.clock import Clock, Report
from fourcodec.grid.fit.coarse import WHOLE_PICTURE, Stage, enlarge, halved, stages_for
from fourcodec.grid.fit.latents import CpuSpace, PyramidFit, Rates, Sample, Space, proxy_at
from fourcodec.grid.fit.settings import FILE_ITERATIONS, GridSettings
from fourcodec.grid.fit.start import coarseness, initial_weights
from fourcodec.grid.fit.weights import WeightRate, choose_integers
from fourcodec.grid.picture import QuantizedGrid
from fourcodec.grid.weights import UNUSED, GridShape, GridWeights
from fourcodec.optimisation.soap import SoapState
from fourcodec.tuning import VISUAL

# Learning rates at the start, per iteration; docs/research.md has what else was tried.
TRAINED_START_RATE = 7e-3  # of the entropy model where it starts from a trained start
ENTROPY_MODEL_RATE, FOURIER_RATE, KERNEL_RATE, FILTER_RATE, SMOOTHING_RATE = 1.4e-2, 4e-3, 3e-3, 2e-3, 2e-3
LINEAR_RATE = 3e-4  # times the square root of lambda / 1e-3, to which the linear path's weights are proportional
LATENT_RATE, LATENT_FLOOR, LATENT_MOMENTUM, LATENT_DECAY = 0.2, 2.0, 0.5, 0.98
NETWORK_MOMENTUM, NETWORK_DECAY = 0.85, 0.85
# What the rates are multiplied by at high lambda, see start.coarseness.
COARSE_FOURIER, COARSE_LATENT, COARSE_FLOOR = 2.0, 1.5, 2.0
WARM_UP = 20  # iterations over which the rates rise, at each size of the picture
LAST_RATE = 0.02  # at the end of the noisy phase, relative to the start; the rate falls as half a cosine
RDOQ_SHARE, RDOQ_RATE = 0.05, 0.1  # the phase rdoq: its share of the schedule, its first rate relative to the start
RDOQ_COST = 3.0  # RDOQ of one level takes as long as so many iterations
RDOQ_FINE_LEVELS = 3  # levels that are in every round of RDOQ
RDOQ_COARSE_EVERY = 4  # the others, whose latents seldom move, are in every fourth round
RDOQ_REPORT_SECONDS = 2.0
FEWEST_PIXELS = 1 << 12  # smaller pictures pay as much for a bit as 64 x 64: else one pixel would lose its colour


def fit(
    planes: Floats,
    config: GridConfig,
    settings: GridSettings,
    *,
    seed: int,
    report: Report,
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
    clock = Clock(settings)
    if start is not None or settings.begin:
        fitted = _Fit(planes, config, settings, seed, visible, device, clock=clock)
        if start is not None:
            fitted.place(start)
        fitted.run(report)
        return fitted.integers(report)
    coarser: _Fit | None = None
    pixels = config.height * config.width
    for stage in stages_for(config, settings.likely_iterations(pixels), settings.rate_weight):
        fitted = _Fit(planes, config, settings, seed, visible, device, stage, clock)
        if coarser is not None:
            fitted.take(coarser)
        fitted.run(report)
        coarser = fitted
    return fitted.integers(report)


class _Optimiser:
    """SOAP for one matrix, with its own learning rate."""

    def __init__(self, shape: tuple[int, int], rate: float) -> None:
        self._soap, self._rate = SoapState(*shape, momentum=NETWORK_MOMENTUM, decay=NETWORK_DECAY), rate

    def update(self, matrix: Floats, gradient: Floats, factor: float) -> None:
        """Updates the matrix in place, at `factor` times the learning rate."""
        matrix -= np.float32(self._rate * factor) * self._soap.direction(gradient)


def _matrices(weights: GridWeights, shape: GridShape) -> list[Floats]:
    """Views of the weights, or of their gradients, as the matrices that have an optimiser each."""
    model = split(weights.entropy_model)
    found = [*model.first, *model.second, *model.last, *model.maps, model.mixing]
    features = 2 * shape.frequency_count
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
    """The state of the fit at one size of the picture: the networks, which all tiles share, and the latents of every
    tile. At sizes below the whole, config, planes and visible are still those of the whole picture."""

    def __init__(
        self,
        planes: Floats,
        config: GridConfig,
        settings: GridSettings,
        seed: int,
        visible: NDArray[np.bool_] | None = None,
        device: str = "cpu",
        stage: Stage = WHOLE_PICTURE,
        clock: Clock | None = None,
    ) -> None:
        self._config, self._settings, self._seed, self._stage = config, settings, seed, stage
        self._clock = clock or Clock(settings)
        self._shape = config.of_tile(0).reduced(stage.halvings).shape
        pixels = config.height * config.width
        # An error of a pixel of the reduced picture is one of 4^halvings pixels of the whole.
        self._lambda = settings.rate_weight * min(1.0, pixels / FEWEST_PIXELS) / 4**stage.halvings
        self._coarse = coarseness(self._lambda)
        self._weight = 1 / (config.channels * self._lambda)  # of a squared error, in bits
        mean_colour = planes.mean(axis=(1, 2)) if visible is None else planes[:, visible].mean(axis=1)
        self.weights = initial_weights(mean_colour, self._shape, self._lambda, np.random.default_rng(seed))
        self._space_of = functools.cache(functools.partial(_space, device=device))
        self._pyramids = _pyramids(planes, config, visible, self._space_of, stage.halvings, settings.tune)
        self._size = config.channels * sum(pyramid.pixels for pyramid in self._pyramids)
        rates = [FOURIER_RATE * COARSE_FOURIER**self._coarse] * 2
        rates += [LINEAR_RATE * math.sqrt(self._lambda / 1e-3), KERNEL_RATE]
        rates += [FILTER_RATE] * (self._shape.levels > 1) + [SMOOTHING_RATE] * config.smooth
        matrices = _matrices(self.weights, self._shape)
        of_entropy_model = TRAINED_START_RATE if config.trained_start else ENTROPY_MODEL_RATE
        rates = [of_entropy_model] * (len(matrices) - len(rates)) + rates
        self._optimisers = [
            _Optimiser((matrix.shape[0], matrix.shape[1]), rate) for matrix, rate in zip(matrices, rates, strict=True)
        ]
        self._rdoq_rounds = _rdoq_rounds(config.levels)
        self._iterations = 0  # at this size
        self._weight_rate = WeightRate(self._shape)
        self._unused = self._shape.groups[: self.weights.entropy_model.size] == UNUSED

    def take(self, coarser: _Fit) -> None:
        """Takes the latents and networks of the fit of the picture at half this size."""
        for mine, theirs in zip(self._pyramids, coarser._pyramids, strict=True):
            mine.take(theirs)
        enlarge(coarser.weights, coarser._shape, self.weights, self._shape)
        self.weights.entropy_model[self._unused] = 0

    def place(self, start: QuantizedGrid) -> None:
        """Takes the latents and weights of another fit."""
        for number, pyramid in enumerate(self._pyramids):
            pyramid.place(start.tiles[number])
        for mine, theirs in zip(self.weights.parts(), start.networks.weights.parts(), strict=True):
            mine[:] = theirs

    def run(self, report: Report) -> None:
        """Iterates until the stage's part of the schedule is done."""
        clock, stage, done = self._clock, self._stage, max(self._stage.begin, self._settings.begin)
        clock.begin_stage()
        with threadpool_limits(1):  # products of matrices this small are slower on several threads
            while done < stage.end:
                # Noise and rates are those of the start until the picture has its full size.
                share = (done - stage.begin) / (1 - stage.begin) if not stage.halvings else 0.0
                squares = self._iterate(share)
                done = clock.done()
                clock.show(report, done, squares / self._size, stage.name)

    def integers(self, report: Report) -> QuantizedGrid:
        """Quantises the weights and runs the final rounds of RDOQ."""
        settings, clock = self._settings, self._clock
        clock.show_end(report, "quantising", 1.0)
        with threadpool_limits(1):
            short = settings.tail(clock.pace) < settings.whole_tail
            ends = self._ends(0.0 if short else 0.6)
            networks = choose_integers(
                Sample(self._pyramids, self._space_of), self._config, self.weights, self._weight, ends, short=short
            )
            weights, rounds, shown = networks.weights, settings.rounds(clock.work), 0.0
            for number, pyramid in enumerate(self._pyramids):
                if not number or clock.elapsed - shown > RDOQ_REPORT_SECONDS:
                    shown = clock.elapsed
                    clock.show_end(report, "RDOQ", 0.5 * (1 - number / len(self._pyramids)))
                ends = self._ends((number + 1) / len(self._pyramids))
                for levels in itertools.islice(_rdoq_rounds(self._config.levels), rounds):
                    if time.perf_counter() > ends:
                        break
                    pyramid.show_rounded()
                    pyramid.gradient(weights, self._weight)
                    pyramid.improve_latents(weights, self._weight, levels)
        latents = [pyramid.integers() for pyramid in self._pyramids]
        clock.show_end(report, "", 0.0)
        return QuantizedGrid(networks, dict(enumerate(latents)))

    def _ends(self, share: float) -> float:
        """When this share of the time for the final RDOQ is over, as time.perf_counter() has it. Quantising, before it,
        has as much time. A round of RDOQ that begins before its end may end a little later."""
        if self._settings.max_seconds is None:
            return math.inf
        pace = self._clock.pace
        end = self._clock.started + self._settings.max_seconds - FILE_ITERATIONS * pace
        return end - (1 - share) / 2 * self._settings.tail(pace) * pace

    def _iterate(self, done: float) -> float:
        """One iteration of latents and networks, at share `done` of the schedule. Returns the sum of squared errors
        before it."""
        clock, work = self._clock, self._stage.work
        iteration = clock.count
        share = min(done / (1 - RDOQ_SHARE), 1.0)
        if share < 1:
            rate = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))
            rate *= min(1.0, (self._iterations + 1) / WARM_UP)
        else:
            rate = RDOQ_RATE * (1 - done) / RDOQ_SHARE
            levels = next(self._rdoq_rounds)
            work += math.ceil(RDOQ_COST * len(levels))
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
        self._iterations += 1
        clock.spend(work)
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
    planes: Floats,
    config: GridConfig,
    visible: NDArray[np.bool_] | None,
    space_of: Callable[[GridConfig], Space],
    halvings: int,
    tune: str,
) -> list[PyramidFit]:
    """The fits of the latents of all tiles, at 1:2^halvings."""
    whole = halved(planes, None if visible is None else visible.astype(np.float32), halvings)
    form = visual.form_of(*whole) if tune == VISUAL else None

    def fit_of(number: int) -> PyramidFit:
        tile, own = config.tiling.tile(number), config.of_tile(number).reduced(halvings)
        space = space_of(own)  # tiles of one size have one configuration
        shown = None if visible is None else visible[tile.slices].astype(np.float32)
        rows, columns = (slice(one.start >> halvings, -(-one.stop >> halvings)) for one in tile.slices)
        part = None if form is None else form.cut(rows, columns)
        return PyramidFit(own, space, *halved(planes[:, *tile.slices], shown, halvings), part)

    return [fit_of(number) for number in range(config.tiling.count)]
