"""Errors and their map, against what plain numpy says."""

import numpy as np
import pytest
from matplotlib import colormaps

from fourcodec.comparison import error_map


@pytest.mark.parametrize(("dtype", "unit"), [(np.uint8, 1), (np.uint16, 257)])
def test_errors_are_those_of_all_samples_in_units_of_eight_bits(dtype: type, unit: int) -> None:
    random = np.random.default_rng(0)
    original, copy = (random.integers(0, 256, (150, 40, 3)).astype(dtype) * dtype(unit) for _ in range(2))
    difference = np.abs(original.astype(float) - copy) / unit
    found = error_map.errors(original, copy)
    assert found.mean == pytest.approx(difference.mean())
    assert found.largest == difference.max()
    assert (difference <= found.most).mean() >= 0.99 > (difference < found.most).mean()
    np.testing.assert_allclose(error_map.pixel_errors(original, copy), difference.max(axis=2), rtol=1e-6)


def test_an_exact_copy_has_no_errors(photo: np.ndarray) -> None:
    found = error_map.errors(photo, photo)
    assert (found.mean, found.most, found.largest) == (0, 0, 0)
    assert error_map.common_scale([error_map.pixel_errors(photo[:, :, 0], photo[:, :, 0])]) == 2


def test_the_scale_is_round_holds_nearly_all_and_is_shared() -> None:
    small, large = np.full((10, 100), 3, np.float32), np.full((10, 100), 20, np.float32)
    large[0, 0] = 250  # one pixel of a thousand
    assert error_map.common_scale([small]) == 4
    assert error_map.common_scale([small, large]) == 32
    assert error_map.common_scale([np.full((4, 4), 255, np.float32)]) == 255
    assert error_map.palette_indices(np.array([[0, 16, 32, 99]], np.float32), 32).tolist() == [[0, 128, 255, 255]]


def test_the_palette_is_matplotlibs_and_rises_in_brightness() -> None:
    np.testing.assert_array_equal(
        error_map.palette(), np.rint(255 * colormaps["magma"](np.arange(error_map.COLOURS))[:, :3])
    )
    brightness = error_map.palette() @ np.array([0.2126, 0.7152, 0.0722])
    assert len(brightness) == error_map.COLOURS
    assert (np.diff(brightness) > -0.5).all()
    assert brightness[0] < 5
    assert brightness[-1] > 230
