"""Matching finds what trying every single file finds."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from fourcodec.bench import baselines, matching
from fourcodec.bench.baselines import BASELINES, PeerSetting
from fourcodec.bench.matching import PeerFiles, Point, best_within, interpolated_psnr_db, smallest_reaching
from fourcodec.metrics import psnr_db
from tests.support.benches import picture


def flat(height: int, width: int) -> np.ndarray:
    """One colour, on which PSNR jumps up and down with the quality."""
    return np.full((height, width, 3), (90, 133, 201), np.uint8)


def was_a_jpeg(height: int, width: int) -> np.ndarray:
    """A decoded JPEG of quality 60: coded again at 60 it is far better than at 70."""
    buffer = io.BytesIO()
    Image.fromarray(picture(5, height, width)).save(buffer, "JPEG", quality=60)
    return baselines.decode(buffer.getvalue())


def every_file(pixels: np.ndarray, name: str) -> list[Point]:
    """Brute force: all variants at all qualities."""
    baseline, image = BASELINES[name], Image.fromarray(pixels)
    rgb = np.asarray(image.convert("RGB"))
    points = []
    for variant in baseline.variants:
        for quality in range(1 if name == "jpeg" else 0, 101):
            setting = PeerSetting(variant, quality)
            data = baselines.make(baseline, image, setting)
            points.append(Point(setting, len(data), psnr_db(rgb, baselines.decode(data))))
    return points


def assert_matches_brute_force(pixels: np.ndarray, name: str) -> None:
    files, everything = PeerFiles(pixels, BASELINES[name]), every_file(pixels, name)
    sizes = sorted({point.size_bytes for point in everything})
    for size in [*sizes[:: max(1, len(sizes) // 12)], sizes[-1], sizes[len(sizes) // 2] + 1, 10**9]:
        fitting = [point for point in everything if point.size_bytes <= size]
        best = max(point.psnr_db for point in fitting)
        found = best_within(files, size)
        assert found is not None
        assert (found.psnr_db, found.size_bytes) == (
            best,
            min(point.size_bytes for point in fitting if point.psnr_db == best),
        )
    for wanted in sorted({point.psnr_db for point in everything})[:: max(1, len(sizes) // 12)]:
        smallest = min(point.size_bytes for point in everything if point.psnr_db >= wanted)
        found = smallest_reaching(files, wanted)
        assert found is not None
        assert found.size_bytes == smallest
    assert best_within(files, sizes[0] - 1) is None
    best_psnr = max(point.psnr_db for point in everything)
    if math.isfinite(best_psnr):
        assert smallest_reaching(files, best_psnr + 0.01) is None


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("pixels", [picture(3, 24, 40), flat(24, 40)], ids=["picture", "flat"])
def test_the_match_is_the_best_of_all_files_of_a_small_picture(pixels: np.ndarray, name: str) -> None:
    assert_matches_brute_force(pixels, name)


@pytest.mark.parametrize("make", [picture, flat, was_a_jpeg])
def test_stopping_early_misses_nothing_on_larger_pictures(make) -> None:
    pixels = make(4, 136, 144) if make is picture else make(136, 144)
    assert pixels.shape[0] * pixels.shape[1] >= matching.SMALL_PIXELS
    assert_matches_brute_force(pixels, "jpeg")


def test_a_small_target_does_not_cost_every_quality() -> None:
    files = PeerFiles(picture(4, 136, 144), BASELINES["jpeg"])
    size = files.point(PeerSetting(BASELINES["jpeg"].variants[0], 10)).size_bytes
    best_within(files, size)
    assert len(files._points) < 150  # of 400


def test_grey_pictures_are_matched_as_grey_files() -> None:
    grey = picture(3, 24, 40)[:, :, 0]
    files = PeerFiles(grey, BASELINES["jpeg"])
    found = best_within(files, 700)
    assert found is not None
    with Image.open(io.BytesIO(baselines.make(files.baseline, files.image, found.setting))) as image:
        assert image.mode == "L"


def test_interpolation_is_linear_in_log_rate_and_never_leaves_the_curve() -> None:
    files = PeerFiles(picture(3, 40, 56), BASELINES["webp"])
    points = [files.point(PeerSetting(BASELINES["webp"].variants[0], quality)) for quality in range(101)]
    below, above = points[30], next(point for point in points[31:] if point.size_bytes > points[30].size_bytes)
    assert interpolated_psnr_db(files, below.size_bytes) == below.psnr_db
    for size in range(below.size_bytes + 1, above.size_bytes):
        share = math.log(size / below.size_bytes) / math.log(above.size_bytes / below.size_bytes)
        expected = below.psnr_db + share * (above.psnr_db - below.psnr_db)
        assert interpolated_psnr_db(files, size) == pytest.approx(expected)
    sizes = [point.size_bytes for point in points]
    assert interpolated_psnr_db(files, min(sizes) - 1) is None
    assert interpolated_psnr_db(files, max(sizes) + 1) is None


def test_every_label_leads_back_to_its_setting() -> None:
    for baseline in BASELINES.values():
        for variant in baseline.variants:
            setting = PeerSetting(variant, 12 if 12 in baseline.qualities else baseline.qualities[3])
            assert baselines.setting_of(baseline, setting.label) == setting
