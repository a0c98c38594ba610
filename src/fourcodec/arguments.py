"""The arguments of public functions: numbers of any kind as Python's, and a ValueError for everything else.

A number of another type would come far: a float for a width to the middle of a fit, an integer of numpy to a compiler.
"""

from __future__ import annotations

import errno
import math
import operator
import os
from pathlib import Path
from typing import Any


def whole_number(name: str, value: Any) -> int:
    """An integer of Python or numpy as int. Raises ValueError, which names the argument and the type, for anything
    else."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise ValueError(f"{name} is a whole number, not {described(value)}")


def number(name: str, value: Any) -> float:
    """A number of Python or numpy as float, infinite where it is too large for one. Raises ValueError, which names the
    argument and the type, for anything else."""
    try:
        if hasattr(type(value), "__float__") and not isinstance(value, bool):
            return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{name} is a number, not {described(value)}")


def path(value: str | os.PathLike[str]) -> Path:
    """The path, also of an empty text: that is the current folder for Path, and a file that is not there for open().
    Raises FileNotFoundError for it."""
    if not os.fspath(value):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "")
    return Path(value)


def instance(name: str, value: Any, kind: type) -> None:
    """Raises ValueError, which names the argument and the type, unless the value is of this kind."""
    if not isinstance(value, kind):
        raise ValueError(f"{name} is of the type {kind.__name__}, not {described(value)}")


def described(value: Any) -> str:
    """A value in a message: numbers as they are, of others the type."""
    return f"{value!r}" if isinstance(value, bool | float) or value is None else type(value).__name__
