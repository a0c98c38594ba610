"""Samples and planes are inverse, and rounding is the nearest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fourcodec.images import pixels


@given(arrays(np.uint8, st.sampled_from([(16, 24), (16, 24, 3), (1, 1), (130, 3, 3)])))
def test_planes_come_back_as_the_samples(samples: np.ndarray) -> None:
    planes = pixels.to_planes(samples)
    assert planes.dtype == np.float32
    assert planes.shape == (samples.shape[2] if samples.ndim == 3 else 1, *samples.shape[:2])
    np.testing.assert_array_equal(pixels.from_planes(planes), samples)


@given(arrays(np.uint16, st.sampled_from([(16, 24), (16, 24, 3), (1, 1), (130, 3, 3)])))
def test_planes_come_back_as_sixteen_bit_samples(samples: np.ndarray) -> None:
    copy = pixels.from_planes(pixels.to_planes(samples), 16)
    assert copy.dtype == np.uint16
    np.testing.assert_array_equal(copy, samples)


def test_values_out_of_range_are_clipped_and_nans_are_black() -> None:
    planes = np.array([[[-0.5, 0.0, 1.0, 7.0, np.inf, -np.inf, np.nan]]], np.float32)
    assert pixels.from_planes(planes).tolist() == [[0, 0, 255, 255, 255, 0, 0]]


@pytest.mark.parametrize(("value", "sample"), [(0.49, 0), (0.51, 1), (0.5, 0), (1.5, 2), (254.6, 255)])
def test_rounding_is_to_the_nearest_and_ties_to_even(value: float, sample: int) -> None:
    assert pixels.from_planes(np.full((1, 16, 24), value / 255, np.float32))[3, 5] == sample


def test_planes_are_left_as_they_are() -> None:
    planes = np.full((3, 16, 24), 2.0, np.float32)
    pixels.from_planes(planes)
    assert (planes == 2).all()
