"""Fits: they learn, they repeat, they never diverge."""

import dataclasses
import os
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from fourcodec.fnet import network as fourier
from fourcodec.fnet.backends import backend_of
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.fnet.fit.error_feedback import ErrorFeedback
from fourcodec.fnet.fit.fit import FLAT_STEP, _Fit, fit, fit_float
from fourcodec.fnet.fit.settings import FLOAT_SCHEDULE, SCHEDULE, FitSettings, Phase, settings_for
from fourcodec.fnet.fit.start import initial_coefficients
from fourcodec.fnet.profile import pack, render
from fourcodec.fnet.trained_starts import FRACTION, MIDDLE, integers_of
from fourcodec.fourier.shape import NetworkShape
from fourcodec.optimisation.progress import Progress
from fourcodec.optimisation.settings import Part
from fourcodec.optimisation.soap import MAX_SIDE, SoapState
from fourcodec.positions import positions
from tests.support import oddities
from tests.support.planes import planes_of


def psnr_db(planes: np.ndarray, network: QuantizedFnet) -> float:
    mse = np.square(render(network, planes.shape[1:], "cpu") - planes).mean()
    return -10 * float(np.log10(max(mse, 1e-10)))


def quick_fit(planes: np.ndarray, width: int = 4, depth: int = 3, steps: int = 120, seed: int = 0) -> QuantizedFnet:
    config = FnetConfig(width, depth, planes.shape[0])
    return fit(
        planes, config, FitSettings(steps, batch_pixels=768, rate_weight=1.25e-3), seed=seed, device="cpu", report=None
    )


