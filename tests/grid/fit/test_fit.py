"""Fits of the grid profile: they learn, they repeat, they end in time, they never collapse."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

from fourcodec.errors import LimitError
from fourcodec.grid.config import GridConfig
from fourcodec.grid.fit import clock as clocks
from fourcodec.grid.fit import fit as grid
from fourcodec.grid.fit import weights as choosing
from fourcodec.grid.fit.fit import _Fit
from fourcodec.grid.fit.fit import fit as fit_grid
from fourcodec.grid.fit.settings import FILE_ITERATIONS, GridSettings, grid_settings_for
from fourcodec.grid.fit.start import initial_weights
from fourcodec.grid.fit.weights import WeightRate, choose_integers
from fourcodec.grid.gradient import GridGradient
from fourcodec.grid.kernels.layout import PASSES
from fourcodec.grid.picture import GridNetworks, QuantizedGrid
from fourcodec.grid.profile import render
from fourcodec.grid.weight_coding import MAX_EXPONENT, MAX_SYMBOL, encode_networks
from fourcodec.grid.weights import UNUSED, GridWeights
from fourcodec.optimisation.progress import Progress
from fourcodec.optimisation.settings import Part, rate_weight_of
from fourcodec.tuning import VISUAL
from tests.support import oddities
from tests.support.grid_fits import RATE_WEIGHT, cost, flat_db, psnr_db, size_bytes
from tests.support.grids import assert_same, config_of
from tests.support.planes import planes_of

STEPS = 30


def quick_fit(planes: np.ndarray, steps: int = STEPS, seed: int = 0, rate_weight: float = RATE_WEIGHT) -> QuantizedGrid:
    config = config_of(*planes.shape[1:], planes.shape[0])
    return fit_grid(planes, config, GridSettings(steps, rate_weight), seed=seed, report=None)


def test_a_fit_learns_the_picture(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    assert psnr_db(planes, quick_fit(planes)) > flat_db(planes) + 3


def test_more_quality_is_more_bytes_and_less_error(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    small, large = (quick_fit(planes, steps=300, rate_weight=rate_weight_of(quality)) for quality in (10, 95))
    assert size_bytes(small) < size_bytes(large)
    assert psnr_db(planes, small) < psnr_db(planes, large)


def test_same_seed_same_integers_and_another_seed_others(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    first, second, other = quick_fit(planes), quick_fit(planes), quick_fit(planes, seed=1)
    assert_same(first, second)
    assert not np.array_equal(first.networks.symbols, other.networks.symbols)


def test_bytes_do_not_depend_on_the_number_of_threads() -> None:
    script = (
        "import hashlib, numpy as np, fourcodec;"
        "image = np.arange(40 * 56 * 3, dtype=np.uint32).reshape(40, 56, 3) * 7 % 251;"
        "encoded = fourcodec.encode(image.astype(np.uint8), profile='grid', iterations=10, device='cpu');"
        "print(hashlib.sha256(encoded.data).hexdigest())"
    )
    hashes = set()
    for threads in ("1", "2", "4"):
        environment = os.environ | {"FOURCODEC_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        hashes.add(done.stdout)
    assert len(hashes) == 1


PICTURES = {
    "flat": np.full((3, 13, 22), 0.4),
    "bright": np.ones((3, 13, 22)),
    "black": np.zeros((1, 22, 13)),
    "noisy": np.random.default_rng(0).random((3, 13, 22)),
    "grey": np.tile(np.random.default_rng(1).random((1, 22, 13)), (3, 1, 1)),
    "stripes": np.tile(np.arange(22) % 2, (1, 13, 1)).astype(float),
    "row": np.random.default_rng(2).random((3, 1, 22)),
    "pixel": np.full((1, 1, 1), 0.7),
}


@pytest.mark.parametrize("rate_weight", [rate_weight_of(0), rate_weight_of(60), rate_weight_of(100)])
@pytest.mark.parametrize("name", PICTURES)
def test_no_picture_collapses(name: str, rate_weight: float) -> None:
    planes = PICTURES[name].astype(np.float32)
    found = quick_fit(planes, rate_weight=rate_weight)
    assert psnr_db(planes, found) > min(flat_db(planes) - 3, 25)
    assert size_bytes(found) < 600 + 4 * planes.size


def test_one_step_is_enough_for_a_file(photo: np.ndarray) -> None:
    assert np.isfinite(psnr_db(planes_of(photo), quick_fit(planes_of(photo), steps=1)))


@pytest.mark.parametrize(("levels", "order", "hidden"), [(1, 2, 16), (4, 0, 16), (4, 1, 9), (4, 3, 1)])
def test_every_architecture_can_be_fitted(photo: np.ndarray, levels: int, order: int, hidden: int) -> None:
    planes = planes_of(photo)[:1]
    config = config_of(16, 24, 1, levels=levels, order=order, hidden=hidden)
    found = fit_grid(planes, config, GridSettings(3 * STEPS, RATE_WEIGHT), seed=0, report=None)
    assert psnr_db(planes, found) > flat_db(planes)


def test_a_fit_goes_on_from_another_ones_result(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    first = quick_fit(planes, rate_weight=1e-3)
    part = GridSettings(STEPS, 1e-3).part(Part(1 / STEPS, begin=0.99), 1e-3)
    onward = fit_grid(planes, first.config, part, seed=0, report=None, start=first)
    assert psnr_db(planes, onward) > psnr_db(planes, first) - 1
    # behind the noisy phase most latents stay, the others go where it pays
    moves = np.concatenate([(a - b).ravel() for a, b in zip(onward.levels, first.levels, strict=True)])
    assert (moves == 0).mean() > 0.5
    assert cost(planes, onward) < cost(planes, first)
    finer = fit_grid(planes, first.config, part.part(Part(STEPS, begin=0.3), 1e-4), seed=0, report=None, start=first)
    assert psnr_db(planes, finer) > psnr_db(planes, first) + 1
    with pytest.raises(ValueError, match="cannot start from"):
        fit_grid(planes, dataclasses.replace(first.config, hidden=3), part, seed=0, report=None, start=first)


def test_a_part_of_a_fit_runs_the_end_of_the_schedule() -> None:
    part = GridSettings(1000, 1e-3).part(Part(0.1, begin=0.4), 1e-2)
    assert (part.iterations, part.rate_weight) == (100, 1e-2)
    assert [part.progress(step, 0.0, 0.0) for step in (0, 50, 100)] == pytest.approx([0.4, 0.7, 1.0])
    assert part.progress(100, 0.0, 0.0) == 1


def test_integers_are_in_the_ranges_that_the_format_has(photo: np.ndarray) -> None:
    found = quick_fit(planes_of(photo))
    assert found.networks.exponents.max() <= MAX_EXPONENT
    assert np.abs(found.networks.symbols).max() <= MAX_SYMBOL
    assert not found.networks.symbols[found.config.shape.groups == UNUSED].any()
    levels = found.config.pyramid.levels
    assert [plain.shape for plain in found.levels] == [(level.rows, level.columns) for level in levels]


@pytest.mark.parametrize("hidden", [9, 16])
def test_fits_do_not_rely_on_weights_that_no_file_holds(photo: np.ndarray, hidden: int) -> None:
    planes, config = planes_of(photo), config_of(hidden=hidden)
    fitted = _Fit(planes, config, GridSettings(2 * STEPS, RATE_WEIGHT), seed=0)
    fitted.run(None)
    weights = fitted.weights
    held = config.shape.weights(np.where(config.shape.groups == UNUSED, np.float32(0), weights.flat()))
    network = GridGradient(config.pyramid, config.shape, config.phase_scale, 1)
    network.planes[:PASSES] = np.rint(np.random.default_rng(3).laplace(0, 2, network.planes[:PASSES].shape))
    network.planes[:PASSES] *= network.mask
    assert network.squared_error(held, planes) == pytest.approx(network.squared_error(weights, planes), rel=1e-6)
    assert network.latent_bits(held.entropy_model) == pytest.approx(
        network.latent_bits(weights.entropy_model), rel=1e-6
    )


class Clock:
    """In place of the module `time`: the first step, in which kernels are compiled, takes 90 seconds, others one for
    each step of the schedule that they stand for, and those that `slow` names by their numbers so many seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.slow: dict[int, float] = {}
        real = _Fit._iterate

        def step(fit: _Fit, done: float) -> float:
            before = fit._clock.work
            squares = real(fit, done)
            usual = fit._clock.work - before if before else 90
            self.now += self.slow.get(fit._clock.count, usual)
            return squares

        monkeypatch.setattr(_Fit, "_iterate", step)
        for module in (grid, clocks):
            monkeypatch.setattr(module, "time", self)

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_loss_that_is_no_squared_error_is_not_given_in_decibels(photo: np.ndarray) -> None:
    seen: list[Progress] = []
    settings = GridSettings(STEPS, RATE_WEIGHT, tune=VISUAL)
    fit_grid(planes_of(photo), config_of(), settings, seed=0, report=seen.append)
    assert {one.psnr_db for one in seen} == {None}


