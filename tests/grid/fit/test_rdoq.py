"""Moves of rounded latents: cells share a level out, moves that pay are found, and no sweep makes a file worse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.grid.fit.fit import fit as fit_grid
from fourcodec.grid.fit.latents import CpuSpace, PyramidFit
from fourcodec.grid.fit.rdoq import _OFFSETS, CELL, CORE, _Cells
from fourcodec.grid.fit.settings import GridSettings
from fourcodec.grid.kernels.layout import PASSES
from fourcodec.grid.profile import render
from fourcodec.grid.weights import GridWeights
from tests.support import oddities
from tests.support.grids import config_of, linear_picture
from tests.support.planes import planes_of

SIDES = st.integers(1, 20).map(lambda half: 2 * half)
WEIGHT = 300.0  # bits of a squared error


@given(SIDES, SIDES, st.sampled_from(_OFFSETS), st.sampled_from([0.5, 1.0, 2.0, 4.0]), st.integers(0, 3))
def test_cells_share_out_a_plane_of_any_resolution(
    rows: int, columns: int, offset: tuple[int, int], scale: float, missing: int
) -> None:
    if offset[0] >= rows or offset[1] >= columns:
        return
    cells, random = _Cells(rows, columns, offset), np.random.default_rng(rows)
    sides = (max(1, int(rows * scale) - missing), max(1, int(columns * scale) - missing))  # pictures end before levels
    plane = random.random(sides, np.float32)
    sums = cells.sums(plane, scale)
    assert sums.sum() == pytest.approx(plane.sum(), rel=1e-5)
    chosen = random.random(sums.shape) < 0.5
    spread = cells.spread(chosen, plane, scale)
    assert spread.shape == plane.shape
    assert plane[spread].sum() == pytest.approx(sums[chosen].sum(), rel=1e-5)


@given(SIDES, SIDES)
def test_every_latent_is_in_one_core_of_one_offset(rows: int, columns: int) -> None:
    found = np.zeros((PASSES, rows // 2, columns // 2), int)
    for offset in _OFFSETS:
        if offset[0] >= rows or offset[1] >= columns:
            continue
        left = np.ones(found.shape, np.float32)
        while True:
            places, values = _Cells(rows, columns, offset).largest_gain(left)
            at = tuple(index[values > 0] for index in places)
            if not at[0].size:
                break
            left[at] = 0
            found[at] += 1
    assert (found == 1).all()


def test_the_steepest_of_a_core_is_where_it_says() -> None:
    predicted_gain = np.random.default_rng(0).random((PASSES, 15, 9), np.float32)
    places, values = _Cells(30, 18, (CORE, 0)).largest_gain(predicted_gain)
    assert np.array_equal(predicted_gain[places], values)
    for row, column in np.ndindex(values.shape):
        top, left = (CORE + CELL * row) // 2, CELL * column // 2  # in planes of one latent in 2 x 2
        assert values[row, column] == predicted_gain[:, top : top + CORE // 2, left : left + CORE // 2].max()


class Fitted:
    """A short fit of a picture, whose latents may be changed and improved again under its weights."""

    def __init__(self, planes: np.ndarray) -> None:
        config = config_of(*planes.shape[1:], planes.shape[0])
        self.planes = planes
        self.picture = fit_grid(planes, config, GridSettings(60, 1e-3), seed=0, report=None)
        self.weights: GridWeights = self.picture.networks.weights
        self.pyramid = PyramidFit(config, CpuSpace(config), planes, None)

    def cost(self) -> float:
        squares = self.pyramid.squared_error(self.weights)
        return WEIGHT * squares + self.pyramid.latent_bits(self.weights.entropy_model)

    def improve_latents(self, number: int) -> None:
        self.pyramid.show_rounded()
        self.pyramid.gradient(self.weights, WEIGHT)
        self.pyramid.improve_latents(self.weights, WEIGHT, [number])


@pytest.fixture
def fitted() -> Fitted:
    return Fitted(planes_of(oddities.photo(45, 70)))


def test_no_sweep_makes_a_file_worse(fitted: Fitted) -> None:
    random = np.random.default_rng(1)
    fitted.pyramid.place(
        [some + random.integers(-1, 2, some.shape, np.int16) for some in fitted.picture.tiles[0]]
    )  # fmt: skip
    costs = [fitted.cost()]
    for number in [3, 2, 1, 0] * 4:
        fitted.improve_latents(number)
        costs.append(fitted.cost())
    assert max(np.diff(costs)) <= 0
    assert costs[-1] < 0.8 * costs[0]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_latent_that_is_off_is_put_back(number: int) -> None:
    """Of a picture that is exactly what its latents say, where an error costs far more than any latent. None of these
    levels reaches beyond the picture, where latents may become anything."""
    size = (48, 64)
    clean = linear_picture(size, 3)
    random = np.random.default_rng(2)
    latents = clean.tiles[0]
    for level in latents:
        level[:] = random.integers(-3, 4, level.shape)
    weights, spoilt = clean.networks.weights, [level.copy() for level in latents]
    pyramid = PyramidFit(clean.config, CpuSpace(clean.config), render(clean, size, "cpu"), None)
    at = tuple(side // 2 for side in spoilt[number].shape)
    spoilt[number][at] += 4
    pyramid.place(spoilt)
    for _ in range(8):
        pyramid.show_rounded()
        pyramid.gradient(weights, 1e5)
        pyramid.improve_latents(weights, 1e5, [number])
    for found, wanted in zip(pyramid.integers(), latents, strict=True):
        assert np.array_equal(found, wanted)


def test_costs_add_up_to_what_is_fitted(fitted: Fitted) -> None:
    fitted.pyramid.place(fitted.picture.tiles[0])
    fitted.pyramid.show_rounded()
    network, levels = fitted.pyramid.network, fitted.pyramid.config.pyramid.count
    errors, bits = network.costs(fitted.weights, fitted.planes, WEIGHT, range(levels))
    assert errors.shape == (45, 70)
    assert float(errors.sum() + bits.sum()) == pytest.approx(fitted.cost(), rel=1e-5)
    squares, expected, _ = fitted.pyramid.gradient(fitted.weights, WEIGHT)
    assert float(errors.sum()) == pytest.approx(WEIGHT * squares, rel=1e-5)
    pyramid = fitted.pyramid.config.pyramid
    shares = [[float(pyramid.view(plane, level).sum()) for plane in bits] for level in pyramid.levels]
    assert np.allclose(shares, expected, rtol=1e-4, atol=1e-3)
    assert float(bits.sum()) == pytest.approx(expected.sum(), rel=1e-5)  # nothing lies in margins
    fitted.pyramid.show_rounded()
    _, some = network.costs(fitted.weights, fitted.planes, WEIGHT, range(1, 3))
    for number, level in enumerate(pyramid.levels):
        wanted = pyramid.view(bits, level) if number in (1, 2) else 0
        assert np.array_equal(pyramid.view(some, level), np.broadcast_to(wanted, pyramid.view(some, level).shape))
