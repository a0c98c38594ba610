"""What the settings of all fits have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A fit shorter than the whole one: `share` of its steps, in which the schedule runs from its share `begin` to its
    end."""

    share: float
    begin: float = 0.0


WHOLE = Part(1.0)


def check_begin(begin: float) -> None:
    if not 0 <= begin < 1:
        raise ValueError(f"a fit begins at a share of 0 to 1 of its schedule, not at {begin}")


def steps_for(presets: Mapping[int, int], effort: int, iterations: int | None) -> int:
    """Presets 1 (seconds) to 9; `iterations` overrides them. Raises ValueError outside."""
    if effort not in presets:
        raise ValueError(f"effort is 1 to 9, not {effort}")
    return presets[effort] if iterations is None else iterations


def rate_weight_of(quality: float) -> float:
    """lambda for a quality 0..100: a factor of 10 for every 35."""
    return 10 ** (-1.35 - quality / 35)
