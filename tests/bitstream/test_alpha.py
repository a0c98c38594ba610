"""Alpha planes come back exactly, and damaged ones are refused before anything of their size is made."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fourcodec.bitstream import alpha, container, zstd
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, UnsupportedFormatError


def header_of(plane: np.ndarray, channels: int = 4) -> Header:
    return Header(plane.shape[1], plane.shape[0], channels, profile=1, bit_depth=8 * plane.itemsize)


planes = st.sampled_from([np.uint8, np.uint16]).flatmap(
    lambda dtype: arrays(dtype, st.tuples(st.integers(1, 17), st.integers(1, 24)))
)


@given(planes)
def test_any_plane_comes_back(plane: np.ndarray) -> None:
    found = alpha.read(alpha.write(plane), header_of(plane))
    assert found.dtype == plane.dtype
    np.testing.assert_array_equal(found, plane)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("number", range(len(alpha.AXES)))
def test_each_predictor_is_inverse(number: int, dtype: type) -> None:
    plane = np.random.default_rng(number).integers(0, np.iinfo(dtype).max, (16, 24), dtype=dtype, endpoint=True)
    differences = alpha._differences(plane, alpha.AXES[number])
    np.testing.assert_array_equal(alpha._sums(differences, alpha.AXES[number]), plane)


def test_a_ramp_takes_differences_and_a_mask_takes_few_bytes() -> None:
    rows, columns = np.mgrid[0:200, 0:300]
    ramp = (rows + 2 * columns).astype(np.uint16)
    assert alpha.write(ramp).payload[0] != 0
    assert len(alpha.write(ramp).payload) < 60
    assert len(alpha.write(np.where(columns > rows, 255, 0).astype(np.uint8)).payload) < 600


SECTION = alpha.write(np.arange(384, dtype=np.uint16).reshape(16, 24))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\4" + SECTION.payload[1:],
        SECTION.payload[:-1],
        SECTION.payload + b"\0",
        b"\0" + zstd.compress(bytes(767)),
    ],
)
def test_damaged_sections_are_refused(payload: bytes) -> None:
    header = Header(24, 16, 2, profile=1, bit_depth=16)
    with pytest.raises(CorruptFileError):
        alpha.read(dataclasses.replace(SECTION, payload=payload), header)


def test_an_unknown_coder_is_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="coder 2"):
        alpha.read(Section(alpha.KIND, container.CODER_RANGE, b"\0"), Header(24, 16, 2, profile=1))
