"""JSON from files that may be damaged or a stranger's."""

import json
from typing import Any

_MOST_DIGITS = 20  # of a whole number: no size, time or count of ours has more, and floats and arrays hold no more


def read_object(text: bytes | str) -> dict[str, Any]:
    """The object in a JSON text. Raises ValueError for anything else, also for too deep a nesting and for whole numbers
    of more than 20 digits, which raise OverflowError wherever they become a float."""
    try:
        value = json.loads(text, parse_int=_whole_number)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    if not isinstance(value, dict):
        raise ValueError(f"an object is needed, not {type(value).__name__}")
    return value


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("a number of too many digits")
    return int(digits)
