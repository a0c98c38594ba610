"""What the engines need to know of the work that they share out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Work(Generic[Item, Outcome]):
    """run(item) does it, and makes what goes wrong within it part of its outcome; failed(item, reason) stands for an
    item that took its worker with it. Both must be importable by name, as other processes call them."""

    run: Callable[[Item], Outcome]
    failed: Callable[[Item, str], Outcome]
