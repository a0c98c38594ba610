"""Trained starts of the entropy model."""

import numpy as np
import pytest

from fourcodec.grid.trained_starts import FRACTION, nearest_trained_start, trained_starts
from fourcodec.grid.weights import UNUSED, GridShape

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


@pytest.mark.parametrize("number", NUMBERS)
def test_hidden_units_that_are_not_used_have_no_base(number: int) -> None:
    shape = GridShape(7, 2, 9, 3, number)
    model = shape.entropy_model_base.ravel()
    unused = shape.groups[: model.size] == UNUSED
    assert not model[unused].any()
    assert model[~unused].any()


def test_without_a_prior_the_context_model_is_coded_as_it_is() -> None:
    assert not GridShape(7, 2, 16, 3).entropy_model_base.any()
