"""How a network is fitted: settings as data. Nothing of this is in the file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fourcodec.optimisation.settings import Part, check_begin, steps_for


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
        check_begin(self.begin)

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


def settings_for(effort: int, iterations: int | None, rate_weight: float = RATE_WEIGHT) -> FitSettings:
    """A whole fit of the profile fnet. Raises ValueError for an effort outside 1..9."""
    return FitSettings(steps_for(EFFORT_ITERATIONS, effort, iterations), rate_weight=rate_weight)
