"""Work: how an item becomes an outcome, as this process, other processes and other machines need to know it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Work(Generic[Item, Outcome]):
    """Two functions, both importable by name since other processes call them.

    run(item) does the item and makes whatever goes wrong within it part of the outcome; failed(item, reason) is the
    outcome of an item that took its worker with it.
    """

    run: Callable[[Item], Outcome]
    failed: Callable[[Item, str], Outcome]
