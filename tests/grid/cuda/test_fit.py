"""Fits of the grid on torch devices: each step is the kernels', and everything is fitted that the kernels fit.

Two fits are never compared by their ends: rounding errors grow from step to step, as far as they like.
"""

import copy
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from fourcodec.grid import tiling
from fourcodec.grid.config import GridConfig, config_for
from fourcodec.grid.fit.fit import _Fit
from fourcodec.grid.fit.fit import fit as fit_grid
from fourcodec.grid.fit.latents import PyramidFit
from fourcodec.grid.fit.settings import GridSettings
from fourcodec.grid.profile import render
from tests.support import oddities
from tests.support.grid_fits import RATE_WEIGHT, flat_db, psnr_db
from tests.support.grids import assert_same, config_of
from tests.support.planes import planes_of

STEPS = 20
SHARES = [step / STEPS for step in range(STEPS)]  # of a fit that are behind; from 0.9 on latents are rounded
DEVICES = ["cpu:0", pytest.param("cuda", marks=pytest.mark.cuda)]  # torch on a processor; "cpu" are the kernels


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def planes() -> np.ndarray:
    return planes_of(oddities.photo(45, 70))


@pytest.fixture
def tiled(monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, GridConfig]:
    """Planes and the configuration of a picture in tiles of 64 pixels."""
    monkeypatch.setattr(tiling, "TILED_PIXELS", 1)
    monkeypatch.setattr(tiling, "_SIDES", range(64, 64 + 1, 64))
    return planes_of(oddities.photo(100, 130)), config_for(100, 130, 3, phase=18, trained_start=0)


@dataclass
class Watched:
    """An optimiser whose last gradient can be looked at."""

    real: object
    gradient: np.ndarray = field(default_factory=lambda: np.empty(0))

    def update(self, matrix: np.ndarray, gradient: np.ndarray, factor: float) -> None:
        self.gradient = gradient.copy()
        self.real.update(matrix, gradient, factor)


def watched(planes: np.ndarray, config: GridConfig, settings: GridSettings, device: str) -> _Fit:
    fit = _Fit(planes, config, settings, seed=0, device=device)
    fit._optimisers = [Watched(real) for real in fit._optimisers]
    return fit


def latents_of(pyramid: PyramidFit) -> np.ndarray:
    return pyramid._latents if pyramid._noisy is None else pyramid._noisy.latents()


def take_over(fit: _Fit, kernels: _Fit) -> None:
    """Puts a fit on torch where one of the kernels is."""
    fit._optimisers = copy.deepcopy(kernels._optimisers)
    for mine, theirs in zip(fit.weights.parts(), kernels.weights.parts(), strict=True):
        mine[:] = theirs
    for mine, theirs in zip(fit._pyramids, kernels._pyramids, strict=True):
        if mine._noisy is None:
            mine._latents[:] = theirs._latents
            mine._rdoq._overestimated[:] = theirs._rdoq._overestimated
        else:
            for name in ("_latents", "_first", "_second"):
                getattr(mine._noisy, name).copy_(torch.from_numpy(getattr(theirs._noisy, name)))


def assert_near(found: np.ndarray, wanted: np.ndarray, share: float) -> None:
    assert np.abs(found - wanted).max(initial=0) <= share * np.abs(wanted).max(initial=0)


def assert_moved_alike(found: np.ndarray, wanted: np.ndarray) -> None:
    """Latents are equal but for a few: their gradients have the kinks of `ONE_LATENT`."""
    assert (np.abs(found - wanted) <= 1e-4 * np.abs(wanted).max()).mean() > 0.99


# A hidden unit of the entropy model whose sum rounds to either side of 0 is on in one fit and off in the other. Then
# gradients differ by what one of the thousands of latents adds, here in shares of their largest entry. Errors of a
# formula exceed that.
ONE_LATENT = 5e-3