def test_a_fit_learns_the_picture(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    flat_db = -10 * np.log10(np.square(planes - planes.mean(axis=(1, 2), keepdims=True)).mean())
    assert psnr_db(planes, quick_fit(planes)) > flat_db + 5


def test_rounding_costs_a_fit_little(photo: np.ndarray) -> None:
    """The same coefficients before and after, of a fit that ends before its layers are frozen one by one."""
    planes, config = planes_of(photo), FnetConfig(4, 3, 3)
    settings = FitSettings(300, batch_pixels=768, rate_weight=1e-4, phases=SCHEDULE[:2])
    fitted = _Fit(planes, config, settings, seed=0, backend=backend_of("cpu"))
    fitted.run(None)
    height, width = photo.shape[:2]
    x = positions((height, width), np.arange(height * width), 0)
    y = fourier.evaluate(config.shape, fitted.coefficients, x)
    float_db = -10 * np.log10(np.square(y - planes.reshape(3, -1)).mean())
    assert psnr_db(planes, fitted.integers()) > float_db - 1.5
    assert float_db > flat_db(planes) + 5


def test_a_float_fit_learns_the_picture_too(photo: np.ndarray) -> None:
    planes, config = planes_of(photo), FnetConfig(4, 3, 3)
    settings = FitSettings(120, batch_pixels=768, phases=FLOAT_SCHEDULE)
    coefficients = fit_float(planes, config, settings, seed=0, device="cpu", report=None)
    height, width = photo.shape[:2]
    y = fourier.evaluate(config.shape, coefficients, positions((height, width), np.arange(height * width), 0))
    assert -10 * np.log10(np.square(y - planes.reshape(3, -1)).mean()) > flat_db(planes) + 5


def test_same_seed_same_integers_and_another_seed_others(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    first, second, other = quick_fit(planes, steps=30), quick_fit(planes, steps=30), quick_fit(planes, steps=30, seed=1)
    assert np.array_equal(first.symbols, second.symbols)
    assert not np.array_equal(first.symbols, other.symbols)


def test_bytes_do_not_depend_on_the_number_of_threads() -> None:
    script = (
        "import hashlib, numpy as np, fourcodec;"
        "image = np.arange(40 * 56 * 3, dtype=np.uint32).reshape(40, 56, 3) * 7 % 251;"
        "encoded = fourcodec.encode(image.astype(np.uint8), width=5, depth=3, iterations=60, device='cpu');"
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


def flat_db(planes: np.ndarray) -> float:
    """PSNR of the mean colour, at most what a colour in steps of 1/512 is sure to have."""
    mse = np.square(planes - planes.mean(axis=(1, 2), keepdims=True)).mean()
    return min(-10 * float(np.log10(max(mse, 1e-10))), 60.0)


PICTURES = {
    "flat": np.full((3, 5, 7), 0.4),
    "noise": np.random.default_rng(5).random((1, 9, 6)),
    "one pixel wide": np.random.default_rng(6).random((3, 50, 1)),
    "one pixel high": np.random.default_rng(7).random((3, 1, 50)),
    "one black pixel": np.zeros((1, 1, 1)),
}


@pytest.mark.parametrize(("width", "depth"), [(1, 1), (1, 16), (2, 8), (3, 16), (7, 3), (10, 1), (10, 16)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_size_or_seed_is_worse_than_the_mean_colour(width: int, depth: int, seed: int) -> None:
    steps = 40 if depth * 2**width < 2**13 else 3
    for name, picture in PICTURES.items():
        planes = picture.astype(np.float32)
        found = psnr_db(planes, quick_fit(planes, width, depth, steps=steps, seed=seed))
        assert found > flat_db(planes) - 0.2, name


@pytest.mark.parametrize("phases", [SCHEDULE, FLOAT_SCHEDULE])
def test_a_fit_that_diverges_goes_on_from_its_last_good_state_and_says_so(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, phases: tuple[Phase, ...]
) -> None:
    """By one step that puts every coefficient off by 1: no rounding decides on where that ends."""
    check, real_step = _Fit._check, _Fit._iterate
    states: list[tuple[np.ndarray, np.ndarray]] = []  # coefficients after a check that found something, and the good

    def watch(fit: _Fit, phase: Phase, step: int) -> str:
        good = None if fit._guard.coefficients is None else fit._guard.coefficients.copy()
        if note := check(fit, phase, step):
            assert good is not None
            states.append((fit.coefficients.copy(), good))
        return note

    def step_too_far(fit: _Fit, phase: Phase, step: int) -> float:
        loss = real_step(fit, phase, step)
        if step == 130:
            fit.coefficients += 1
        return loss

    monkeypatch.setattr(_Fit, "_check", watch)
    monkeypatch.setattr(_Fit, "_iterate", step_too_far)
    planes, notes = planes_of(photo), []
    settings, config = FitSettings(200, batch_pixels=768, phases=phases), FnetConfig(5, 4, 3)
    do = fit if phases == SCHEDULE else fit_float
    found = do(planes, config, settings, seed=0, device="cpu", report=lambda progress: notes.append(progress.note))
    (note,) = filter(None, notes)
    assert re.fullmatch(r"the fit diverged by iteration 1\d\d: it goes on from its last good state with half .*", note)
    ((coefficients, good),) = states
    assert np.array_equal(coefficients, good)
    if isinstance(found, QuantizedFnet):
        assert psnr_db(planes, found) > flat_db(planes)
    else:
        assert np.isfinite(found).all()


def test_an_ordinary_fit_has_nothing_to_note(photo: np.ndarray) -> None:
    seen: list[Progress] = []
    settings = FitSettings(150, batch_pixels=768, rate_weight=3e-2)
    fit(planes_of(photo), FnetConfig(5, 3, 3), settings, seed=0, device="cpu", report=seen.append)
    assert not any(progress.note for progress in seen)


def test_where_nothing_is_learned_the_mean_colour_is_the_result() -> None:
    planes = np.full((3, 8, 9), 0.25, np.float32)
    network = quick_fit(planes, steps=5)
    assert np.count_nonzero(network.symbols) == 3
    assert np.abs(render(network, (8, 9), "cpu") - 0.25).max() <= FLAT_STEP / 2


def test_a_fit_goes_on_from_another_ones_result(photo: np.ndarray) -> None:
    planes, config = planes_of(photo), FnetConfig(4, 3, 3)
    whole = FitSettings(120, batch_pixels=768, rate_weight=1.25e-3)
    first = fit(planes, config, whole, seed=0, device="cpu", report=None)
    part = whole.part(Part(0.2, begin=0.6), 1e-4)
    losses: list[float] = []  # of the first step of a fit that goes on, and of one that begins: before either moved
    for start in (first, None):
        seen: list[Progress] = []
        one = dataclasses.replace(part, iterations=1)
        fit(planes, config, one, seed=0, device="cpu", report=seen.append, start=start)
        losses.append(seen[0].loss)
    first_mse = 10 ** (-psnr_db(planes, first) / 10)
    assert losses[0] < 4 * first_mse < losses[1] / 4  # with the noise that stands for rounding
    onward = fit(planes, config, part, seed=0, device="cpu", report=None, start=first)
    assert psnr_db(planes, onward) > flat_db(planes) + 5  # which so few steps would not reach from the mean colour
    with pytest.raises(ValueError, match="cannot start from"):
        fit(planes, FnetConfig(4, 2, 3), part, seed=0, device="cpu", report=None, start=first)


def test_a_part_of_a_fit_runs_the_end_of_the_schedule() -> None:
    whole = FitSettings(1000)
    assert whole.starts() == [0, 100, 850, 1000]
    part = whole.part(Part(0.1, begin=0.7), 1e-2)
    assert (part.iterations, part.rate_weight) == (100, 1e-2)
    assert part.starts() == [0, 0, 50, 100]
    assert [part.done(step) for step in (0, 50, 100)] == pytest.approx([0.7, 0.85, 1])
    assert whole.part(Part(1e-6), 1e-2).iterations == 1
    with pytest.raises(ValueError, match="begins at"):
        whole.part(Part(0.1, begin=1.0), 1e-2)


def test_one_step_is_enough_for_a_file(photo: np.ndarray) -> None:
    assert np.isfinite(psnr_db(planes_of(photo), quick_fit(planes_of(photo), steps=1)))


def test_progress_reaches_the_end(photo: np.ndarray) -> None:
    seen: list[Progress] = []
    fit(planes_of(photo), FnetConfig(3, 2, 3), FitSettings(40), seed=0, device="cpu", report=seen.append)
    assert seen[-1].iteration == seen[-1].iterations == 40
    assert seen[-1].seconds_left == 0


@pytest.mark.parametrize("effort", [0, 10])
def test_effort_outside_1_to_9_is_refused(effort: int) -> None:
    with pytest.raises(ValueError, match="effort"):
        settings_for(effort, None)


def test_iterations_override_the_effort() -> None:
    assert settings_for(9, 17).iterations == 17
    assert settings_for(1, None).iterations < settings_for(9, None).iterations
    with pytest.raises(ValueError, match="iterations"):
        settings_for(5, 0)


def test_training_noise_is_in_pairs_within_a_step(photo: np.ndarray) -> None:
    fitted = trained_fit(photo, prior=0)
    steps = np.random.default_rng(0).uniform(0.01, 0.1, fitted.coefficients.size).astype(np.float32)
    fitted._frozen_size = 100
    noise = (fitted._noisy(steps) - fitted.coefficients) / steps
    np.testing.assert_allclose(noise[::2], -noise[1::2], atol=1e-3)
    assert np.abs(noise[:, :100]).max() == 0
    assert np.abs(noise).max() <= 0.501
    assert noise[::2, 100:].var() == pytest.approx(1 / 12, rel=0.02)


def test_the_start_is_the_mean_colour() -> None:
    shape = NetworkShape(6, 6, 3)
    colour = np.array([0.2, 0.5, 0.9], np.float32)
    coefficients = initial_coefficients(shape, colour, np.random.default_rng(0))
    y = fourier.evaluate(shape, coefficients, np.random.default_rng(1).random((2, 500), np.float32) / 2)
    assert np.abs(y - colour[:, None]).max() < 0.5


@pytest.mark.parametrize("rows", [16, 2 * MAX_SIDE])
def test_soap_finds_the_minimum_of_a_badly_scaled_bowl(rows: int) -> None:
    random = np.random.default_rng(0)
    turn = np.linalg.qr(random.normal(size=(16, 16)))[0]
    bowl = (turn * np.logspace(0, -3, 16) @ turn.T).astype(np.float32)
    at, state = np.zeros((rows, 3), np.float32), SoapState(rows, 3)
    at[:16] = random.normal(size=(16, 3))
    start = float((at[:16] * (bowl @ at[:16])).sum())
    for step in range(400):
        gradient = np.zeros_like(at)
        gradient[:16] = bowl @ at[:16]
        at -= np.float32(0.05 * (1 - step / 400)) * state.direction(gradient)
    assert float((at[:16] * (bowl @ at[:16])).sum()) < 1e-3 * start


def trained_fit(photo: np.ndarray, prior: int = 1) -> _Fit:
    config, settings = FnetConfig(8, 6, 3, prior=prior), FitSettings(10, batch_pixels=768, rate_weight=1.25e-3)
    return _Fit(planes_of(photo), config, settings, seed=0, backend=backend_of("cpu"))


def test_a_fit_begins_at_the_trained_start_with_the_mean_colour_of_the_picture(photo: np.ndarray) -> None:
    fitted = trained_fit(photo)
    wanted = integers_of(1, fitted._shape) / 2.0**FRACTION
    constants = fitted._shape.layers[-1].span.start + np.arange(3)
    moved = fitted.coefficients - wanted
    np.testing.assert_allclose(moved[constants], planes_of(photo).mean(axis=(1, 2)) - MIDDLE, atol=1e-6)
    moved[constants] = 0
    assert np.abs(moved).max() < 1e-6


def test_bits_are_counted_from_the_trained_start(photo: np.ndarray) -> None:
    """At the start itself they have no gradient, and its network, rounded without feedback, is hardly any bytes."""
    fitted = trained_fit(photo)
    fitted._observe(5)
    assert fitted._steps is not None
    away = fitted.coefficients - fitted._centre
    assert np.count_nonzero(fitted._coefficient_rate.gradient(away, fitted._steps)) <= 3
    fitted._feedback = ErrorFeedback(fitted._shape)
    fitted._mse = lambda coefficients: -float(np.abs(coefficients).sum())  # type: ignore[method-assign]
    network = fitted.integers()
    assert network.config.prior == 1
    assert len(pack(network)[1][0].payload) < 300


def test_a_network_far_from_the_trained_start_is_coded_without_it(photo: np.ndarray) -> None:
    fitted, plain = trained_fit(photo), trained_fit(photo, prior=0)
    plain.run(None)
    for one in (fitted, plain):
        one.coefficients[:] = plain.coefficients
        one._indices, one._steps, one._feedback = plain._indices, plain._steps, plain._feedback
    fitted._mse = plain._mse = lambda coefficients: -float(np.abs(coefficients).sum())  # type: ignore[method-assign]
    found, wanted = fitted.integers(), plain.integers()
    assert found.config.prior == 0
    assert np.array_equal(found.symbols, wanted.symbols)
    assert np.count_nonzero(found.symbols) > 1000


@pytest.mark.parametrize("winner", [0, 1])
def test_a_fit_has_the_start_whose_probe_comes_nearer(
    photo: np.ndarray, winner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Fit, "mse", lambda self: float(self._config.prior != winner))
    started: list[tuple[int, int]] = []
    run = _Fit.run

    def watched(self: _Fit, report: Any) -> None:
        started.append((self._config.prior, self._settings.iterations))
        run(self, report)

    monkeypatch.setattr(_Fit, "run", watched)
    config = FnetConfig(8, 6, 3, prior=1)
    fit(planes_of(photo), config, FitSettings(3, batch_pixels=768), seed=0, device="cpu", report=None)
    assert started == [(1, 1), (0, 1), (winner, 3)]


def test_what_is_not_visible_has_no_weight() -> None:
    planes = planes_of(oddities.photo(24, 40))
    visible = np.broadcast_to(np.arange(40) < 25, (24, 40))
    noisy = np.where(visible, planes, np.random.default_rng(0).random(planes.shape, np.float32))
    config, settings = FnetConfig(4, 3, 3), FitSettings(60, batch_pixels=768)
    first, second = (
        fit(any_, config, settings, seed=0, device="cpu", report=None, visible=visible) for any_ in (planes, noisy)
    )
    np.testing.assert_array_equal(first.symbols, second.symbols)


def test_compiling_kernels_does_not_count_in_the_time_left(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("fourcodec.fnet.fit.fit.time.monotonic", lambda: now[0])
    steps = iter(range(20))
    mse_gradient = fourier.mse_gradient

    def slow_at_first(*arguments: Any, **named: Any) -> Any:
        now[0] += 100.0 if next(steps) == 0 else 1.0
        return mse_gradient(*arguments, **named)

    monkeypatch.setattr(fourier, "mse_gradient", slow_at_first)
    seen: list[Progress] = []
    fit(planes_of(photo), FnetConfig(2, 1, 3), FitSettings(20), seed=0, device="cpu", report=seen.append)
    assert [(one.iteration, one.seconds_left) for one in seen] == [(step, 20.0 - step) for step in range(11, 21)]
