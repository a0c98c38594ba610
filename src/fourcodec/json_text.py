"""JSON from files that may be damaged or a stranger's."""

import json
from typing import Any


def read_object(text: bytes | str) -> dict[str, Any]:
    """The object in a JSON text. Raises ValueError for anything else, also for too deep a nesting."""
    try:
        value = json.loads(text)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    if not isinstance(value, dict):
        raise ValueError(f"an object is needed, not {type(value).__name__}")
    return value
