"""Where latents lie, and that no tap reaches what a decoder does not know yet."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.fourier.layout import BLOCK
from fourcodec.grid.kernels import latents as kernels
from fourcodec.grid.kernels.layout import PASS_COLUMN, PASS_ROW, PASSES, TAPS
from fourcodec.grid.pyramid import (
    GRANDPARENT,
    MARGIN,
    MAX_LEVELS,
    OWN_COUNT,
    OWN_TAPS,
    PARENT,
    PARENT_TAPS,
    PLANES,
    Pyramid,
    ancestor_count,
    level_count,
    pass_taps,
    taps_of,
)

sides = st.integers(1, 700)
counts = st.integers(1, MAX_LEVELS)
SIZES = [(1, 1, 1), (1, 40, 7), (40, 1, 9), (37, 50, 5), (512, 768, 7)]


@given(sides, sides, counts)
def test_sizes_are_halved_and_rounded_up_to_even_numbers(height: int, width: int, count: int) -> None:
    pyramid = Pyramid(height, width, count)
    assert len(pyramid.levels) == count
    for number, level in enumerate(pyramid.levels):
        for side, found in ((height, level.rows), (width, level.columns)):
            halved = (side + 2**number - 1) // 2**number
            assert found == halved + halved % 2
    assert pyramid.latent_count == sum(level.rows * level.columns for level in pyramid.levels)


@given(sides, sides, counts)
def test_each_level_covers_the_next_finer_one(height: int, width: int, count: int) -> None:
    """Upsampled, and as the entropy model sees it: a position for every 2 x 2 cell."""
    for fine, coarse in itertools.pairwise(Pyramid(height, width, count).levels):
        assert 2 * coarse.rows >= fine.rows
        assert 2 * coarse.columns >= fine.columns
        assert coarse.rows >= fine.half_rows
        assert coarse.columns >= fine.half_columns


@given(sides, sides, counts)
def test_levels_and_their_margins_lie_apart(height: int, width: int, count: int) -> None:
    """What a tap of one level may touch is no other level's, and inside the planes, even for positions that only fill
    the last block up."""
    pyramid, before = Pyramid(height, width, count), 0
    for level in pyramid.levels:
        assert level.base % BLOCK == level.end % BLOCK == 0
        assert level.end - level.base >= level.half_rows * level.stride
        assert level.stride >= level.half_columns + MARGIN
        assert level.base - level.reach >= before
        before = level.end + level.reach
        assert max(abs(taps_of(level)[1]).max(), 0) <= level.reach
    assert before <= pyramid.total
    assert pyramid.total % BLOCK == 0


@pytest.mark.parametrize("size", SIZES)
def test_views_and_mask_are_the_latents_alone(size: tuple[int, int, int]) -> None:
    pyramid = Pyramid(*size)
    mask = pyramid.mask()
    assert mask.shape == (pyramid.total,)
    assert 4 * int(mask.sum()) == pyramid.latent_count
    numbers = np.arange(pyramid.total, dtype=np.float32)
    for level in pyramid.levels:
        view = pyramid.view(numbers, level)
        assert view.shape == (level.half_rows, level.half_columns)
        assert view[-1, -1] == level.base + (level.half_rows - 1) * level.stride + level.half_columns - 1
        view[:] = -1
    assert ((numbers == -1) == (mask == 1)).all()


@pytest.mark.parametrize("size", SIZES)
def test_latents_are_dealt_to_their_passes_and_back(size: tuple[int, int, int]) -> None:
    pyramid = Pyramid(*size)
    planes, random = np.zeros((PLANES, pyramid.total), np.float32), np.random.default_rng(0)
    plain = [random.random((level.rows, level.columns), np.float32) for level in pyramid.levels]
    for level, values in zip(pyramid.levels, plain, strict=True):
        kernels.add_deinterleaved(values, level.base, level.stride, 0, level.half_rows, planes)
    for level, values in zip(pyramid.levels, plain, strict=True):
        for p in range(PASSES):
            assert np.array_equal(pyramid.view(planes[p], level), values[PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2])
        back = np.empty_like(values)
        kernels.interleave(planes, level.base, level.stride, 0, level.half_rows, back)
        assert np.array_equal(back, values)
    assert not planes[:, pyramid.mask() == 0].any()


def order_of(size: tuple[int, int, int]) -> tuple[Pyramid, list[np.ndarray]]:
    """For every latent the time at which it is decoded: level by level from the coarsest, pass by pass."""
    pyramid, times = Pyramid(*size), []
    for number, level in enumerate(pyramid.levels):
        time = np.empty((level.rows, level.columns), np.float32)
        for p in range(PASSES):
            time[PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2] = 1 + p + PASSES * (pyramid.count - 1 - number)
        times.append(time)
    return pyramid, times


@pytest.mark.parametrize("size", SIZES[1:4])
def test_every_tap_of_every_latent_is_decoded_before_it(size: tuple[int, int, int]) -> None:
    """By brute force: planes that hold the time of decoding in place of the latent, 0 where there is none."""
    pyramid, times = order_of(size)
    planes = np.zeros((PLANES, pyramid.total), np.float32)
    for number, level in enumerate(pyramid.levels):
        kernels.add_deinterleaved(times[number], level.base, level.stride, 0, level.half_rows, planes)
        for shift, coarser in enumerate(times[number + 1 :][: ancestor_count(number)]):
            kernels.place_coarser(
                coarser, shift, level.base, level.stride, level.half_rows, level.half_columns, planes[PARENT + shift]
            )
    for number, level in enumerate(pyramid.levels):
        tap_planes, tap_offsets = taps_of(level)
        for p, row, column in itertools.product(range(PASSES), range(level.half_rows), range(level.half_columns)):
            own, at = pyramid.view(planes[p], level)[row, column], level.base + row * level.stride + column
            assert own == 1 + p + PASSES * (pyramid.count - 1 - number)
            for plane, offset in zip(tap_planes[p], tap_offsets[p], strict=True):
                assert plane < 0 or planes[plane, at + offset] < own


@pytest.mark.parametrize("p", range(PASSES))
def test_taps_are_at_the_offsets_that_are_listed(p: int) -> None:
    """Planes of pixel coordinates: what a tap reads says how far away it lies. Here the level has no edge near."""
    level = Pyramid(40, 56, 1).levels[0]
    rows, columns = np.mgrid[0 : level.rows, 0 : level.columns].astype(np.float32)
    total = Pyramid(40, 56, 1).total
    planes = np.zeros((2, PLANES, total), np.float32)
    for plain, target in zip((rows, columns), planes, strict=True):
        kernels.add_deinterleaved(plain, level.base, level.stride, 0, level.half_rows, target)
    tap_planes, tap_offsets = taps_of(level)
    cell_row, cell_column = 9, 13
    at = level.base + cell_row * level.stride + cell_column
    found = [
        tuple(planes[:, plane, at + offset] - (2 * cell_row + PASS_ROW[p], 2 * cell_column + PASS_COLUMN[p]))
        for plane, offset in zip(tap_planes[p], tap_offsets[p], strict=True)
        if 0 <= plane < PASSES
    ]
    assert found == OWN_TAPS[p]


def test_taps_fit_and_are_no_two_the_same() -> None:
    for p, (planes, places) in enumerate(pass_taps()):
        assert len(planes) == len(places) == TAPS
        used = [tap for tap in zip(planes, places, strict=True) if tap[0] >= 0]
        assert len(set(used)) == len(used) == TAPS - 1
        assert 1 + len(PARENT_TAPS[p]) + 1 + len(OWN_TAPS[p]) == OWN_COUNT
        assert used[OWN_COUNT - 1 :] == [(plane, (0, 0)) for plane in range(GRANDPARENT + 1, PLANES)]
        assert all(plane < p or plane >= PARENT for plane, _ in used)
        assert all(abs(offset) <= MARGIN for _, place in used for offset in place)
        assert planes[0] == -1


@given(sides, sides)
def test_the_coarsest_level_is_one_cell_or_a_64th(height: int, width: int) -> None:
    count = level_count(height, width)
    assert 2 <= count <= MAX_LEVELS
    coarsest = Pyramid(height, width, count).levels[-1]
    assert count == 7 or (coarsest.rows, coarsest.columns) == (2, 2)


def test_large_pictures_have_one_level_more() -> None:
    assert level_count(1024, 1024) == 7
    assert level_count(1024, 1025) == 8