def test_progress_reaches_the_end_and_says_how_long_the_rest_takes(photo: np.ndarray, clock: Clock) -> None:
    seen: list[Progress] = []
    planes, settings = planes_of(photo), GridSettings(STEPS, RATE_WEIGHT)
    fit_grid(planes, config_of(), settings, seed=0, report=seen.append)
    assert seen[-1].iteration == seen[-1].iterations == STEPS
    assert [one.stage for one in seen[-3:]] == ["quantising", "RDOQ", ""]
    assert np.isfinite(seen[-1].psnr_db)
    # A second a step and no more, though compiling took 90; what comes after the steps is part of the rest.
    before_the_end = seen[:-3]
    assert before_the_end
    after = settings.whole_tail + FILE_ITERATIONS
    assert [one.seconds_left for one in before_the_end] == [STEPS - one.iteration + after for one in before_the_end]
    assert 0 < seen[-1].seconds_left <= after


def test_a_time_limit_ends_a_fit_that_would_take_for_ever(photo: np.ndarray, clock: Clock) -> None:
    """In time for what comes after the steps, which takes as long as some of them."""
    seen: list[Progress] = []
    started, limit = clock.now, 90.0 + 150
    planes, settings = planes_of(photo), GridSettings(10**9, RATE_WEIGHT, max_seconds=limit)
    found = fit_grid(planes, config_of(), settings, seed=0, report=seen.append)
    assert seen[-1].iteration == seen[-1].iterations < 10**9
    after = settings.tail(1.0) + FILE_ITERATIONS
    assert limit - after <= clock.now - started < limit - after + 20  # a round of RDOQ may end a little later
    assert 0 < seen[-1].seconds_left <= FILE_ITERATIONS
    assert psnr_db(planes, found) > flat_db(planes)


