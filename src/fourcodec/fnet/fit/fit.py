"""Fitting of the profile fnet to one picture: planes -> integers.

    in each iteration: a sample of pixels -> gradient at noisy coefficients, of distortion and rate -> SOAP -> bounded
    update

The start is a trained one where the config names it, else random near the identity: with larger coefficients the
composed layers are chaotic and learn nothing. With a trained start, bits are those of the differences from it. The
cells of a picture are fitted one after the other (cells.py).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fourcodec.arrays import Floats
from fourcodec.fnet.backends import Backend, backend_of
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.fnet.fit.cells import SHARE, CellsReport, alone, cell_parts, joined, separated
from fourcodec.fnet.fit.error_feedback import ErrorFeedback
from fourcodec.fnet.fit.last_good import LastGood
from fourcodec.fnet.fit.sampling import PixelSamples
from fourcodec.fnet.fit.settings import (
    BIT_WORTH,
    FLOAT_SCHEDULE,
    LEAST_RATE_WEIGHT,
    MOST_MSE,
    FitSettings,
    Phase,
    learning_rate,
)
from fourcodec.fnet.fit.start import initial_coefficients, moved_to_colour, trained_coefficients
from fourcodec.fnet.fit.step_sizes import CoefficientRate, StepSizes
from fourcodec.fnet.profile import is_bounded, pack
from fourcodec.fnet.quantize import dequantize, quantize, step_index, step_size
from fourcodec.fnet.rendering import coefficients_of, spread_steps
from fourcodec.metrics import MOST_DB, psnr_of_mse_db
from fourcodec.optimisation.progress import Progress
from fourcodec.optimisation.soap import SoapState
from fourcodec.positions import PIXEL_CENTRES, positions
from fourcodec.threads import map_threads, thread_count

WARM_UP = 100  # iterations over which the learning rate rises: SOAP's first bases are poor
OBSERVED_EVERY = 50  # iterations between estimates of what errors of coefficients cost
SHIFT_PIXELS = 768  # pixels on which the effect of an update is measured
MAX_SHIFT = 6e-3  # root mean square, in turns or units of colour, that an update may move a layer's outputs
CHECK_EVERY = 25  # iterations between checks for divergence
SAMPLE_PIXELS = 4 * 768  # pixels of a check, always the same
NOISES = 12  # draws of training noise in an iteration, each for its share of the pixels; an even number
TRIAL_SHARE, MOST_TRIAL_ITERATIONS = 0.05, 50  # of each trial of a start: a share of the whole fit's, and at most
FLAT_STEP = 2.0**-9  # quantiser step of a flat colour: half a level of 8 bits
REPORT_SECONDS = 0.2
PACED_FROM = 10  # the first iteration that is reported: those before load kernels, and say nothing of the pace
FEWEST_PIXELS = 1 << 14  # smaller pictures pay as much for a bit as 128 x 128: else one pixel would lose its colour

Report = Callable[[Progress], None]


def fit(
    planes: Floats,
    config: FnetConfig,
    settings: FitSettings,
    *,
    seed: int,
    device: str,
    report: Report | None,
    start: QuantizedFnet | None = None,
    visible: NDArray[np.bool_] | None = None,
) -> QuantizedFnet:
    """Fits a network to planes (channels, H, W) float32 in [0, 1]. Equal arguments give equal results on one machine.

    seed: of all random choices. device: "cpu" or "cuda". visible: (H, W); where it is false, pixels do not count.
    report: called with the progress now and then. start: another fit of the same config, for a warm start;
    settings.begin is the share of the schedule that it replaces.
    Where the fitted network, or that of a cell, is no better than the flat mean colour, it is that colour. Raises
    ValueError for a start of another config, and for wide cells.
    """
    if start is not None and start.config != config:
        raise ValueError(f"a fit of {config} cannot start from {start.config}")
    backend = backend_of(device)
    if config.cells.count > 1:
        return _fit_cells(planes, config, settings, seed, backend, report, start, visible)
    if start is None and config.prior:
        config = _better_start(planes, config, settings, seed, backend, visible)
    return _Fit(planes, config, settings, seed, backend, visible).whole(start, report)


def _fit_cells(
    planes: Floats,
    config: FnetConfig,
    settings: FitSettings,
    seed: int,
    backend: Backend,
    report: Report | None,
    start: QuantizedFnet | None,
    visible: NDArray[np.bool_] | None,
) -> QuantizedFnet:
    """Fits a network to each narrow cell, in SHARE of the iterations; one that has nothing to show is flat."""
    if not config.cells.narrow:
        raise ValueError("wide cells are not fitted to a picture: a generative model makes them")
    settings = replace(settings, iterations=math.ceil(SHARE * settings.iterations))
    parts = cell_parts(planes, config.cells, visible)
    mean_colour = (planes.reshape(len(planes), -1) if visible is None else planes[:, visible]).mean(axis=1)
    watch = None if report is None else CellsReport(report, sum(part is not None for part in parts))
    starts = [None] * config.cells.count if start is None else separated(start)
    networks = []
    for part, begun in zip(parts, starts, strict=True):
        if part is None:
            networks.append(flat_network(alone(config), mean_colour))
            continue
        if watch is not None:
            watch.begin_cell()
        fitted = _Fit(part.planes, alone(config), settings, seed, backend, part.visible, part.inputs)
        networks.append(fitted.whole(begun, watch))
    return joined(config, networks)


def _better_start(
    planes: Floats,
    config: FnetConfig,
    settings: FitSettings,
    seed: int,
    backend: Backend,
    visible: NDArray[np.bool_] | None,
) -> FnetConfig:
    """The config, without its trained start where two short fits say that a random start comes nearer to the picture:
    some pictures are unlike all that a start was learned from."""
    iterations = max(1, round(TRIAL_SHARE * settings.iterations))
    trial = replace(settings, iterations=min(iterations, MOST_TRIAL_ITERATIONS), phases=FLOAT_SCHEDULE)
    errors = []
    for candidate in (config, replace(config, prior=0)):
        fitted = _Fit(planes, candidate, trial, seed, backend, visible)
        fitted.run(None)
        errors.append((fitted.mse(), candidate))
    return min(errors, key=lambda pair: pair[0])[1]


def fit_float(
    planes: Floats, config: FnetConfig, settings: FitSettings, *, seed: int, device: str, report: Report | None
) -> Floats:
    """The flat coefficients of a fit without quantisation, to measure what quantisation costs."""
    fitted = _Fit(planes, config, settings, seed, backend_of(device))
    fitted.run(report)
    return fitted.coefficients


class _Fit:
    """The state of the fit of one network. inputs: (2, H * W) float32, those of the network at every pixel; None where
    they are the positions in a whole picture."""

    def __init__(
        self,
        planes: Floats,
        config: FnetConfig,
        settings: FitSettings,
        seed: int,
        backend: Backend,
        visible: NDArray[np.bool_] | None = None,
        inputs: Floats | None = None,
    ) -> None:
        self._inputs, self._size = inputs, (planes.shape[1], planes.shape[2])
        # (pixels, channels): the samples of a pixel are near each other, since pixels are drawn one by one
        self._colours = np.ascontiguousarray(planes.reshape(planes.shape[0], -1).T)
        self._candidates = None if visible is None else np.flatnonzero(visible)
        self._settings, self._config, self._shape, self._backend = settings, config, config.shape, backend
        self._unlimited_count = replace(config, order=None, prior=0).coefficient_count
        self._random = np.random.default_rng(seed)
        self._rate = learning_rate(config)
        counted = self._colours if self._candidates is None else self._colours[self._candidates]
        rate_weight = LEAST_RATE_WEIGHT if settings.rate_weight is None else settings.rate_weight
        self._bit_price = self._least_bit_price = rate_weight / max(len(counted), FEWEST_PIXELS)  # MSE per bit
        self._sizes, self._coefficient_rate = StepSizes(), CoefficientRate(self._shape)
        self._feedback = ErrorFeedback(self._shape)
        self._soap = [SoapState(layer.size // layer.outputs, layer.outputs) for layer in self._shape.layers]
        self._threads = thread_count()
        self._frozen, self._frozen_size = 0, 0  # layers, from the first, that are rounded and fixed; their coefficients
        self._samples = PixelSamples(self._size, settings.batch_pixels, self._random, self._candidates)
        self._guard, self._sample = LastGood(), self._colours_at(self._sampled(seed))
        self._rise_from = 0  # the iteration from which the learning rate rises
        self._mean = counted.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._centre = np.zeros(self._shape.coefficient_count, np.float32)  # what bits are counted from
        if config.prior:
            self._centre = trained_coefficients(config.prior, self._shape)
            self.coefficients = moved_to_colour(self._centre, self._shape, self._mean)
        else:
            self.coefficients = initial_coefficients(self._shape, self._mean, self._random)
        self._indices: NDArray[np.uint8] | None = None  # quantiser steps by output
        self._steps: Floats | None = None  # the same by coefficient

    def whole(self, start: QuantizedFnet | None, report: Report | None) -> QuantizedFnet:
        """Runs all phases, from another fit's network where one is given, and returns the quantised network."""
        if start is not None:
            self.coefficients = coefficients_of(start)
        self.run(report)
        return self.integers()

    # Layers are updated in parallel already. Threads inside matrix products would compete with these, and change the
    # order of sums.
    @threadpool_limits.wrap(limits=1, user_api="blas")
    def run(self, report: Report | None) -> None:
        """Runs all phases."""
        edges = self._settings.starts()
        reported = warm = time.monotonic()
        for phase, first, end in zip(self._settings.phases, edges, edges[1:], strict=False):
            for iteration in range(first, end):
                self._prepare(phase, iteration, first, end)
                if iteration == first:
                    self._guard.rescore(partial(self._score, phase))
                note = self._check(phase, iteration) if (iteration - first) % CHECK_EVERY == 0 else ""
                loss = self._iterate(phase, iteration)
                now = time.monotonic()
                if iteration == 0:
                    warm = now  # kernels are compiled: from here on the pace can be measured
                due = iteration >= PACED_FROM and now - reported > REPORT_SECONDS
                if report is not None and (due or iteration + 1 == edges[-1] or note):
                    reported = now
                    left = (now - warm) / max(iteration, 1) * (edges[-1] - iteration - 1)
                    psnr_db = psnr_of_mse_db(loss, at_most=MOST_DB)
                    report(Progress(iteration + 1, edges[-1], loss, psnr_db, left, note))
            if phase.noisy and self._steps is None:  # a run too short for this phase
                self._observe(end)

    def _prepare(self, phase: Phase, iteration: int, first: int, end: int) -> None:
        """Before an iteration: estimates new step sizes, or freezes another layer, where that is due."""
        if phase.freezing:
            if self._steps is None:
                self._observe(iteration)
            due = 1 + (iteration - first) * len(self._shape.layers) // (end - first)
            while self._frozen < due:
                self._freeze()
        elif phase.noisy and (iteration - first) % OBSERVED_EVERY == 0:
            self._observe(iteration)

    def _check(self, phase: Phase, iteration: int) -> str:
        """Returns to the last good coefficients, with half the learning rate, where the fit has diverged. The result is
        a note for the user, or "".

        Frozen layers stay as they are, since they have been rounded meanwhile.
        """
        if not self._guard.diverged(self._score(phase, self.coefficients), self.coefficients):
            return ""
        assert self._guard.coefficients is not None
        self.coefficients[self._frozen_size :] = self._guard.coefficients[self._frozen_size :]
        self._rate /= 2
        self._rise_from = iteration
        self._soap = [SoapState(layer.size // layer.outputs, layer.outputs) for layer in self._shape.layers]
        return (
            f"the fit diverged by iteration {iteration}: "
            "it goes on from its last good state with half the learning rate"
        )

    def _score(self, phase: Phase, coefficients: Floats) -> float:
        """The cost that the phase minimises: MSE, or MSE + lambda * bpp where there is training noise."""
        mse = self._mse(coefficients)
        if phase.noisy and self._steps is not None:
            return mse + self._bit_price * self._coefficient_rate.bits(coefficients - self._centre, self._steps)
        return mse

    def mse(self) -> float:
        """The MSE on a fixed sample of pixels; infinite where it is not a number."""
        return self._mse(self.coefficients)

    def _mse(self, coefficients: Floats) -> float:
        """The MSE on the fixed sample of pixels; infinite where it is not a number."""
        x, target = self._sample
        mse = float(np.square(self._backend.evaluate(self._shape, coefficients, x) - target, dtype=np.float64).mean())
        return mse if math.isfinite(mse) else math.inf

    def _iterate(self, phase: Phase, iteration: int) -> float:
        """One iteration; returns the MSE on its pixels, training noise included."""
        x, target = self._batch()
        if phase.noisy and self._steps is not None:
            coefficients = self._noisy(self._steps)
            used = x.shape[1] - x.shape[1] % NOISES  # equal shares
            loss, gradient = self._backend.mse_gradient(self._shape, coefficients, x[:, :used], target[:, :used])
            # Of the rate, which is cheap to have without noise of pixels, one pair of opposite draws says enough.
            bits = [self._coefficient_rate.gradient(drawn - self._centre, self._steps) for drawn in coefficients[:2]]
            gradient += np.float32(self._bit_price / len(bits)) * sum(bits)
        else:
            loss, gradient = self._backend.mse_gradient(self._shape, self.coefficients[None], x, target)
        if np.isfinite(gradient).all():  # else the coefficients stay finite, and `_check` finds the divergence
            self._move(gradient, np.ascontiguousarray(x[:, :SHIFT_PIXELS]), self._rate_at(iteration))
        return loss

    def _noisy(self, steps: Floats) -> Floats:
        """NOISES draws (NOISES, count) of coefficients with training noise like the errors of rounding.

        One draw for all pixels of an iteration is half of the variance of its gradient. Draws are in pairs of opposite
        sign, so that what is linear in the noise cancels within an iteration.
        """
        noise = self._random.random((NOISES // 2, steps.size), np.float32) - np.float32(0.5)
        self._feedback.shape_noise(noise, self._frozen, self._threads)
        noise *= steps
        noise[:, : self._frozen_size] = 0
        return self.coefficients + np.stack([noise, -noise], axis=1).reshape(NOISES, -1)

    def _rate_at(self, iteration: int) -> float:
        """The learning rate: a short rise, then half a cosine to 0."""
        rise = min(1.0, (iteration - self._rise_from + 1) / min(WARM_UP, 0.2 * self._settings.iterations + 1))
        return self._rate * rise * 0.5 * (1 + math.cos(math.pi * self._settings.done(iteration)))

    def _move(self, gradient: Floats, probe: Floats, rate: float) -> None:
        """Updates the coefficients by SOAP. A layer's update is scaled down where it would move the layer's outputs by
        more than MAX_SHIFT.

        That prevents sudden divergence. With a learning rate twice too high a fit can still diverge slowly, which
        `_check` finds.
        """
        layers = self._shape.layers
        direction = np.zeros_like(gradient)

        def precondition(number: int) -> None:
            layer = layers[number]
            matrix = gradient[layer.span].reshape(-1, layer.outputs)
            direction[layer.span] = self._soap[number].direction(matrix).ravel()

        map_threads(precondition, range(self._frozen, len(layers)), self._threads)
        shifts = self._backend.output_shifts(self._shape, self.coefficients, direction, probe)
        for layer, shift in zip(layers, shifts, strict=True):
            self.coefficients[layer.span] -= (
                np.float32(min(rate, MAX_SHIFT / max(shift, 1e-12))) * direction[layer.span]
            )

    def _batch(self) -> tuple[Floats, Floats]:
        return self._colours_at(self._samples.next())

    def _sampled(self, seed: int) -> NDArray[np.int64]:
        """The pixels of the checks: SAMPLE_PIXELS, or all of a small picture."""
        candidates = np.arange(len(self._colours)) if self._candidates is None else self._candidates
        if len(candidates) <= SAMPLE_PIXELS:
            return candidates
        random = np.random.default_rng(seed)
        return PixelSamples(self._size, SAMPLE_PIXELS, random, self._candidates).next()

    def _colours_at(self, chosen: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """The network's inputs (2, N) at pixels, given by their indices, and their colours (channels, N)."""
        if self._inputs is None:
            inputs = positions(self._size, chosen, PIXEL_CENTRES)
        else:
            inputs = np.take(self._inputs, chosen, axis=1)
        return inputs, np.ascontiguousarray(self._colours[chosen].T)

    def _observe(self, iteration: int) -> None:
        """Estimates what errors of coefficients cost and sets the quantiser steps by it, and without a lambda the price
        of a bit."""
        if self._settings.rate_weight is None:
            share = self._settings.done(iteration)  # the MSE falls, and what counts is that of the end
            mse = min(self._mse(self.coefficients), MOST_MSE)
            self._bit_price = max(BIT_WORTH * share * mse / self._unlimited_count, self._least_bit_price)
        x, target = self._batch()
        signs = self._random.choice(np.array([-1, 1], np.float32), target.shape)
        sensitivities = self._backend.sensitivities(self._shape, self.coefficients, x, signs)
        self._sizes.observe(sensitivities)
        self._feedback.observe(sensitivities, self._threads)
        self._indices = step_index(self._sizes.steps(self._bit_price, self._feedback.shares))
        self._steps = spread_steps(self._shape, step_size(self._indices))

    def integers(self) -> QuantizedFnet:
        """The quantised network, coded around the trained start where that takes less; or the flat mean colour where
        that is no farther from the picture, and where the network has sums that no file may have."""
        assert self._indices is not None, "a schedule that ends in integers has a noisy phase"
        assert self._steps is not None
        while self._frozen < len(self._shape.layers):  # after a run too short for its last phase
            self._freeze()
        network = QuantizedFnet(self._config, self._indices, quantize(self.coefficients, self._steps))
        without_start = replace(network, config=replace(self._config, prior=0))
        flat = flat_network(without_start.config, self._mean)
        is_nearer = self._mse(coefficients_of(network)) < self._mse(coefficients_of(flat))
        if not (is_nearer and is_bounded(network)):
            return flat
        if not self._config.prior:
            return network
        return network if _coded_bytes(network) < _coded_bytes(without_start) else without_start

    def _freeze(self) -> None:
        """Rounds and fixes the next layer."""
        assert self._steps is not None
        span = self._shape.layers[self._frozen].span
        symbols = self._feedback.rounded(self._frozen, self.coefficients[span], self._steps[span])
        self.coefficients[span] = dequantize(symbols, self._steps[span])
        self._frozen, self._frozen_size = self._frozen + 1, span.stop


def _coded_bytes(network: QuantizedFnet) -> int:
    """The size of the network's section."""
    return sum(section.size_bytes for section in pack(network)[1])


def flat_network(config: FnetConfig, colour: Floats) -> QuantizedFnet:
    """A network that is `colour` (channels,) everywhere, to within FLAT_STEP / 2."""
    steps = step_index(np.full(config.shape.output_count, FLAT_STEP))
    symbols = np.zeros(config.coefficient_count, np.int32)
    symbols[config.shape.layers[-1].span].reshape(-1, 2, config.channels)[0, 0] = np.rint(colour / FLAT_STEP)
    return QuantizedFnet(config, steps, symbols)
