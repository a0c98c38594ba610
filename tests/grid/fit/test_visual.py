"""The form of the tuning `visual`: weights that follow the picture, and fits that count them."""

import numpy as np
import pytest

from fourcodec.grid.fit import visual
from fourcodec.grid.fit.settings import GridSettings, grid_settings_for


def noise(height: int, width: int, deviation: float) -> np.ndarray:
    return 0.5 + deviation * np.random.default_rng(0).standard_normal((3, height, width)).astype(np.float32)


def test_a_flat_picture_has_equal_weights() -> None:
    for channels in (1, 3):
        form = visual.form_of(np.full((channels, 37, 50), 0.3, np.float32), None)
        assert len(form.weights) == len(visual.GAINS)
        for k, plane in enumerate(form.weights):
            assert plane.shape == (-(-37 // 2**k), -(-50 // 2**k))
            assert np.abs(plane - visual.GAINS[k]).max() < 1e-6


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (2, 3), (37, 50)], ids=str)
def test_weights_are_positive_and_their_mean_is_the_gain(size: tuple[int, int]) -> None:
    for deviation in (0.0, 0.01, 3.0):
        form = visual.form_of(noise(*size, deviation), None)
        for plane in form.weights:
            assert plane.dtype == np.float32
            assert np.isfinite(plane).all()
            assert (plane > 0).all()
    visible = np.random.default_rng(2).random(size) < 0.5
    visible[0, 0] = True
    first = visual.form_of(noise(*size, 0.1), visible).weights[0]
    assert first[visible].mean() == pytest.approx(visual.GAINS[0], rel=1e-4)


def test_texture_weighs_less_than_what_is_smooth() -> None:
    planes = noise(64, 96, 0.15)
    planes[:, :, :48] = 0.4
    for k, plane in enumerate(visual.form_of(planes, None).weights):
        border = 48 >> k
        assert plane[:, border + 6 :].size == 0 or plane[:, border + 6 :].mean() < plane[:, : max(border - 6, 1)].mean()


def test_what_is_hidden_does_not_change_weights() -> None:
    planes, visible = noise(40, 60, 0.02), np.broadcast_to(np.arange(60) < 31, (40, 60))
    loud = np.where(visible, planes, np.random.default_rng(1).random(planes.shape, np.float32))
    pairs = zip(visual.form_of(planes, visible).weights, visual.form_of(loud, visible).weights, strict=True)
    for k, (one, other) in enumerate(pairs):
        assert np.allclose(one[:, : 31 >> k], other[:, : 31 >> k], atol=1e-6)


def test_hidden_colours_are_not_seen() -> None:
    planes, visible = noise(40, 60, 0.02), (np.arange(60) < 31).astype(np.float32)[None].repeat(40, axis=0)
    loud = np.where(visible > 0, planes, np.random.default_rng(1).random(planes.shape, np.float32))
    assert np.array_equal(visual.without_hidden(planes, visible), visual.without_hidden(loud, visible))
    assert np.array_equal(visual.without_hidden(planes, visible)[:, :, :31], planes[:, :, :31])
    assert visual.without_hidden(planes, None) is planes
    assert not visual.without_hidden(planes, np.zeros_like(visible)).any()


def test_grey_and_its_copy_in_three_channels_have_the_same_weights() -> None:
    grey = noise(30, 44, 0.05)[:1]
    pairs = zip(visual.form_of(grey, None).weights, visual.form_of(grey.repeat(3, axis=0), None).weights, strict=True)
    for one, other in pairs:
        assert np.allclose(one, other, atol=1e-6)


def test_settings_know_two_tunings() -> None:
    assert grid_settings_for(60, 5, None, None).tune == "psnr"
    with pytest.raises(ValueError, match="tunings are psnr and visual"):
        GridSettings(10, 1e-3, tune="loud")
