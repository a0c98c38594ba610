"""Settings that the fits of all profiles have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fourcodec.quality import rate_weight_of as rate_weight_of


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
