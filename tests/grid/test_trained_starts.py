"""Trained starts of the entropy model."""

import numpy as np
import pytest

from fourcodec.grid import entropy_model
from fourcodec.grid.pyramid import MAX_LEVELS
from fourcodec.grid.trained_starts import FRACTION, nearest_trained_start, trained_starts
from fourcodec.grid.weights import MAPS, UNUSED, GridShape

NUMBERS = sorted(trained_starts())


def test_numbers_begin_at_one_and_follow_the_rate() -> None:
    assert list(range(1, len(NUMBERS) + 1)) == NUMBERS
    rates = [trained_starts()[n].rate_weight for n in NUMBERS]
    assert rates == sorted(rates, reverse=True)
    found = [nearest_trained_start(rate * factor) for rate in rates for factor in (0.6, 1.6)]
    assert found == sorted(2 * NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_weights_leave_room_for_differences(number: int) -> None:
    assert np.abs(trained_starts()[number].entropy_model).max() < 31 * 2**FRACTION


def test_every_trained_start_has_all_parameters() -> None:
    assert {start.entropy_model.shape for start in trained_starts().values()} == {(entropy_model.SIZE,)}


@pytest.mark.parametrize("number", NUMBERS)
def test_weights_leave_room_for_differences_on_every_level(number: int) -> None:
    """Maps and mixing, folded into the first layer and the output, reach no bound."""
    start = trained_starts()[number].entropy_model
    networks = entropy_model.integer_networks(start, (FRACTION,) * 6, MAX_LEVELS)
    assert np.abs(networks).max() < 31 * 2**FRACTION


@pytest.mark.parametrize(("levels", "rows"), [(1, [1]), (2, [2, 1]), (7, [7, 6, 5]), (9, [8, 8, 7])])
def test_maps_of_levels_that_a_file_does_not_have_are_left_out(levels: int, rows: list[int]) -> None:
    shape = GridShape(levels, 2, 16, 3, 1)
    maps = entropy_model.split(shape.groups[: entropy_model.SIZE]).maps
    used = (maps == MAPS).all(axis=2).sum(axis=1)
    assert [count for count in used.tolist() if count] == rows
    assert (maps == MAPS).sum() == entropy_model.FEATURES * sum(rows)


@pytest.mark.parametrize("number", NUMBERS)
def test_hidden_units_that_are_not_used_have_no_base(number: int) -> None:
    shape = GridShape(7, 2, 9, 3, number)
    model = shape.entropy_model_base
    unused = shape.groups[: model.size] == UNUSED
    assert not model[unused].any()
    assert model[~unused].any()


def test_without_a_trained_start_the_entropy_model_is_coded_as_it_is() -> None:
    assert not GridShape(7, 2, 16, 3).entropy_model_base.any()