@pytest.mark.parametrize("limit", [1e-6, 80.0, 90.0 + 30])
def test_a_time_limit_too_short_for_a_picture_worth_having_is_refused_at_once(
    photo: np.ndarray, clock: Clock, limit: float
) -> None:
    started, settings = clock.now, GridSettings(10**9, RATE_WEIGHT, max_seconds=limit)
    with pytest.raises(LimitError, match="too little time for this picture on this machine: the fit takes"):
        fit_grid(planes_of(photo), config_of(), settings, seed=0, report=None)
    assert clock.now - started < 95


def test_one_slow_step_does_not_end_a_fit(photo: np.ndarray, clock: Clock) -> None:
    clock.slow = {2: 20.0}
    planes, limit = planes_of(photo), 90.0 + 150
    found = fit_grid(planes, config_of(), GridSettings(10**9, RATE_WEIGHT, max_seconds=limit), seed=0, report=None)
    assert psnr_db(planes, found) > flat_db(planes)


def test_where_time_runs_out_too_early_there_is_no_picture(photo: np.ndarray, clock: Clock) -> None:
    """A machine that becomes slow after it was measured."""
    clock.slow = dict.fromkeys(range(8, 100), 40.0)
    with pytest.raises(LimitError, match="too little time for this picture on this machine"):
        fit_grid(
            planes_of(photo), config_of(), GridSettings(10**9, RATE_WEIGHT, max_seconds=180.0), seed=0, report=None
        )


def test_a_time_limit_that_is_never_reached_changes_nothing(photo: np.ndarray) -> None:
    planes, settings = planes_of(photo), GridSettings(STEPS, RATE_WEIGHT)
    config = config_of()
    free = fit_grid(planes, config, settings, seed=0, report=None)
    limited = fit_grid(planes, config, dataclasses.replace(settings, max_seconds=1e6), seed=0, report=None)
    assert_same(free, limited)


