"""Cells: weights that add up to 1, and inputs that one cell shares with a whole picture."""

import numpy as np
import pytest

from fourcodec.cells import Grid, most_samples, patches
from fourcodec.positions import PIXEL_CENTRES, lattice_positions
from fourcodec.views import Lattice, whole

LATTICES = [whole(23, 14), Lattice(3, 5, 11, 7, 22, 9), Lattice(0, 0, 23, 14, 5, 3)]


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
@pytest.mark.parametrize("grid", [Grid(1, 1), Grid(1, 4), Grid(3, 2), Grid(14, 23), Grid(2, 3, narrow=True)], ids=str)
def test_weights_of_all_cells_add_up_to_one(grid: Grid, lattice: Lattice) -> None:
    total, samples = np.zeros((lattice.rows, lattice.columns)), 0
    for patch in patches(lattice, (14, 23), grid):
        assert patch.weights.shape == total[patch.rows, patch.columns].shape
        assert patch.x.shape == (2, patch.weights.size)
        assert 0 <= patch.weights.min() <= patch.weights.max() <= 1
        total[patch.rows, patch.columns] += patch.weights
        samples += patch.weights.size
    assert np.abs(total - 1).max() < 1e-6
    assert samples <= most_samples(lattice, grid)


def test_strips_are_the_whole_cut_into_rows() -> None:
    lattice, grid = whole(23, 14), Grid(3, 2)
    uncut, cut = (list(patches(lattice, (14, 23), grid, most)) for most in (1 << 18, 40))
    for cell in range(grid.count):
        (one,) = [patch for patch in uncut if patch.cell == cell]
        strips = [patch for patch in cut if patch.cell == cell]
        assert len(strips) > 1
        assert np.array_equal(np.concatenate([strip.x for strip in strips], axis=1), one.x)
        assert np.array_equal(np.concatenate([strip.weights for strip in strips]), one.weights)
        assert (strips[0].rows.start, strips[-1].rows.stop) == (one.rows.start, one.rows.stop)


def test_one_cell_sees_what_a_network_of_a_whole_picture_sees() -> None:
    lattice = LATTICES[1]
    (patch,) = patches(lattice, (14, 23), Grid())
    assert np.array_equal(patch.x, lattice_positions(lattice, (14, 23), np.arange(lattice.count), PIXEL_CENTRES))
    assert (patch.weights == 1).all()


def test_a_cells_own_part_spans_half_a_period_of_its_longer_side() -> None:
    corner = {patch.cell: patch for patch in patches(whole(24, 8), (8, 24), Grid(2, 3))}[4]
    x = corner.x.reshape(2, *corner.weights.shape)[:, 4 - corner.rows.start :, 8 - corner.columns.start :]
    assert np.allclose(x[0, 0, :8], (np.arange(8) + 0.5) / 16)
    assert np.allclose(x[1, :4, 0], (np.arange(4) + 0.5) / 16)


def test_narrow_cells_overlap_by_an_eighth_of_a_cell() -> None:
    left, right = patches(whole(64, 8), (8, 64), Grid(1, 2, narrow=True))
    assert (left.columns, right.columns) == (slice(0, 34), slice(30, 64))
    assert (left.weights[:, :30] == 1).all()
    assert (right.weights[:, 4:] == 1).all()
    assert np.allclose(left.weights[0, 30:], [0.95703125, 0.68359375, 0.31640625, 0.04296875])


@pytest.mark.parametrize("cells", [(0, 1), (1, -1), (33, 32)])
def test_impossible_grids_are_refused(cells: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="1 to 1024 cells"):
        Grid(*cells)
