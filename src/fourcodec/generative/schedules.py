"""The duration of training, and the schedule of its learning rates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fourcodec.generative.config import TrainingConfig


@dataclass(frozen=True)
class Budget:
    """The duration of training in epochs or minutes, in all: those before a resumption count too.

    Raises ValueError unless exactly one of them is given and positive."""

    epochs: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.epochs, self.minutes) if value is not None]
        if len(given) != 1 or not given[0] > 0:
            raise ValueError("a budget is either a number of epochs or of minutes, above 0")

    def fraction(self, epochs: float, seconds: float) -> float:
        """The used share of the budget, 0 to 1."""
        used = epochs / self.epochs if self.epochs is not None else seconds / (60 * (self.minutes or 1))
        return min(used, 1.0)


def rate_factor(config: TrainingConfig, fraction: float) -> float:
    """The factor of the learning rates of a model's training."""
    return scheduled(fraction, config.warm_up, config.schedule)


def scheduled(fraction: float, warm_up: float, schedule: str) -> float:
    """The factor of a learning rate: from 0 to 1 over the share `warm_up`, then down to 0 at fraction 1, along a line
    ("linear") or half a cosine ("cosine")."""
    if fraction < warm_up:
        return fraction / warm_up
    rest = (fraction - warm_up) / (1 - warm_up)
    return 1 - rest if schedule == "linear" else (1 + math.cos(math.pi * rest)) / 2
