"""Fitting the grid profile to one picture: planes -> integers.

    noisy:   latents (soft-rounded, noisy) and networks together, the noise shrinking
    settle:  latents rounded; in turns those of some levels are moved where that pays, and networks adapt
    choose:  steps and dead zones of the weights' quantisers, by distortion + lambda * rate
    polish:  latents are moved once more, for the rounded weights

Everything is counted in bits: the objective is (sum of squared errors) / (channels * lambda) + bits, which is MSE +
lambda * bpp times pixels / lambda.
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
from fourcodec.grid.config import PHASE_STEPS, GridConfig, QuantizedGrid
from fourcodec.grid.fit.latents import CpuSpace, PyramidFit, Rates, Sample, Space, proxy_at
from fourcodec.grid.fit.settings import GridSettings
from fourcodec.grid.fit.weights import WeightPrior, choose_integers
from fourcodec.grid.kernels.layout import B2, HIDDEN, PASSES, TAPS, W2, W3
from fourcodec.grid.tiled import TiledGrid
from fourcodec.grid.weight_coding import weights_of
from fourcodec.grid.weights import BICUBIC, IDENTITY, UNUSED, GridShape, GridWeights
from fourcodec.metrics import MOST_DB, psnr_of_mse_db
from fourcodec.optimisation.progress import Progress
from fourcodec.optimisation.soap import SoapState

# Rates of the optimisers at the start, per step; see docs/results.md for what else was tried.
PRIOR_RATE = 7e-3  # of the context model where it starts from a prior
CONTEXT_RATE, FOURIER_RATE, KERNEL_RATE, FILTER_RATE, SMOOTHING_RATE = 1.4e-2, 4e-3, 3e-3, 2e-3, 2e-3
LINEAR_RATE = 3e-4  # relative to the square root of lambda / 1e-3, as the linear path's weights are
LATENT_RATE, LATENT_FLOOR, LATENT_MOMENTUM, LATENT_DECAY = 0.2, 2.0, 0.5, 0.98
NETWORK_MOMENTUM = 0.85
LINEAR_START, LINEAR_FALL = 0.05, 1.0  # grey that a latent of 1 adds at lambda 1e-3; octaves less per coarser level
PHASE_START = 1 / 25  # turns that a latent of 1 moves a phase
# Where few latents are worth their bits, those few must do more: factors at lambda 1.2e-2, in between by its logarithm.
COARSE_LAMBDA, COARSE_START, COARSE_FALL, COARSE_PHASE = 1.2e-2, 1.6, 0.6, 2.1
COARSE_FOURIER, COARSE_LATENT, COARSE_FLOOR = 2.0, 1.5, 2.0
WARM_UP = 20  # steps over which the rates rise
LAST_RATE = 0.02  # of the noisy phase, relative to the first; the rate falls as half a cosine
SETTLE_SHARE, SETTLE_RATE = 0.1, 0.1
SWEEP_STEPS = 1.3  # that moving latents of one level takes as long as
FINE, COARSE_TURNS = 3, 4  # beyond the first three levels latents seldom move: they have every fourth turn
POLISHING, WORTH_A_TURN = 4, 50  # turns behind the schedule, no more than one for so many of its steps
REPORT_SECONDS = 0.2
FEWEST_PIXELS = 1 << 12  # bits cost no more than at 64 x 64: one pixel's fair price would not even leave its colour


def fit(
    planes: Floats,
    config: GridConfig,
    settings: GridSettings,
    *,
    seed: int,
    report: Callable[[Progress], None] | None,
    start: QuantizedGrid | TiledGrid | None = None,
    visible: NDArray[np.bool_] | None = None,
    device: str = "cpu",
) -> QuantizedGrid | TiledGrid:
    """A pyramid, or one for each tile, and networks for planes (channels, H, W) float32 in [0, 1]; pixels where
    `visible` (H, W) is false may become anything. `device` is "cpu" (kernels, no torch) or one of torch's.

    `start` is a picture of the same config that is fitted on, say at another lambda; `settings.begin` says how much of
    the schedule it stands for. Equal arguments give equal results on one machine, except where settings.max_seconds
    cuts the fit short.
    """
    if start is not None and start.config != config:
        raise ValueError(f"a fit of {config} cannot start from {start.config}")
    fitted = _Fit(planes, config, settings, seed, visible, device)
    if start is not None:
        fitted.place(start)
    fitted.run(report)
    return fitted.integers()


def coarseness(rate_weight: float) -> float:
    """0 up to lambda 1e-3, 1 from COARSE_LAMBDA on."""
    return min(max(math.log(rate_weight / 1e-3) / math.log(COARSE_LAMBDA / 1e-3), 0.0), 1.0)


def phase_index(rate_weight: float) -> int:
    """The architecture field that a picture is fitted with: see GridConfig.phase_scale."""
    return round(-PHASE_STEPS * math.log2(PHASE_START * COARSE_PHASE ** coarseness(rate_weight)))


class _Optimiser:
    """SOAP on one matrix, at its own rate."""

    def __init__(self, shape: tuple[int, int], rate: float) -> None:
        self._soap, self._rate = SoapState(*shape, momentum=NETWORK_MOMENTUM), rate

    def step(self, matrix: Floats, gradient: Floats, factor: float) -> None:
        matrix -= np.float32(self._rate * factor) * self._soap.direction(gradient)


def _matrices(weights: GridWeights, shape: GridShape) -> list[Floats]:
    """Views of the weights, or of their gradients, as the matrices that optimisers work on."""
    found = []
    for vector in weights.context:
        found.append(vector[:W2].reshape(TAPS, HIDDEN))
        found.append(vector[W2:W3].reshape(HIDDEN + 1, HIDDEN))  # b2 is the last row
        found.append(vector[W3:].reshape(HIDDEN + TAPS, 2))
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
    """The state of one fit and its step: the networks of all and the latents of every tile."""

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
        self._pyramids = _pyramids(planes, config, visible, device)
        rates = [PRIOR_RATE if config.prior else CONTEXT_RATE] * (3 * PASSES) + [
            FOURIER_RATE * COARSE_FOURIER**self._coarse
        ] * 2
        rates += [LINEAR_RATE * math.sqrt(self._lambda / 1e-3), KERNEL_RATE]
        rates += [FILTER_RATE] * (config.levels > 1) + [SMOOTHING_RATE] * config.smooth
        matrices = _matrices(self.weights, config.shape)
        self._optimisers = [
            _Optimiser((matrix.shape[0], matrix.shape[1]), rate) for matrix, rate in zip(matrices, rates, strict=True)
        ]
        self._turns = _turns(config.levels)
        self._work = 0  # done so far, in steps of the schedule
        self._prior = WeightPrior(config.shape)
        context = self.weights.context
        self._unused = config.shape.groups[: context.size].reshape(context.shape) == UNUSED

    def place(self, start: QuantizedGrid | TiledGrid) -> None:
        """Goes on from the latents and weights of another fit."""
        tiles = [start] if isinstance(start, QuantizedGrid) else [start.tiles[n] for n in sorted(start.tiles)]
        for pyramid, tile in zip(self._pyramids, tiles, strict=True):
            pyramid.place(tile.latents)
        for mine, theirs in zip(self.weights.parts(), weights_of(tiles[0]).parts(), strict=True):
            mine[:] = theirs

    def run(self, report: Callable[[Progress], None] | None) -> None:
        settings, started, warm, shown = self._settings, time.perf_counter(), 0.0, 0.0
        with threadpool_limits(1):  # products of matrices this small are slower on several threads
            first, done = 0, settings.begin
            while done < 1:
                squares, work = self._step(done), self._work
                elapsed = time.perf_counter() - started
                if not first:
                    first, warm = work, elapsed  # kernels are compiled: from here on steps tell how long the rest takes
                pace = (elapsed - warm) / max(work - first, 1)
                done = settings.progress(work, elapsed, pace)
                if work > first and report and (done >= 1 or elapsed - shown > REPORT_SECONDS):
                    shown = elapsed
                    mse = squares / self._size
                    left = settings.seconds_left(work, elapsed, pace)
                    whole = round(work * (1 - settings.begin) / (done - settings.begin))
                    report(Progress(min(work, whole), whole, mse, psnr_of_mse_db(mse, at_most=MOST_DB), left))

    def integers(self) -> QuantizedGrid | TiledGrid:
        """The rounded latents with the best integers for the weights."""
        config = self._config
        with threadpool_limits(1):
            exponents, symbols = choose_integers(Sample(self._pyramids), config, self.weights, self._weight)
            weights = weights_of(QuantizedGrid(config, exponents, symbols, []))
            for pyramid in self._pyramids:
                for levels in itertools.islice(_turns(config.levels), min(POLISHING, self._work // WORTH_A_TURN)):
                    pyramid.settle()
                    pyramid.gradient(weights, self._weight)
                    pyramid.descend(weights, self._weight, levels)
        tiles = [
            QuantizedGrid(pyramid.config, exponents, symbols, pyramid.integers(self.weights))
            for pyramid in self._pyramids
        ]
        return TiledGrid(config, dict(enumerate(tiles))) if config.tiles else tiles[0]

    def _step(self, done: float) -> float:
        """One step of latents and networks; `done` is the share of the fit that is behind. The sum of squared
        errors."""
        step = self._work
        share = min(done / (1 - SETTLE_SHARE), 1.0)
        if share < 1:
            rate = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))
            rate *= min(1.0, (step + 1) / WARM_UP)
        else:
            rate = SETTLE_RATE * (1 - done) / SETTLE_SHARE
            levels = next(self._turns)
        total, gradients = 0.0, self.weights.zeros()
        for number, pyramid in enumerate(self._pyramids):
            if share < 1:
                noisy = pyramid.noisy()
                noisy.perturb(proxy_at(share, self._seed, step, number))
                squares, _, found = noisy.gradient(self.weights, self._weight)
                noisy.move(self._latent_rates(rate))
            else:
                pyramid.settle()
                squares, _, found = pyramid.gradient(self.weights, self._weight)
                pyramid.descend(self.weights, self._weight, levels)
            total += squares
            for sum_, some in zip(gradients.parts(), found.parts(), strict=True):
                sum_ += some
        if not (math.isfinite(total) and np.isfinite(gradients.flat()).all()):
            raise FitError(f"the fit diverged at step {step + 1}: another --seed takes another way")
        self._prior.add_gradient(self.weights, gradients)
        pairs = zip(
            self._optimisers, _matrices(self.weights, self._shape), _matrices(gradients, self._shape), strict=True
        )
        for optimiser, matrix, gradient in pairs:
            optimiser.step(matrix, gradient, rate)
        self.weights.context[self._unused] = 0  # SOAP's bases mix rows, unused ones too
        self._work += 1 if share < 1 else 1 + math.ceil(SWEEP_STEPS * len(levels))
        return total

    def _latent_rates(self, rate: float) -> Rates:
        return Rates(
            rate * LATENT_RATE * COARSE_LATENT**self._coarse,
            LATENT_FLOOR * COARSE_FLOOR**self._coarse,
            LATENT_MOMENTUM,
            LATENT_DECAY,
        )


def _turns(levels: int) -> Iterator[list[int]]:
    """For ever, the levels whose latents are moved next."""
    for turn in itertools.count(1):
        yield list(reversed(range(levels if turn % COARSE_TURNS == 0 else min(levels, FINE))))


def _space(config: GridConfig, device: str) -> Space:
    if device == "cpu":
        return CpuSpace(config)
    from fourcodec.grid.cuda.latents import TorchSpace

    return TorchSpace(config, device)


def _pyramids(planes: Floats, config: GridConfig, visible: NDArray[np.bool_] | None, device: str) -> list[PyramidFit]:
    """Of every tile, or of the picture."""
    if not config.tiles:
        return [PyramidFit(config, _space(config, device), planes, visible)]
    space_of = functools.cache(functools.partial(_space, device=device))

    def of(number: int) -> PyramidFit:
        tile, own = config.tiling.tile(number), config.of_tile(number)
        space = space_of(own)  # tiles of one size have one configuration
        return PyramidFit(own, space, planes[:, *tile.slices], None if visible is None else visible[tile.slices])

    return [of(number) for number in range(config.tiling.count)]


def initial_weights(
    mean_colour: Floats, shape: GridShape, rate_weight: float, random: np.random.Generator
) -> GridWeights:
    """The mean colour, a linear path from latents to grey (to some colour where levels are coarse), Fourier layers near
    0 and a context model that is random inside and says "scale 1/2" outside."""
    weights = GridWeights(*(np.zeros(part, np.float32) for part in shape.shapes))
    for vector in weights.context:
        vector[:W2] = random.normal(0, 0.6 / math.sqrt(TAPS), W2)
        vector[W2:B2] = random.normal(0, math.sqrt(2 / HIDDEN), B2 - W2)
        outer = vector[W3:].reshape(HIDDEN + TAPS, 2)
        outer[:HIDDEN] = random.normal(0, 0.1 / math.sqrt(HIDDEN), (HIDDEN, 2))
        outer[HIDDEN, 1] = -1
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
    if shape.prior:
        weights.context[:] = shape.weights(shape.base).context
    weights.context.ravel()[shape.groups[: weights.context.size] == UNUSED] = 0
    return weights
