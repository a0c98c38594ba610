"""How a network is fitted: settings as data. Nothing of this is in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Phase:
    """A share of the steps. `noisy`: coefficients carry their quantisation noise and pay for their bits."""

    name: str
    share: float
    noisy: bool = False
    freezing: bool = False  # layers are rounded for good, one after the other, and the rest adapts


SCHEDULE = (
    Phase("shape", 0.1),
    Phase("rate", 0.75, noisy=True),
    Phase("freeze", 0.15, noisy=True, freezing=True),
)
FLOAT_SCHEDULE = (Phase("shape", 1.0),)  # without quantisation, to measure what it costs

# Of a network whose size is given and whose quality is not: costs 0 to 1.2 dB against no quantisation, at 4 to 9 bits a
# coefficient. As a quality it is 54.4.
RATE_WEIGHT = 1.25e-3

# Steps per effort. benchmarks/results/effort.tsv has what each gives and takes.
EFFORT_ITERATIONS = {1: 150, 2: 400, 3: 1000, 4: 2500, 5: 5000, 6: 9000, 7: 16000, 8: 30000, 9: 60000}


@dataclass(frozen=True)
class Part:
    """A fit shorter than the whole one: `share` of its steps, in which the schedule runs from its share `begin` to its
    end."""

    share: float
    begin: float = 0.0


WHOLE = Part(1.0)


@dataclass(frozen=True)
class FitSettings:
    """iterations: steps in all; batch_pixels: random pixels per step; rate_weight: lambda in MSE + lambda * bpp; begin:
    the share of the schedule that is left out, where a fit starts from another one's result."""

    iterations: int
    batch_pixels: int = 12 * 768  # twelve pieces of work: even shares for 2, 3, 4, 6 or 12 threads
    rate_weight: float = RATE_WEIGHT
    phases: tuple[Phase, ...] = SCHEDULE
    begin: float = 0.0

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations are at least 1, not {self.iterations}")
        _check_begin(self.begin)

    def done(self, step: int) -> float:
        """The share of the schedule that is behind at a step."""
        return self.begin + (1 - self.begin) * step / self.iterations

    def starts(self) -> list[int]:
        """The first step of each phase, and the end."""
        edges, share = [0], 0.0
        for phase in self.phases:
            share += phase.share
            edges.append(max(0, round((share - self.begin) / (1 - self.begin) * self.iterations)))
        return edges

    def part(self, part: Part, rate_weight: float) -> FitSettings:
        """Of a whole fit with these settings, at another lambda."""
        steps = max(1, round(part.share * self.iterations))
        return replace(self, iterations=steps, rate_weight=rate_weight, begin=part.begin)


def _check_begin(begin: float) -> None:
    if not 0 <= begin < 1:
        raise ValueError(f"a fit begins at a share of 0 to 1 of its schedule, not at {begin}")


def steps_for(presets: Mapping[int, int], effort: int, iterations: int | None) -> int:
    """Presets 1 (seconds) to 9; `iterations` overrides them. Raises ValueError outside."""
    if effort not in presets:
        raise ValueError(f"effort is 1 to 9, not {effort}")
    return presets[effort] if iterations is None else iterations


def settings_for(effort: int, iterations: int | None, rate_weight: float = RATE_WEIGHT) -> FitSettings:
    """A whole fit of the profile fnet. Raises ValueError for an effort outside 1..9."""
    return FitSettings(steps_for(EFFORT_ITERATIONS, effort, iterations), rate_weight=rate_weight)


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
        _check_begin(self.begin)

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


def rate_weight_of(quality: float) -> float:
    """lambda for a quality 0..100: a factor of 10 for every 35."""
    return 10 ** (-1.35 - quality / 35)