def test_settings_say_how_far_a_fit_is() -> None:
    free, limited = GridSettings(100, 1e-3), GridSettings(100, 1e-3, max_seconds=10.0)
    assert free.progress(25, 1e9, 0.02) == 0.25
    assert limited.progress(25, 1.0, 0.0) == 0.25
    assert limited.progress(25, 5.0, 0.0) == 0.5
    pace = 0.1  # of 100 iterations, what comes after the schedule has a fifth and those of the file
    assert limited.tail(pace) == 20
    assert limited.progress(25, 5.0, pace) == pytest.approx(5 / (10 - (20 + FILE_ITERATIONS) * pace))
    assert limited.progress(25, 5.0, 1.0) > 1
    assert free.seconds_left(25, 3.0, 2.0) == 150 + 2 * (free.whole_tail + FILE_ITERATIONS)
    assert limited.seconds_left(25, 3.0, 2.0) == 7
    assert limited.seconds_left(100, 30.0, 2.0) == 0


def test_larger_pictures_have_fewer_iterations() -> None:
    counts = [
        grid_settings_for(60, 5, None, None, pixels).iterations for pixels in (1, 1 << 19, 1 << 21, 1 << 24, 1 << 30)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == counts[1] > counts[2] > counts[3]
    assert grid_settings_for(60, 1, None, None, 1 << 30).iterations >= 20
    assert grid_settings_for(60, 5, 77, None, 1 << 30).iterations == 77
    tails = [grid_settings_for(60, 5, 200, None, pixels).whole_tail for pixels in (1 << 18, 1 << 23)]
    assert tails[0] > tails[1]


def test_settings_out_of_range_are_a_callers_mistake() -> None:
    for effort in (0, 10):
        with pytest.raises(ValueError, match="effort"):
            grid_settings_for(60, effort, None, None)
    with pytest.raises(ValueError, match="iterations"):
        grid_settings_for(60, 5, 0, None)
    for seconds in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="max_seconds"):
            grid_settings_for(60, 5, None, seconds)


def test_iterations_override_the_effort_and_quality_lowers_the_price_of_bits() -> None:
    assert grid_settings_for(60, 9, 17, None).iterations == 17
    assert grid_settings_for(60, 1, None, None).iterations < grid_settings_for(60, 9, None, None).iterations
    prices = [rate_weight_of(quality) for quality in range(0, 101, 10)]
    assert prices == sorted(prices, reverse=True)
    assert grid_settings_for(30, 5, None, None).rate_weight == rate_weight_of(30)


def random_weights(config: GridConfig, seed: int = 0) -> GridWeights:
    """As a fit starts, and everything moved a little."""
    random = np.random.default_rng(seed)
    shape = config.shape
    start = initial_weights(np.full(config.channels, 0.5, np.float32), shape, RATE_WEIGHT, random)
    moved = start.flat() + random.laplace(0, 0.03, shape.groups.size).astype(np.float32)
    return shape.weights(np.where(shape.groups == UNUSED, np.float32(0), moved))


def test_the_price_of_bits_pulls_used_weights_to_what_they_are_coded_against() -> None:
    config = config_of()
    weights, shape = random_weights(config), config.shape
    weights.filters[0] = shape.weights(shape.base).filters[0]  # the bicubic one, which costs nothing
    gradients = weights.zeros()
    WeightRate(shape).add_gradient(weights, gradients)
    found, values, used = gradients.flat(), weights.flat() - shape.base, shape.groups != UNUSED
    assert not found[~used].any()
    assert np.array_equal(np.sign(found[used]), np.sign(values[used]))
    assert not gradients.filters[0].any()
    for group in range(shape.group_count):
        of_group = shape.groups == group
        assert np.abs(found[of_group]).max() <= 1.01 / np.log(2) / np.abs(values[of_group]).mean()


def test_the_price_of_bits_is_added_to_what_is_there() -> None:
    config = config_of(channels=1)
    weights = random_weights(config)
    once, twice = weights.zeros(), weights.zeros()
    WeightRate(config.shape).add_gradient(weights, once)
    for _ in range(2):
        WeightRate(config.shape).add_gradient(weights, twice)
    assert np.array_equal(twice.flat(), 2 * once.flat())


