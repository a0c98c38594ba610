"""Fits of the grid on torch devices: as good as the kernels', and of everything that the kernels fit."""

import numpy as np
import pytest

from fourcodec.fitting import GridSettings, fit_grid
from fourcodec.fitting.grid import _Fit
from fourcodec.networks import tiling
from fourcodec.profiles.grid_config import config_for
from fourcodec.profiles.tiled import TiledGrid, render
from tests.fitting.test_fnet import planes_of
from tests.fitting.test_grid import RATE_WEIGHT, assert_equal, cost
from tests.grids import config_of
from tests.images import oddities

STEPS = 100
DEVICES = ["cpu:0", pytest.param("cuda", marks=pytest.mark.cuda)]  # torch on a processor; "cpu" are the kernels


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def planes() -> np.ndarray:
    return planes_of(oddities.photo(45, 70))


def test_a_fit_is_as_good_as_that_of_the_kernels(planes: np.ndarray, device: str) -> None:
    config, settings = config_of(45, 70, smooth=True), GridSettings(STEPS, RATE_WEIGHT)
    found, wanted = (fit_grid(planes, config, settings, seed=0, report=None, device=name) for name in (device, "cpu"))
    assert cost(planes, found, RATE_WEIGHT) < 1.1 * cost(planes, wanted, RATE_WEIGHT)


def test_steps_are_those_of_the_kernels(planes: np.ndarray, device: str) -> None:
    """As long as rounding errors have not grown."""
    config, settings = config_of(45, 70, smooth=True), GridSettings(STEPS, RATE_WEIGHT)
    fits = [_Fit(planes, config, settings, seed=0, device=name) for name in (device, "cpu")]
    for step in range(4):
        squares = [fit._step(step / STEPS) for fit in fits]
        assert squares[0] == pytest.approx(squares[1], rel=1e-3)
    assert np.abs(fits[0].weights.flat() - fits[1].weights.flat()).max() < 0.01


def test_equal_arguments_give_equal_fits(planes: np.ndarray, device: str) -> None:
    config, settings = config_of(45, 70, smooth=True), GridSettings(40, RATE_WEIGHT)
    assert_equal(*(fit_grid(planes, config, settings, seed=3, report=None, device=device) for _ in range(2)))


def test_a_fit_can_go_on_from_another(planes: np.ndarray, device: str) -> None:
    config = config_of(45, 70)
    first = fit_grid(planes, config, GridSettings(STEPS, RATE_WEIGHT), seed=0, report=None)
    later = GridSettings(20, RATE_WEIGHT, begin=0.4)
    second = fit_grid(planes, config, later, seed=0, report=None, start=first, device=device)
    assert cost(planes, second, RATE_WEIGHT) < 1.05 * cost(planes, first, RATE_WEIGHT)


def test_what_is_not_visible_has_no_weight(planes: np.ndarray, device: str) -> None:
    visible = np.broadcast_to(np.arange(70) < 40, (45, 70))
    noisy = np.where(visible, planes, np.random.default_rng(0).random(planes.shape, np.float32))
    config, settings = config_of(45, 70), GridSettings(30, RATE_WEIGHT)
    fits = [
        fit_grid(any_, config, settings, seed=0, report=None, visible=visible, device=device)
        for any_ in (planes, noisy)
    ]
    assert_equal(*fits)


def test_tiles_are_fitted_together(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "TILED_PIXELS", 1)
    monkeypatch.setattr(tiling, "_SIDES", range(64, 64 + 1, 64))
    planes = planes_of(oddities.photo(100, 130))
    config = config_for(100, 130, 3, phase=18, prior=0)
    found, wanted = (
        fit_grid(planes, config, GridSettings(40, RATE_WEIGHT), seed=0, report=None, device=name)
        for name in (device, "cpu")
    )
    assert isinstance(found, TiledGrid)
    mse = [float(np.square(render(some, (100, 130), "cpu") - planes).mean()) for some in (found, wanted)]
    assert mse[0] == pytest.approx(mse[1], rel=0.1)
