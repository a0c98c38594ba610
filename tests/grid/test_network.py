"""The grid's network: values and gradients against plain torch in float64, and nothing depends on threads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from fourcodec.grid import gradient as grid_gradient
from fourcodec.grid.config import GridConfig
from fourcodec.grid.entropy_model import split
from fourcodec.grid.gradient import GridGradient
from fourcodec.grid.kernels.layout import HIDDEN, PASS_COLUMN, PASS_ROW, PASSES
from fourcodec.grid.network import GridNetwork
from fourcodec.grid.weights import BICUBIC, UNUSED, GridWeights
from tests.support import reference_grid
from tests.support.grid_problems import CONFIGS, DISTORTION, EDGES, SCALE, Problem, problem_of, random_weights
from tests.support.grids import config_of
from tests.support.reference import double, largest_error


@dataclass
class Exact:
    """The reference's values, with gradients of DISTORTION * squares + bits behind them."""

    levels: list[torch.Tensor]
    weights: list[torch.Tensor]  # entropy_model, first, last, filters, kernel, smoothing
    features: torch.Tensor
    picture: torch.Tensor
    squares: torch.Tensor
    bits: torch.Tensor


def exact_of(problem: Problem) -> Exact:
    levels = [double(level) for level in problem.levels]
    weights = [double(part) for part in problem.weights.parts()]
    entropy_model, first, last, filters, kernel, smoothing = weights
    features = reference_grid.features_of(levels, filters, smoothing)
    size = problem.target.shape[1:]
    picture = reference_grid.colours_of(features, first, last, kernel, SCALE, problem.config.order, size)
    squares = (picture - double(problem.target)).square().sum()
    bits = reference_grid.bits_of(levels, entropy_model)
    (DISTORTION * squares + bits.sum()).backward()
    return Exact(levels, weights, features, picture, squares, bits)


def plain_gradients(network: GridGradient) -> list[np.ndarray]:
    """The gradients by the latents, (rows, columns) a level."""
    found = []
    for level in network.pyramid.levels:
        plain = np.empty((level.rows, level.columns), np.float32)
        for p in range(PASSES):
            plain[PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2] = network.pyramid.view(network.latent_gradients[p], level)
        found.append(plain)
    return found


def assert_near(found: Sequence[np.ndarray], wanted: Sequence[torch.Tensor], share: float) -> None:
    for name, (a, b) in enumerate(zip(found, wanted, strict=True)):
        if a.size:
            assert b.grad is not None
            assert largest_error(a, b.grad) < share, f"part {name}"


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.height}x{config.width}")
def test_values_and_gradients_equal_the_formulas(config: GridConfig) -> None:
    problem = problem_of(config)
    network, exact = problem.network(), exact_of(problem)
    squares, bits, gradients = network.gradient(problem.weights, problem.target, DISTORTION)
    assert largest_error(network.features[0], exact.features) < 1e-6
    assert largest_error(network.synthesise(problem.weights), exact.picture) < 1e-5
    assert squares == pytest.approx(float(exact.squares.detach()), rel=1e-5)
    assert largest_error(bits, exact.bits) < 1e-5
    assert_near(plain_gradients(network), exact.levels, 1e-5)
    assert_near(gradients.parts(), exact.weights, 1e-5)


def test_gradients_of_the_entropy_model_are_right_part_by_part() -> None:
    """The largest of all would hide the small."""
    problem = problem_of(config_of(70, 97, 3, levels=7))
    exact, network = exact_of(problem), problem.network()
    found = network.gradient(problem.weights, problem.target, DISTORTION)[2].entropy_model
    assert exact.weights[0].grad is not None
    parts, wanted = split(found), split(exact.weights[0].grad)
    for name in ("first", "second", "last", "maps"):
        for own, exact_own in zip(getattr(parts, name), getattr(wanted, name), strict=True):
            assert largest_error(own, exact_own) < 2e-5, name
    for level, (own, exact_own) in enumerate(zip(parts.maps, wanted.maps, strict=True)):
        assert not own[7 - level :].any()  # levels that there are not
        for row, exact_row in zip(own[: 7 - level], exact_own, strict=False):
            assert largest_error(row, exact_row) < 2e-5
    for columns in (slice(HIDDEN), slice(HIDDEN, None)):
        assert largest_error(parts.mixing[:, columns], wanted.mixing[:, columns]) < 2e-5


def test_gradients_by_weights_may_be_estimated_from_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid_gradient, "_FEWEST_SAMPLED", 0)
    problem = problem_of(config_of(120, 160, 3, levels=3))
    network, turns = problem.network(), 128

    def found(turn: int | None) -> tuple[float, np.ndarray, np.ndarray, GridWeights]:
        squares, bits, gradients = network.gradient(problem.weights, problem.target, DISTORTION, turn=turn)
        return squares, bits, network.latent_gradients.copy(), gradients

    squares, bits, by_latents, exact = found(None)
    sums = problem.weights.zeros()
    for turn in range(turns):
        *others, sampled = found(turn)
        assert others[0] == squares
        assert np.array_equal(others[1], bits)
        assert np.array_equal(others[2], by_latents)
        assert not np.array_equal(sampled.first, exact.first)
        assert np.array_equal(sampled.filters, exact.filters)
        for total, part in zip(sums.parts(), sampled.parts(), strict=True):
            total += part / turns
    # An estimate from a quarter of the blocks has a deviation of about its own size; so many have a tenth of that.
    for name in ("first", "last", "entropy_model"):
        mean, wanted = getattr(sums, name), getattr(exact, name)
        assert np.linalg.norm(mean - wanted) < 0.2 * np.linalg.norm(wanted), name


