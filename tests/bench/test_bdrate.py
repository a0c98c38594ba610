"""BD-rates, where there are any, and MS-SSIM."""

import math

import numpy as np
import pytest

from fourcodec import metrics
from fourcodec.bench.bdrate import bd_rate, rising
from tests.support.benches import picture

JPEG = [(0.1 * 2**step, 24 + 3.0 * step) for step in range(6)]


def test_half_the_rate_at_every_quality_is_minus_fifty_percent() -> None:
    rate = bd_rate(JPEG, [(bpp / 2, quality) for bpp, quality in JPEG])
    assert rate.percent == pytest.approx(-50)
    assert rate.overlap == 1


def test_the_overlap_is_the_share_of_the_tested_curve() -> None:
    tested = [(bpp, quality + 6) for bpp, quality in JPEG]  # 30..45 dB, of which the reference reaches 39
    assert bd_rate(JPEG, tested).overlap == pytest.approx(9 / 15)


def test_curves_without_overlap_have_no_rate_but_a_reason() -> None:
    rate = bd_rate(JPEG, [(bpp, quality + 50) for bpp, quality in JPEG])
    assert rate.percent is None
    assert rate.why_not == "the curves do not overlap in PSNR"
    assert bd_rate(JPEG, JPEG[:2]).why_not == "fewer than 3 points"


def test_points_that_cost_more_for_less_are_left_out() -> None:
    points = [(0.4, 30.0), (0.2, 28.0), (0.3, 27.0), (0.5, None), (None, 31.0), (0.6, 33.0)]
    assert rising(points) == [(0.2, 28.0), (0.4, 30.0), (0.6, 33.0)]


def test_ms_ssim_is_the_library_s_mean_over_channels() -> None:
    import torch
    from pytorch_msssim import ms_ssim

    first = picture(1, 170, 180)
    second = np.clip(first.astype(int) + np.random.default_rng(0).normal(0, 20, first.shape), 0, 255).astype(np.uint8)
    pair = [torch.from_numpy(one.astype(np.float32)).permute(2, 0, 1)[None] for one in (first, second)]
    threads = torch.get_num_threads()
    value = metrics.ms_ssim(first, second)
    assert value == pytest.approx(float(ms_ssim(*pair, data_range=255)), abs=1e-6)
    assert torch.get_num_threads() == threads
    assert metrics.ms_ssim(first, first) == pytest.approx(1)


@pytest.mark.parametrize(("name", "best"), [("ssimulacra2", 100), ("flip", 0)])
def test_visual_metrics_know_a_copy_from_a_worse_one(name: str, best: float) -> None:
    if not metrics.installed(name):
        pytest.skip(f"{name} is not installed")
    measure, random = getattr(metrics, name), np.random.default_rng(0)
    for shape in ((40, 56), (40, 56, 2), (40, 56, 3), (40, 56, 4)):
        for depth in (np.uint8, np.uint16):
            unit = np.iinfo(depth).max // 255
            first = random.integers(60, 200, shape).astype(depth) * depth(unit)
            worse = first + random.integers(0, 30, shape).astype(depth) * depth(unit)
            if len(shape) == 3 and shape[2] in (2, 4):
                worse[..., -1] = first[..., -1] = np.iinfo(depth).max
            assert measure(first, first) == pytest.approx(best, abs=1e-3)
            assert abs(measure(first, worse) - best) > 0.01


def test_visual_metrics_that_are_not_there_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "installed", lambda name: False)
    picture = np.zeros((20, 20, 3), np.uint8)
    assert metrics.ssimulacra2(picture, picture) is None
    assert metrics.flip(picture, picture) is None


def test_ms_ssim_needs_161_pixels_and_takes_grey() -> None:
    grey = picture(1, 161, 170)[:, :, 0]
    value = metrics.ms_ssim(grey, grey)
    assert value is not None
    assert math.isclose(value, 1, abs_tol=1e-6)
    assert metrics.ms_ssim(grey[:160], grey[:160]) is None
