"""Adaptive probability maps: they begin with what they are given, learn what happens, and stay in bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.coding.probability_maps import FIRST, KNOTS, LEAST, LIMIT, adapt, new_points, places, probability, read

probabilities = st.integers(LEAST, 65536 - LEAST)


def place_of(given: int) -> int:
    return int(places(np.array([given], np.int64))[0])


@given(probabilities, st.integers(0, 2))
def test_at_first_a_map_says_what_it_is_given(given: int, maps_log2: int) -> None:
    points, place = new_points(1), place_of(given)
    inside = min(max(given, KNOTS[0]), KNOTS[-1] - 1)
    knot = place >> 5
    spacing = (KNOTS[knot + 1] - KNOTS[knot]) / 32
    said = probability(read(points, 0, place) << maps_log2, maps_log2)
    assert inside - spacing - 1 <= said <= inside


def test_places_rise_with_probabilities() -> None:
    every = places(np.arange(65537))
    assert np.all(np.diff(every) >= 0)
    assert (every[0], every[-1]) == (0, 32 * (len(KNOTS) - 1) - 1)
    assert [place_of(knot) for knot in KNOTS[:-1]] == list(range(0, 32 * (len(KNOTS) - 1), 32))


@pytest.mark.parametrize("given", [30, 2000, 21351, 40000, 65000])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_map_learns_how_often_a_decision_is_made(given: int, share: float) -> None:
    points, place = new_points(2), place_of(given)
    said = []
    for bit in (np.random.default_rng(1).random(8000) < share).astype(int).tolist():
        said.append(read(points, 1, place))
        adapt(points, 1, place, said[-1], bit)
    assert np.mean(said[4000:]) / 2**27 == pytest.approx(share, abs=0.05)
    assert np.array_equal(points[0], new_points(1)[0])  # the other context


@given(st.lists(st.tuples(probabilities, st.booleans()), max_size=400))
def test_points_and_probabilities_stay_in_bounds(decisions: list[tuple[int, bool]]) -> None:
    points = new_points(1)
    for chance, bit in decisions:
        place = place_of(chance)
        said = read(points, 0, place)
        assert LEAST <= probability(said, 0) <= 65536 - LEAST
        adapt(points, 0, place, said, int(bit))
    assert (points >> 7).min() >= 0
    assert (points >> 7).max() < 1 << 22
    assert (points & 127).max() <= LIMIT - FIRST
