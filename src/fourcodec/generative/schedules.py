"""How long training takes, and how its rates fall over that time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fourcodec.generative.config import TrainingConfig


@dataclass(frozen=True)
class Budget:
    """A number of epochs or of minutes, in all: what was done before a resumption counts. Raises ValueError unless
    exactly one is given and positive."""

    epochs: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.epochs, self.minutes) if value is not None]
        if len(given) != 1 or not given[0] > 0:
            raise ValueError("a budget is either a number of epochs or of minutes, above 0")

    def fraction(self, epochs: float, seconds: float) -> float:
        """How much of the budget is used up, 0 to 1."""
        used = epochs / self.epochs if self.epochs is not None else seconds / (60 * (self.minutes or 1))
        return min(used, 1.0)


def rate_factor(config: TrainingConfig, fraction: float) -> float:
    """What the rates are multiplied with: 0 to 1 over the warm-up, then down to 0 at fraction 1."""
    if fraction < config.warm_up:
        return fraction / config.warm_up
    rest = (fraction - config.warm_up) / (1 - config.warm_up)
    return 1 - rest if config.schedule == "linear" else (1 + math.cos(math.pi * rest)) / 2
