"""Fits from coarse to fine: smaller pictures, and what the next fit takes from them."""

import numpy as np
import pytest

from fourcodec.grid.fit.coarse import HALVINGS, SHARES, Stage, halved, stages_for
from fourcodec.grid.fit.fit import _Fit
from fourcodec.grid.fit.fit import fit as fit_grid
from fourcodec.grid.fit.settings import GridSettings
from fourcodec.optimisation.progress import Progress
from fourcodec.optimisation.settings import rate_weight_of
from tests.support import oddities
from tests.support.grid_fits import RATE_WEIGHT
from tests.support.grids import config_of
from tests.support.planes import planes_of


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5), (4, 6), (7, 9), (64, 33)])
def test_a_picture_at_half_its_size_has_the_means_of_its_pixels(height: int, width: int) -> None:
    planes = np.random.default_rng(0).random((3, height, width), np.float32)
    small, _ = halved(planes, None, 1)
    assert small.shape == (3, -(-height // 2), -(-width // 2))
    assert small.dtype == np.float32
    for row, column in [(0, 0), (small.shape[1] - 1, small.shape[2] - 1)]:
        rows, columns = (np.minimum([2 * at, 2 * at + 1], side - 1) for at, side in ((row, height), (column, width)))
        wanted = planes[:, rows][:, :, columns].mean(axis=(1, 2))
        np.testing.assert_allclose(small[:, row, column], wanted, rtol=1e-6)


def test_halving_twice_is_halving_by_turns() -> None:
    planes = np.random.default_rng(0).random((1, 21, 30), np.float32)
    np.testing.assert_array_equal(halved(planes, None, 2)[0], halved(halved(planes, None, 1)[0], None, 1)[0])
    assert halved(planes, None, 0)[0] is planes


def test_pixels_that_do_not_count_have_no_part_in_means() -> None:
    random = np.random.default_rng(0)
    planes, weights = random.random((3, 6, 8), np.float32), np.ones((6, 8), np.float32)
    weights[:3, :5] = 0
    other = np.where(weights > 0, planes, random.random(planes.shape, np.float32))
    (one, seen), (two, _) = halved(planes, weights, 1), halved(other, weights, 1)
    assert seen is not None
    np.testing.assert_array_equal(seen[:2, :3], [[0, 0, 0.5], [0.5, 0.5, 0.75]])
    np.testing.assert_array_equal(one[:, seen > 0], two[:, seen > 0])
    np.testing.assert_allclose(one[:, 1, 0], planes[:, 3, :2].mean(axis=1), rtol=1e-6)


def test_stages_follow_each_other_and_small_pictures_have_one() -> None:
    stages = stages_for(config_of(400, 300, 3, levels=7), 100, 1e-3)
    assert [stage.halvings for stage in stages] == list(range(HALVINGS, -1, -1))
    assert [stage.begin for stage in stages] == pytest.approx([0, *np.cumsum(SHARES[::-1])])
    assert [stage.end for stage in stages] == [*(stage.begin for stage in stages[1:]), 1]
    assert [stage.work for stage in stages] == sorted(stage.work for stage in stages)
    for height, width, levels in [(1, 1, 1), (60, 60, 6), (1, 20000, 7), (400, 300, 3)]:
        assert stages_for(config_of(height, width, 3, levels=levels), 100, 1e-3) == [Stage()]
    for iterations, quality in [(501, 45), (301, 70)]:
        config = config_of(400, 300, 3, levels=7)
        assert stages_for(config, iterations, rate_weight_of(quality)) == [Stage()]
    middle = stages_for(config_of(100, 90, 3, levels=7), 100, 1e-3)
    assert [stage.halvings for stage in middle] == [1, 0]
    assert middle[1].begin == SHARES[0]


@pytest.mark.parametrize(("height", "width", "channels", "tiles"), [(66, 75, 3, 0), (80, 70, 1, 0), (100, 130, 3, 1)])
def test_a_fit_begins_with_the_picture_of_the_coarser_one(height: int, width: int, channels: int, tiles: int) -> None:
    """The whole picture's first error is about that of the coarser fit, plus what its smaller size cannot show."""
    planes = planes_of(oddities.photo(height, width))[:channels]
    config = config_of(height, width, channels, levels=5, tiles=tiles, smooth=True)
    settings = GridSettings(100, RATE_WEIGHT)
    coarse = _Fit(planes, config, settings, 0, stage=Stage(1, 0.0, 0.5))
    for _ in range(60):
        error = coarse._iterate(0.0) / coarse._size
    whole = _Fit(planes, config, settings, 0)
    first = whole._iterate(0.0) / planes.size
    begun = _Fit(planes, config, settings, 0)
    begun.take(coarse)
    taken = begun._iterate(0.0) / planes.size
    small, _ = halved(planes, None, 1)
    missing = np.square(np.repeat(np.repeat(small, 2, 1), 2, 2)[:, :height, :width] - planes).mean()
    assert taken < 1.3 * (error + missing)
    assert taken < first / 2


def test_progress_names_the_size_and_counts_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Progress] = []
    monkeypatch.setattr("fourcodec.grid.fit.clock.REPORT_SECONDS", -1.0)
    planes = planes_of(oddities.photo(130, 140))
    fit_grid(planes, config_of(130, 140, 3, levels=7), GridSettings(12, 1e-2), seed=0, report=seen.append)
    names = [one.stage for one in seen]
    assert list(dict.fromkeys(names)) == ["at 1:4", "at 1:2", "", "quantising", "RDOQ"]
    assert seen[-1].stage == ""
    assert [one.iteration for one in seen] == sorted(one.iteration for one in seen)
    assert seen[-1].iteration == seen[-1].iterations == 12
    assert all(np.isfinite(one.psnr_db) for one in seen)