def assert_steps_are_equal(planes: np.ndarray, config: GridConfig, device: str, shares: list[float]) -> None:
    """From wherever the kernels are, one step: the error, the gradients of the networks, and where latents go."""
    settings = GridSettings(STEPS, RATE_WEIGHT)
    kernels, fit = (watched(planes, config, settings, name) for name in ("cpu", device))
    for share in shares:
        wanted, found = (one._iterate(share) for one in (kernels, fit))
        assert found == pytest.approx(wanted, rel=1e-5)
        for one, other in zip(fit._optimisers, kernels._optimisers, strict=True):
            assert_near(one.gradient, other.gradient, ONE_LATENT)
        for mine, theirs in zip(fit._pyramids, kernels._pyramids, strict=True):
            one, other = latents_of(mine), latents_of(theirs)
            if mine._noisy is not None:
                assert_moved_alike(one, other)
            else:  # a move that is worth nothing may be made by one of them
                assert (one == other).mean() > 0.99
        take_over(fit, kernels)


def test_every_step_is_that_of_the_kernels(planes: np.ndarray, device: str) -> None:
    assert_steps_are_equal(planes, config_of(45, 70, smooth=True), device, SHARES)


def test_every_step_of_tiles_is_that_of_the_kernels(tiled: tuple[np.ndarray, GridConfig], device: str) -> None:
    assert_steps_are_equal(*tiled, device, SHARES[::6])


def test_a_fit_learns_the_picture(planes: np.ndarray, device: str) -> None:
    settings = GridSettings(40, RATE_WEIGHT)
    found = fit_grid(planes, config_of(45, 70, smooth=True), settings, seed=0, report=None, device=device)
    assert psnr_db(planes, found) > flat_db(planes) + 3


def test_tiles_are_fitted_together(tiled: tuple[np.ndarray, GridConfig], device: str) -> None:
    planes, config = tiled
    found = fit_grid(planes, config, GridSettings(2 * STEPS, RATE_WEIGHT), seed=0, report=None, device=device)
    assert len(found.tiles) == config.tiling.count > 1
    shown = render(found, planes.shape[1:], "cpu")
    for number in found.tiles:
        rows_and_columns = config.tiling.tile(number).slices
        tile, copy_of_it = planes[:, *rows_and_columns], shown[:, *rows_and_columns]
        flat = planes.mean(axis=(1, 2), keepdims=True)
        assert np.square(copy_of_it - tile).mean() < np.square(flat - tile).mean() / 2


def test_equal_arguments_give_equal_fits(planes: np.ndarray, device: str) -> None:
    config, settings = config_of(45, 70, smooth=True), GridSettings(STEPS, RATE_WEIGHT)
    assert_same(*(fit_grid(planes, config, settings, seed=3, report=None, device=device) for _ in range(2)))


def test_a_fit_goes_on_from_the_very_numbers_of_another(planes: np.ndarray, device: str) -> None:
    config = config_of(45, 70)
    first = fit_grid(planes, config, GridSettings(STEPS, RATE_WEIGHT), seed=0, report=None)
    later = GridSettings(20, RATE_WEIGHT, begin=0.4)
    kernels, fit = (_Fit(planes, config, later, seed=0, device=name) for name in ("cpu", device))
    for one in (kernels, fit):
        one.place(first)
    assert np.array_equal(fit.weights.flat(), kernels.weights.flat())
    assert fit._iterate(0.4) == pytest.approx(kernels._iterate(0.4), rel=1e-5)  # of the latents that were placed
    second = fit_grid(planes, config, later, seed=0, report=None, start=first, device=device)
    assert psnr_db(planes, second) > flat_db(planes) + 3


def test_what_is_not_visible_has_no_weight(planes: np.ndarray, device: str) -> None:
    visible = np.broadcast_to(np.arange(70) < 40, (45, 70))
    noisy = np.where(visible, planes, np.random.default_rng(0).random(planes.shape, np.float32))
    config, settings = config_of(45, 70), GridSettings(STEPS, RATE_WEIGHT)
    fits = [
        fit_grid(any_, config, settings, seed=0, report=None, visible=visible, device=device)
        for any_ in (planes, noisy)
    ]
    assert_same(*fits)
