"""Settings that the fits of all profiles have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A part of a whole fit: it has `share` of the whole fit's iterations, in which the schedule runs from its share
    `begin` to its end."""

    share: float
    begin: float = 0.0


WHOLE = Part(1.0)


def check_begin(begin: float) -> None:
    """Raises ValueError unless `begin` is a share of a schedule, in [0, 1)."""
    if not 0 <= begin < 1:
        raise ValueError(f"a fit begins at a share of 0 to 1 of its schedule, not at {begin}")


def iterations_for(presets: Mapping[int, int], effort: int, iterations: int | None) -> int:
    """The number of iterations of an effort 1 to 9; `iterations` overrides it. Raises ValueError for another effort."""
    if effort not in presets:
        raise ValueError(f"effort is 1 to 9, not {effort}")
    return presets[effort] if iterations is None else iterations


def rate_weight_of(quality: float) -> float:
    """lambda for a quality 0 to 100; 35 more in quality are a tenth of lambda."""
    return 10 ** (-1.35 - quality / 35)


def quality_of(rate_weight: float) -> float:
    """The quality for a lambda, the inverse of `rate_weight_of`."""
    return 35 * (-1.35 - math.log10(rate_weight))
