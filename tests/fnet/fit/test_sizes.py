"""The table that says which size of network is best."""

import pytest

from fourcodec.fnet.config import FnetConfig
from fourcodec.fnet.fit.sizes import (
    LARGEST_ALONE,
    LIMIT,
    SIDE_BY_SIDE,
    coefficient_count,
    laid_out,
    next_size,
    rows,
    size_for,
    size_for_bytes,
    with_order,
)


@pytest.mark.parametrize("pixels", [1, 1 << 14, 1 << 16, 768 * 512, 12_000_000])
@pytest.mark.parametrize("steps", [1, 400, 5000, 60000])
def test_every_picture_lambda_and_length_of_fit_has_a_size(pixels: int, steps: int) -> None:
    for rate_weight in (1e-7, 1e-4, 1e-3, 1e-2, 1.0):
        FnetConfig.of_size(size_for(rate_weight, pixels, steps), channels=3)


def test_what_was_measured_is_what_is_chosen() -> None:
    for row in rows():
        assert size_for(row.rate_weight, row.pixels, row.iterations) == row.size


def test_more_bytes_are_spent_on_more_coefficients() -> None:
    counts = [coefficient_count(size_for_bytes(size, 768 * 512, 5000)) for size in (1, 3000, 8000, 20_000, 10**9)]
    assert counts == sorted(counts)
    assert len(set(counts)) > 2


def test_many_bytes_are_spent_on_networks_side_by_side() -> None:
    sizes = [size_for_bytes(size, 768 * 512, 5000) for size in (3000, 20_000, 10**9)]
    assert [len(size) for size in sizes] == [3, 5, 5]
    assert sizes[-1] == SIDE_BY_SIDE[-1]


@pytest.mark.parametrize(
    ("cells", "picture", "expected"),
    [
        ((2, 3), (512, 768), (2, 3)),
        ((2, 3), (768, 512), (3, 2)),
        ((2, 2), (300, 1000), (1, 4)),
        ((2, 2), (1000, 300), (4, 1)),
        ((4, 6), (1, 5000), (1, 24)),
    ],
)
def test_cells_are_laid_out_to_be_about_square(
    cells: tuple[int, int], picture: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert laid_out((8, 6, 3, *cells), *picture) == (8, 6, 3, *expected)
    assert laid_out((8, 6, 3), *picture) == (8, 6, 3)
    assert laid_out((8, 6), *picture) == (8, 6)


def test_small_files_have_networks_of_fewer_bits_a_coefficient() -> None:
    assert size_for_bytes(2048, 256 * 256, 5000) == (7, 6, 3)
    bits = [8 * size / coefficient_count(size_for_bytes(size, 768 * 512, 5000)) for size in (1900, 2900, 4000, 7000)]
    assert bits[0] < 3.5
    assert all(3.5 < others < 6.5 for others in bits[1:])


def test_small_pictures_have_no_more_coefficients_than_samples() -> None:
    assert len(size_for_bytes(10**6, 40 * 40, 5000)) < 5
    assert len(size_for_bytes(10**6, 200 * 200, 5000)) == 5
    assert all(len(size_for(10**-power, 40 * 40, 5000)) < 5 for power in range(9))
    size = next_size((1, 1), 40 * 40, larger=True)
    while size is not None:
        assert len(size) < 5
        size = next_size(size, 40 * 40, larger=True)


def test_lambda_counts_per_pixel() -> None:
    large, small = max(row.pixels for row in rows()), 1 << 14
    assert size_for(4e-3, 4 * large, 5000) == size_for(1e-3, large, 5000)
    assert size_for(1e-3, 1, 5000) == size_for(1e-3, small, 5000)  # bits cost no more in smaller pictures


def test_sizes_follow_each_other_from_the_smallest_to_the_largest() -> None:
    alone = (row.size for row in rows() if coefficient_count(row.size) <= coefficient_count(LARGEST_ALONE))
    sizes = sorted({*alone, *SIDE_BY_SIDE}, key=coefficient_count)
    size, passed = sizes[0], [sizes[0]]
    while (following := next_size(size, 768 * 512, larger=True)) is not None:
        assert next_size(following, 768 * 512, larger=False) == size
        passed.append(size := following)
    assert sizes == passed
    assert next_size((10, 16), 768 * 512, larger=True) is None
    assert next_size((1, 1), 768 * 512, larger=True) == sizes[0]


@pytest.mark.parametrize("size", [(6, 6), (7, 5), (8, 6), (10, 16)])
def test_a_given_size_has_all_frequencies_where_bits_are_cheap(size: tuple[int, int]) -> None:
    for pixels in (1, 500 * 375, 12_000_000):
        assert with_order(size, None, pixels) == (*size, LIMIT)
        assert with_order(size, 1.0, pixels) == (*size, LIMIT)
        assert with_order(size, 1e-7, pixels) == size
        FnetConfig.of_size(with_order(size, None, pixels), channels=3)


@pytest.mark.parametrize("size", [(1, 1), (2, 6), (4, 6), (5, 5)])
def test_narrow_networks_have_all_frequencies(size: tuple[int, int]) -> None:
    for rate_weight in (None, 1.0, 1e-7):
        assert with_order(size, rate_weight, 768 * 512) == size
