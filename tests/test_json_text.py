"""JSON of strangers: an object of numbers that fit, or a ValueError."""

import pytest

from fourcodec.json_text import read_object


def test_an_object_is_read() -> None:
    assert read_object(b'{"a": [1, -2.5, null], "b": {"c": 18446744073709551615}}') == {
        "a": [1, -2.5, None],
        "b": {"c": 2**64 - 1},
    }


@pytest.mark.parametrize(
    "text",
    ["", "null", "[1]", "{", '{"a": ' + "[" * 100_000, '{"a": 1' + 400 * "0" + "}", '{"a": -1' + 5000 * "0" + "}"],
    ids=lambda text: text[:9],
)
def test_what_is_no_object_of_ours_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|Expecting|object|nested|digits"):
        read_object(text)
