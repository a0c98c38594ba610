"""Varints: every value comes back, in its shortest form, and nothing else is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.bitstream import varint
from fourcodec.errors import CorruptFileError


@given(st.integers(0, varint.MAX_VALUE), st.binary(max_size=3), st.binary(max_size=3))
def test_what_is_written_is_read(value: int, before: bytes, after: bytes) -> None:
    coded = varint.write(value)
    assert varint.read(before + coded + after, len(before)) == (value, len(before) + len(coded))


@pytest.mark.parametrize(
    ("value", "coded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (767, "ff05"), (2**32 - 1, "ffffffff0f")],
)
def test_the_bytes_are_those_of_the_specification(value: int, coded: str) -> None:
    assert varint.write(value).hex() == coded


@pytest.mark.parametrize("value", [-1, 2**32])
def test_a_value_out_of_range_cannot_be_written(value: int) -> None:
    with pytest.raises(ValueError, match="varint"):
        varint.write(value)


@pytest.mark.parametrize(
    ("coded", "message"),
    [
        ("", "ends inside a number"),
        ("80", "ends inside a number"),
        ("ffffffff", "ends inside a number"),
        ("8000", "superfluous"),
        ("ff8000", "superfluous"),
        ("ffffffff10", "larger"),
        ("ffffffffff01", "larger"),
    ],
)
def test_other_bytes_are_refused(coded: str, message: str) -> None:
    with pytest.raises(CorruptFileError, match=message):
        varint.read(bytes.fromhex(coded), 0)