@pytest.mark.parametrize("size", EDGES)
def test_gradients_of_pictures_of_one_row_or_column_are_right(size: tuple[int, int]) -> None:
    problem = problem_of(config_of(*size, 1, levels=2))
    network, exact = problem.network(), exact_of(problem)
    _, _, gradients = network.gradient(problem.weights, problem.target, DISTORTION)
    assert_near(plain_gradients(network), exact.levels, 1e-5)
    assert_near(gradients.parts(), exact.weights, 1e-5)


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (10_000, 2)])
def test_thin_pictures_take_no_more_pieces_of_work_than_others(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of 20,000 pixels once had 1250 pieces of 16 pixels, each of which took less than its call."""

    def pieces_of(height: int, width: int) -> int:
        counts: list[int] = []
        original = GridNetwork.map

        def counting(network: GridNetwork, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
            listed = list(items)
            counts.append(len(listed))
            return original(network, function, listed)

        problem = problem_of(config_of(height, width, 1, levels=7, smooth=True))
        network = problem.network()
        with monkeypatch.context() as patch:
            patch.setattr(GridNetwork, "map", counting)
            network.gradient(problem.weights, problem.target, DISTORTION)
        return sum(counts)

    assert pieces_of(*size) < 5 * pieces_of(125, 160)


def test_a_single_level_needs_no_upsampling() -> None:
    problem = problem_of(config_of(9, 14, 1, levels=1))
    network, exact = problem.network(), exact_of(problem)
    _, _, gradients = network.gradient(problem.weights, problem.target, DISTORTION)
    assert_near(plain_gradients(network), exact.levels, 1e-5)
    assert_near(gradients.parts(), exact.weights, 1e-5)


def test_squared_error_and_bits_alone_are_those_of_the_gradient() -> None:
    problem = problem_of(CONFIGS[0])
    network = problem.network()
    squares, bits, _ = network.gradient(problem.weights, problem.target, DISTORTION)
    assert network.squared_error(problem.weights, problem.target) == squares
    found = network.latent_bits(problem.weights.entropy_model)
    assert found == pytest.approx(bits.sum(), rel=1e-7)  # two kernels, summed in float64 and in blocks of float32


@pytest.mark.parametrize("threads", [2, 4])
def test_nothing_depends_on_the_number_of_threads(threads: int) -> None:
    problem = problem_of(CONFIGS[-1])
    one, several = problem.network(1), problem.network(threads)
    a = one.gradient(problem.weights, problem.target, DISTORTION)
    b = several.gradient(problem.weights, problem.target, DISTORTION)
    assert a[0] == b[0]
    assert np.array_equal(a[1], b[1])
    assert np.array_equal(a[2].flat(), b[2].flat())
    assert np.array_equal(one.latent_gradients, several.latent_gradients)
    assert np.array_equal(one.synthesise(problem.weights), several.synthesise(problem.weights))


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("size", [*EDGES, (33, 50)])
def test_rendering_from_integers_equals_rendering_from_planes(size: tuple[int, int], smooth: bool) -> None:
    """What a decoder does, with a network that has no gradients."""
    problem = problem_of(config_of(*size, smooth=smooth))
    problem.levels = [np.rint(level) for level in problem.levels]
    fitted = problem.network()
    fitted.spread(problem.weights)
    decoder = GridNetwork(problem.config.pyramid, problem.config.shape, SCALE, 1)
    decoder.place([level.astype(np.int16) for level in problem.levels])
    decoder.upsample(problem.weights)
    picture = decoder.synthesise(problem.weights)
    assert picture.shape == (3, *size)
    assert np.array_equal(picture, fitted.synthesise(problem.weights))


def test_a_second_step_starts_from_nothing() -> None:
    problem = problem_of(CONFIGS[2])
    network = problem.network()
    first = network.gradient(problem.weights, problem.target, DISTORTION)
    latent_gradients = network.latent_gradients.copy()
    second = network.gradient(problem.weights, problem.target, DISTORTION)
    assert first[0] == second[0]
    assert np.array_equal(first[2].flat(), second[2].flat())
    assert np.array_equal(latent_gradients, network.latent_gradients)


def test_the_flat_order_is_inverted() -> None:
    shape = config_of(16, 24, 3, levels=4).shape
    weights = random_weights(shape, np.random.default_rng(0))
    assert np.array_equal(shape.weights(weights.flat()).flat(), weights.flat())
    assert [part.shape for part in weights.parts()] == list(shape.shapes)
    assert weights.flat().size == shape.groups.size
    assert set(shape.groups) == {*range(shape.group_count), UNUSED}


def test_upsampling_a_constant_gives_the_constant() -> None:
    assert float(BICUBIC.sum()) == 1
    problem = problem_of(config_of(21, 9, 1, levels=3))
    network = GridNetwork(problem.config.pyramid, problem.config.shape, SCALE, 1)
    network.place([np.full((level.rows, level.columns), 3, np.int16) for level in network.pyramid.levels])
    network.upsample(problem.config.shape.weights(problem.config.shape.base))
    assert np.abs(network.features[0] - 3).max() < 1e-6
