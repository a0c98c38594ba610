"""The metrics equal the textbook's and scikit-image's, strips or not."""

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from fourcodec import metrics


def pair(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    first = generator.integers(0, 256, shape, dtype=np.uint8)
    noise = generator.integers(-20, 21, shape)
    return first, np.clip(first + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(16, 24), (16, 24, 3), (1, 1), (1, 200), (150, 7, 3)])
def test_psnr_is_that_of_its_definition(shape: tuple[int, ...]) -> None:
    first, second = pair(*shape)
    mse = np.mean((first.astype(float) - second) ** 2)
    assert metrics.psnr_db(first, second) == pytest.approx(10 * math.log10(255**2 / mse), abs=1e-9)


def test_psnr_of_equal_pictures_is_infinite_and_of_opposite_ones_zero() -> None:
    black, white = np.zeros((16, 24, 3), np.uint8), np.full((16, 24, 3), 255, np.uint8)
    assert metrics.psnr_db(black, black) == math.inf
    assert metrics.psnr_db(black, white) == 0


def test_psnr_of_an_error_is_a_number_or_what_was_asked_for() -> None:
    assert metrics.psnr_of_mse_db(1e-3) == pytest.approx(30)
    assert metrics.psnr_of_mse_db(4e-3, peak=2) == pytest.approx(30)
    assert f"{metrics.psnr_of_mse_db(1.0):.2f}" == "0.00"
    assert metrics.psnr_of_mse_db(0.0) == math.inf
    assert metrics.psnr_of_mse_db(0.0, at_most=120) == metrics.psnr_of_mse_db(1e-13, at_most=120) == 120
    assert metrics.psnr_of_mse_db(math.inf, at_most=120) == -math.inf
    assert math.isnan(metrics.psnr_of_mse_db(math.nan, at_most=120))


@pytest.mark.parametrize("shape", [(11, 24), (16, 24, 3), (74, 30), (75, 30, 3), (203, 40, 3)])
def test_ssim_in_strips_is_scikit_images(shape: tuple[int, ...]) -> None:
    first, second = pair(*shape)
    whole = structural_similarity(
        first,
        second,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=-1 if len(shape) == 3 else None,
    )
    assert metrics.ssim(first, second) == pytest.approx(whole, abs=1e-9)
    assert metrics.ssim(first, first) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(10, 24), (24, 10, 3), (1, 1)])
def test_ssim_is_undefined_for_small_pictures(shape: tuple[int, ...]) -> None:
    assert metrics.ssim(*pair(*shape)) is None


def test_sixteen_bits_have_their_own_peak() -> None:
    first, second = pair(16, 24, 3)
    deep, other = first.astype(np.uint16) * 257, second.astype(np.uint16) * 257
    assert metrics.psnr_db(deep, other) == pytest.approx(metrics.psnr_db(first, second), abs=1e-9)
    assert metrics.ssim(deep, other) == pytest.approx(metrics.ssim(first, second), abs=1e-9)
    ends = np.zeros((16, 24), np.uint16), np.full((16, 24), 65535, np.uint16)
    assert metrics.psnr_db(*ends) == 0


@pytest.mark.parametrize("channels", [2, 4])
def test_colours_that_alpha_hides_and_alpha_itself_are_not_compared(channels: int) -> None:
    first, second = pair(130, 24, channels)
    first[:, :, -1] = second[:, :, -1] = 255
    colours = slice(0, channels - 1)
    assert metrics.psnr_db(first, second) == pytest.approx(metrics.psnr_db(first[..., colours], second[..., colours]))
    first[:, 12:, -1] = 0
    seen = metrics.psnr_db(first[:, :12, colours], second[:, :12, colours])
    assert metrics.psnr_db(first, second) == pytest.approx(seen)
    second[:, :12, colours] = first[:, :12, colours]
    assert metrics.psnr_db(first, second) == math.inf
    assert metrics.ssim(first, second) == pytest.approx(1)


def test_unlike_pictures_cannot_be_compared() -> None:
    first, _ = pair(16, 24)
    with pytest.raises(ValueError, match="shapes"):
        metrics.psnr_db(first, first.T)
    with pytest.raises(ValueError, match="uint8"):
        metrics.ssim(first, first.astype(np.float32))
    with pytest.raises(ValueError, match="both uint8 or both uint16"):
        metrics.psnr_db(first, first.astype(np.uint16))


def test_bits_per_pixel() -> None:
    assert metrics.bpp(48, 24, 16) == 1
