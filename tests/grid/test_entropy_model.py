"""The entropy model's parameters: the networks that they stand for, in floats and in integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.grid.entropy_model import FEATURES, SIZE, integer_networks, networks, networks_gradient, split
from fourcodec.grid.kernels.entropy_model_integer import MAX_SHIFT
from fourcodec.grid.kernels.layout import HIDDEN, MAX_WEIGHT, PASS_WEIGHTS, PASSES, TAPS, W1, W2, W3
from fourcodec.grid.pyramid import ANCESTORS, FEATURED, OWN_COUNT, PARENT, pass_taps

PARTS = ("first", "second", "last", "maps", "mixing")
LEVELS = st.sampled_from([1, 2, 3, 5, 9])


def random_vector(seed: int, size: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, SIZE)


def test_the_parts_share_out_the_vector() -> None:
    vector = np.zeros(SIZE)
    for part in split(vector):
        assert not part.any()
        part += 1
    assert (vector == 1).all()
    assert split(vector).maps.shape == (FEATURED, 1 + ANCESTORS, FEATURES)


@given(LEVELS, st.integers(0, 9))
def test_without_maps_every_level_has_the_network_of_the_pass(levels: int, seed: int) -> None:
    vector = random_vector(seed)
    parameters = split(vector)
    parameters.maps[:] = 0
    found = networks(vector, levels)
    assert found.shape == (levels, PASSES, PASS_WEIGHTS)
    assert (found == found[0]).all()
    for p, own in enumerate(found[0]):
        first, last = own[W1:W2].reshape(TAPS, HIDDEN), own[W3:].reshape(HIDDEN + TAPS, 2)
        assert np.array_equal(first[:OWN_COUNT], parameters.first[p])
        assert np.array_equal(own[W2:W3].reshape(HIDDEN + 1, HIDDEN), parameters.second[p])
        assert np.array_equal(last[: HIDDEN + OWN_COUNT], parameters.last[p])
        assert not first[OWN_COUNT:].any()
        assert not last[HIDDEN + OWN_COUNT :].any()


def test_features_are_of_the_constant_and_of_coarser_levels_at_the_same_place() -> None:
    """And only on the finest levels: what each row of a map changes are the weights of one tap."""
    for level in range(FEATURED):
        for row in range(1 + ANCESTORS):
            vector = np.zeros(SIZE)
            parameters = split(vector)
            parameters.maps[level, row], parameters.mixing[:] = 1, 1
            found = networks(vector, 5)
            assert not np.delete(found, level, axis=0).any()
            tap = (-1, (0, 0)) if row == 0 else (PARENT + row - 1, (0, 0))
            for p, own in enumerate(found[level]):
                seen = own[W1:W2].reshape(TAPS, HIDDEN).any(axis=1)
                assert np.array_equal(seen, own[W3:].reshape(HIDDEN + TAPS, 2)[HIDDEN:].any(axis=1))
                (at,) = np.nonzero(seen)
                assert [*zip(*pass_taps()[p], strict=True)][int(at.item())] == tap


@pytest.mark.parametrize("part", PARTS)
@given(LEVELS, st.integers(0, 9))
def test_the_gradient_is_the_adjoint_of_the_derivative(part: str, levels: int, seed: int) -> None:
    """Networks are of the second degree in the parameters, so a central difference is the derivative itself."""
    random, vector = np.random.default_rng(seed), random_vector(seed + 1)
    direction = np.zeros(SIZE)
    of_part = getattr(split(direction), part)
    of_part[:] = random.normal(0, 1, of_part.shape)
    gradient = random.normal(0, 1, (levels, PASSES, PASS_WEIGHTS))
    derivative = (networks(vector + direction, levels) - networks(vector - direction, levels)) / 2
    found = networks_gradient(vector, gradient)
    assert found.shape == (SIZE,)
    assert found @ direction == pytest.approx((gradient * derivative).sum(), rel=1e-9, abs=1e-9)


def shifts_of_weights(shifts: tuple[int, ...]) -> np.ndarray:
    """The shift of each weight of a network, (PASS_WEIGHTS,)."""
    found = np.full(PASS_WEIGHTS, shifts[1])
    found[W1:W2], found[W3::2], found[W3 + 1 :: 2] = shifts[0], shifts[2], shifts[3]
    return found


def with_shifts(integers: np.ndarray, shifts: tuple[int, ...]) -> np.ndarray:
    """The parameters that the integers stand for, float64."""
    vector = integers.astype(np.float64)
    parameters = split(vector)
    for part, shift in ((parameters.first, 0), (parameters.second, 1), (parameters.maps, 4), (parameters.mixing, 5)):
        part[:] = np.ldexp(part, -shifts[shift])
    parameters.last[:] = np.ldexp(parameters.last, [-shifts[2], -shifts[3]])
    return vector


# of first, second, means, scales, maps and mixing: products that are rounded, products that need no rounding, and both
SHIFTS = [(9, 8, 7, 10, 9, 11), (20, 20, 20, 20, 3, 5), (6, 0, 12, 9, 4, 5), (0, 0, 0, 0, 20, 20), (20, 5, 20, 0, 0, 0)]


@pytest.mark.parametrize("size", [3.0, 300.0, 10000.0])
@pytest.mark.parametrize("shifts", SHIFTS, ids=str)
def test_integers_are_the_floats_rounded_and_clamped(shifts: tuple[int, ...], size: float) -> None:
    assert max(shifts) <= MAX_SHIFT
    integers = np.rint(random_vector(3, size)).clip(-MAX_WEIGHT, MAX_WEIGHT).astype(np.int64)
    found = integer_networks(integers, shifts, 5)  # type: ignore[arg-type]
    exact = np.ldexp(networks(with_shifts(integers, shifts), 5), shifts_of_weights(shifts))
    assert np.array_equal(found, np.floor(exact + 0.5).clip(-MAX_WEIGHT, MAX_WEIGHT))
    inside = np.abs(exact) < MAX_WEIGHT
    assert np.abs(found - exact)[inside].max() <= 0.5
    assert found.dtype == np.int64


@pytest.mark.parametrize(("shifts", "rounds"), [(SHIFTS[0], True), (SHIFTS[1], False)], ids=str)
def test_products_are_rounded_where_their_unit_is_finer_than_that_of_the_weight(
    shifts: tuple[int, ...], rounds: bool
) -> None:
    integers = np.rint(random_vector(3, 30.0)).astype(np.int64)
    exact = np.ldexp(networks(with_shifts(integers, shifts), 5), shifts_of_weights(shifts))
    assert (np.rint(exact) != exact).any() == rounds


def test_sums_beyond_what_a_weight_may_be_are_clamped() -> None:
    integers = np.zeros(SIZE, np.int64)
    parameters = split(integers)
    for sign in (-1, 1):
        parameters.maps[:], parameters.mixing[:] = sign * MAX_WEIGHT, MAX_WEIGHT
        found = integer_networks(integers, (MAX_SHIFT,) * 4 + (0, 0), FEATURED)
        assert set(np.unique(found)) == {0, sign * MAX_WEIGHT}
    assert np.abs(found[:, :, W2:W3]).max() == 0  # which no feature enters


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", [MAX_WEIGHT + 1, -MAX_WEIGHT - 1])
def test_parameters_of_more_bits_are_refused(part: str, value: int) -> None:
    integers = np.zeros(SIZE, np.int64)
    getattr(split(integers), part).flat[-1] = value
    with pytest.raises(ValueError, match="weights of the entropy model are at most"):
        integer_networks(integers, SHIFTS[0], 3)  # type: ignore[arg-type]
