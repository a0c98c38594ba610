"""Samples of pixels: one in each cell, and over successive samples even within a cell."""

import numpy as np
import pytest

from fourcodec.fnet.fit.sampling import PixelSamples

SIZES = [(64, 96), (1, 500), (500, 1), (3, 7), (1, 1)]


def samples_of(size: tuple[int, int], count: int, candidates: np.ndarray | None = None) -> PixelSamples:
    return PixelSamples(size, count, np.random.default_rng(0), candidates)


@pytest.mark.parametrize("size", SIZES)
def test_samples_are_pixels_of_the_picture(size: tuple[int, int]) -> None:
    samples = samples_of(size, 96)
    for _ in range(20):
        chosen = samples.next()
        assert chosen.min() >= 0
        assert chosen.max() < size[0] * size[1]


def test_a_sample_has_one_pixel_of_each_cell() -> None:
    samples = samples_of((64, 96), 96)  # cells of 8 x 8
    for _ in range(5):
        rows, columns = np.divmod(samples.next(), 96)
        assert np.array_equal(np.sort(rows // 8 * 12 + columns // 8), np.arange(96))


def test_successive_samples_cover_a_cell_evenly() -> None:
    """Independent samples would leave out a third of the pixels."""
    samples = samples_of((64, 96), 96)
    seen = np.bincount(np.concatenate([samples.next() for _ in range(64)]), minlength=64 * 96)
    assert np.mean(seen == 0) < 0.2
    assert seen.max() <= 4


def test_cells_have_origins_of_their_own() -> None:
    rows, columns = np.divmod(samples_of((64, 96), 96).next(), 96)
    assert len(set(zip(rows % 8, columns % 8, strict=True))) > 32


def test_a_part_of_a_sample_is_spread_over_the_picture() -> None:
    rows, columns = np.divmod(samples_of((640, 960), 9600).next()[:200], 960)
    assert abs(rows.mean() - 320) < 50
    assert abs(columns.mean() - 480) < 75


def test_candidates_alone_are_sampled_one_in_each_share() -> None:
    candidates = np.arange(0, 3000, 3)
    samples = samples_of((50, 60), 100, candidates)
    for _ in range(5):
        chosen = samples.next()
        assert set(chosen) <= set(candidates)
        assert np.array_equal(np.sort(chosen) // 30, np.arange(100))
    assert samples_of((50, 60), 5, np.array([7])).next().tolist() == [7] * 5


def test_equal_seeds_give_equal_samples() -> None:
    first, second = samples_of((64, 96), 96), samples_of((64, 96), 96)
    for _ in range(3):
        np.testing.assert_array_equal(first.next(), second.next())