def test_unused_weights_that_are_not_0_change_no_price() -> None:
    config = config_of(channels=1)
    shape = config.shape
    clean = random_weights(config)
    dirty = shape.weights(clean.flat() + (shape.groups == UNUSED).astype(np.float32))
    one, other = clean.zeros(), clean.zeros()
    WeightRate(shape).add_gradient(clean, one)
    WeightRate(shape).add_gradient(dirty, other)
    assert np.array_equal(one.flat(), other.flat())


class Choice:
    """The problem of choosing integers, on random latents and weights."""

    def __init__(self, photo: np.ndarray) -> None:
        self.target = planes_of(photo)
        self.config = config_of()
        self.weights = random_weights(self.config)
        self.network = GridGradient(self.config.pyramid, self.config.shape, self.config.phase_scale, 1)
        random = np.random.default_rng(3)
        mask = self.network.mask
        self.network.planes[:PASSES] = np.rint(random.laplace(0, 2, (PASSES, mask.size))) * mask
        self.distortion_weight = 1 / (3 * RATE_WEIGHT)

    def choose(self) -> GridNetworks:
        return choose_integers(self, self.config, self.weights, self.distortion_weight)

    def squared_error(self, weights: GridWeights) -> float:
        return self.network.squared_error(weights, self.target)

    def latent_bits(self, entropy_model: np.ndarray) -> float:
        return self.network.latent_bits(entropy_model)

    def cost(self, networks: GridNetworks) -> float:
        """Bits: distortion, latents and networks."""
        weights = networks.weights
        own = 8 * len(encode_networks(networks))
        return self.distortion_weight * self.squared_error(weights) + self.latent_bits(weights.entropy_model) + own


def test_chosen_integers_never_cost_more_than_those_that_the_choice_starts_with(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = Choice(photo)
    costs = []
    for rounds in range(3):
        monkeypatch.setattr(choosing, "_ROUNDS", rounds)
        costs.append(choice.cost(choice.choose()))
    assert costs[0] > costs[1] >= costs[2]


def test_the_choice_leaves_latents_and_weights_alone(photo: np.ndarray) -> None:
    choice = Choice(photo)
    before, latents = choice.weights.flat(), choice.network.planes[:PASSES].copy()
    first, second = choice.choose(), choice.choose()
    assert np.array_equal(choice.weights.flat(), before)
    assert np.array_equal(choice.network.planes[:PASSES], latents)
    assert np.array_equal(first.symbols, second.symbols)
    assert np.array_equal(first.exponents, second.exponents)
    assert not first.symbols[choice.config.shape.groups == UNUSED].any()


def test_the_choice_measures_no_weights_twice(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    choice = Choice(photo)
    tried: list[tuple[str, bytes]] = []
    error, bits = choice.squared_error, choice.latent_bits

    def squared_error(weights: GridWeights) -> float:
        tried.append(("error", b"".join(part.tobytes() for part in weights.parts()[1:])))
        return error(weights)

    def latent_bits(entropy_model: np.ndarray) -> float:
        tried.append(("bits", entropy_model.tobytes()))
        return bits(entropy_model)

    monkeypatch.setattr(choice, "squared_error", squared_error)
    monkeypatch.setattr(choice, "latent_bits", latent_bits)
    choice.choose()
    assert len(tried) == len(set(tried)) > 0


def test_what_is_not_visible_has_no_weight() -> None:
    """Noise that nobody sees costs nothing and does not change what is seen."""
    planes = planes_of(oddities.photo(24, 40))
    visible = np.broadcast_to(np.arange(40) < 25, (24, 40))
    noisy = np.where(visible, planes, np.random.default_rng(0).random(planes.shape, np.float32))
    config, settings = config_of(24, 40, 3), GridSettings(STEPS, RATE_WEIGHT)
    fits = [fit_grid(any_, config, settings, seed=0, report=None, visible=visible) for any_ in (planes, noisy)]
    assert_same(*fits)
    shown = render(fits[0], (24, 40), "cpu")
    assert np.square(shown - planes)[:, visible].mean() < np.square(planes - planes.mean()).mean() / 4
    assert size_bytes(fits[0]) < size_bytes(quick_fit(noisy))
