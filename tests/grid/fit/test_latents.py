"""What the choice of quantisers measures: a small picture whole, windows of a large one."""

import numpy as np
import pytest

from fourcodec.grid.config import GridConfig
from fourcodec.grid.fit import latents
from fourcodec.grid.fit.fit import _Fit
from fourcodec.grid.fit.latents import CpuSpace, PyramidFit, Sample
from fourcodec.grid.fit.settings import GridSettings
from fourcodec.grid.fit.start import initial_weights
from tests.support.grid_fits import RATE_WEIGHT
from tests.support.grids import config_of, random_latents


def placed(config: GridConfig, visible: np.ndarray | None = None) -> PyramidFit:
    random = np.random.default_rng(0)
    planes = random.random((config.channels, config.height, config.width), np.float32)
    found = PyramidFit(config, CpuSpace(config), planes, visible)
    found.place(random_latents(config, 1.0, random))
    return found


def start(config: GridConfig) -> tuple:
    weights = initial_weights(np.full(config.channels, 0.5, np.float32), config.shape, 1e-3, np.random.default_rng(1))
    return weights, weights.entropy_model


def test_a_small_picture_is_measured_whole() -> None:
    whole = placed(config_of(70, 90, 3))
    weights, model = start(whole.config)
    sample = Sample([whole], CpuSpace)
    assert sample.squared_error(weights) == whole.squared_error(weights)
    assert sample.latent_bits(model) == whole.latent_bits(model)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(("height", "width"), [(200, 331), (64, 700), (700, 70)])
def test_windows_of_a_large_picture_stand_for_it(
    height: int, width: int, hidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures that are alike everywhere have about the same errors and bits in windows as altogether."""
    monkeypatch.setattr(latents, "MEASURED_SIDE", 64)
    monkeypatch.setattr(latents, "MEASURED_PIXELS", 64 * 64)
    visible = (np.random.default_rng(2).random((height, width)) < 0.7).astype(np.float32) if hidden else None
    whole = placed(config_of(height, width, 3, levels=4), visible)
    weights, model = start(whole.config)
    sample = Sample([whole, whole], CpuSpace)
    assert sample.squared_error(weights) == pytest.approx(2 * whole.squared_error(weights), rel=0.1)
    assert sample.latent_bits(model) == pytest.approx(2 * whole.latent_bits(model), rel=0.1)


def test_a_window_has_the_pixels_and_the_latents_of_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latents, "MEASURED_SIDE", 32)
    whole = placed(config_of(90, 75, 1, levels=3))
    pyramid = whole.config.pyramid
    places = [(0, 0), (24, 16), (56, 40)]
    for number, (top, left) in enumerate(places):
        part = whole.window(number, CpuSpace)
        assert (part.config.height, part.config.width) == (min(32, 90 - top), min(32, 75 - left))
        np.testing.assert_array_equal(part._target, whole._target[:, top : top + 32, left : left + 32])
        for n, level in enumerate(part.config.pyramid.levels):
            mine = part.config.pyramid.view(part._latents, level)
            theirs = pyramid.view(whole._latents, pyramid.levels[n])[:, top >> n + 1 :, left >> n + 1 :]
            np.testing.assert_array_equal(mine, theirs[:, : mine.shape[1], : mine.shape[2]])


def test_fits_whose_quantisers_were_measured_on_windows_end_well(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latents, "MEASURED_SIDE", 32)
    monkeypatch.setattr(latents, "MEASURED_PIXELS", 32 * 32)
    planes = np.ascontiguousarray(photo.transpose(2, 0, 1), np.float32) / 255
    config = config_of(*planes.shape[1:], 3, levels=3, tiles=1)
    fitted = _Fit(planes, config, GridSettings(30, RATE_WEIGHT), seed=0)
    fitted.run(None)
    before = sum(pyramid.squared_error(fitted.weights) for pyramid in fitted._pyramids)
    fitted.integers(None)
    after = sum(pyramid.squared_error(fitted.weights) for pyramid in fitted._pyramids)
    assert after < 1.5 * before
