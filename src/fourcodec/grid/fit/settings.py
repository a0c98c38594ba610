"""How a grid is fitted: settings as data. Nothing of this is in the file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fourcodec.optimisation.settings import Part, check_begin, rate_weight_of, steps_for

# Steps per effort of the grid profile; a Kodak image takes about 50 ms a step on two cores.
GRID_EFFORT_ITERATIONS = {1: 200, 2: 450, 3: 900, 4: 1600, 5: 2500, 6: 5000, 7: 10000, 8: 20000, 9: 40000}
SEARCH_STEPS = 55  # that the search of the weights' quantisers and the last descent take as long as


@dataclass(frozen=True)
class GridSettings:
    """iterations: steps in all; rate_weight: lambda in MSE + lambda * bpp; max_seconds: the fit's schedule is run
    through in this time where that comes first; begin: the share of the schedule that is left out, where a fit starts
    from another one's result."""

    iterations: int
    rate_weight: float
    max_seconds: float | None = None
    begin: float = 0.0

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations are at least 1, not {self.iterations}")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise ValueError(f"max_seconds is above 0, not {self.max_seconds}")
        check_begin(self.begin)

    def progress(self, step: int, elapsed_seconds: float, seconds_per_step: float) -> float:
        """The share of the schedule that is behind, by steps or by time, without what comes after the steps."""
        done = step / self.iterations
        if self.max_seconds is not None:
            done = max(done, elapsed_seconds / max(self.max_seconds - SEARCH_STEPS * seconds_per_step, 1e-9))
        return 1 - (1 - self.begin) * (1 - done)

    def seconds_left(self, step: int, elapsed_seconds: float, seconds_per_step: float) -> float:
        """Until everything is done, at the present pace."""
        left = (self.iterations - step + SEARCH_STEPS) * seconds_per_step
        return left if self.max_seconds is None else max(0.0, min(left, self.max_seconds - elapsed_seconds))

    def part(self, part: Part, rate_weight: float) -> GridSettings:
        """Of a whole fit with these settings, at another lambda."""
        steps = max(1, round(part.share * self.iterations))
        return replace(self, iterations=steps, rate_weight=rate_weight, begin=part.begin)


def grid_settings_for(quality: float, effort: int, iterations: int | None, max_seconds: float | None) -> GridSettings:
    """Quality 0 to 100; presets 1 (seconds) to 9; `iterations` overrides the steps. Raises ValueError outside."""
    return GridSettings(steps_for(GRID_EFFORT_ITERATIONS, effort, iterations), rate_weight_of(quality), max_seconds)
