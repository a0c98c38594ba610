"""Tiles cover a picture once, whatever its size, and are never narrow where that can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.grid.tiling import MAX_TILES, TILED_PIXELS, UNIT, Tiling, tile_side
from fourcodec.grid.windows import Window


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 4), st.integers(0, 6))
def test_tiles_cover_every_sample_once_at_every_reduction(height: int, width: int, units: int, reduction: int) -> None:
    tiling, step = Tiling(height, width, UNIT * units), 2**reduction
    count = np.zeros((-(-height // step), -(-width // step)), int)
    for number in range(tiling.count):
        count[tiling.tile(number, reduction).slices] += 1
    assert (count == 1).all()


@given(st.data())
def test_a_window_touches_the_tiles_that_it_shares_samples_with(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 500)), data.draw(st.integers(1, 500))
    tiling = Tiling(height, width, UNIT)
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    window = Window(top, left, data.draw(st.integers(top + 1, height)), data.draw(st.integers(left + 1, width)))
    owner = np.empty((height, width), int)
    for number in range(tiling.count):
        owner[tiling.tile(number).slices] = number
    assert tiling.touched(window) == sorted(set(owner[window.slices].ravel().tolist()))


@given(st.integers(1, 40000), st.integers(1, 40000))
def test_encoders_choose_sides_that_a_file_may_have(height: int, width: int) -> None:
    side = tile_side(height, width)
    assert (side == 0) == (height * width <= TILED_PIXELS)
    if side:
        assert side % UNIT == 0
        assert Tiling(height, width, side).count <= MAX_TILES


@pytest.mark.parametrize(("height", "width"), [(3000, 4000), (5184, 3456), (2160, 3840), (2049, 2048), (9000, 8000)])
def test_no_tile_of_a_usual_picture_is_narrow(height: int, width: int) -> None:
    tiling = Tiling(height, width, tile_side(height, width))
    last = tiling.tile(tiling.count - 1)
    assert min(last.rows, last.columns) > tiling.side / 2
