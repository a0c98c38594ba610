"""Coordinates by the conventions of FORMAT.md."""

import numpy as np
import pytest

from fourcodec.positions import positions


def test_pixel_centres_span_half_a_period_of_the_longer_side() -> None:
    x = positions((2, 4), np.arange(8), 0)
    assert x.dtype == np.float32
    assert x[0].reshape(2, 4)[1].tolist() == [0.0625, 0.1875, 0.3125, 0.4375]
    assert x[1].reshape(2, 4)[:, 2].tolist() == [0.0625, 0.1875]


def test_index_over_32() -> None:
    x = positions((3, 40), np.array([0, 41]), 1)
    assert x.tolist() == [[0, 1 / 32], [0, 1 / 32]]


def test_unknown_convention_is_refused() -> None:
    with pytest.raises(ValueError, match="conventions"):
        positions((1, 1), np.array([0]), 2)
