"""Settings of a fit of the profile fnet. The file holds none of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from fourcodec.fnet.config import FnetConfig
from fourcodec.optimisation.settings import Part, check_begin, iterations_for


@dataclass(frozen=True)
class Phase:
    """A phase of a fit.

    share: that of its iterations. noisy: coefficients have training noise, and the cost includes the rate. freezing:
    layers are rounded and fixed, one after the other, while the others adapt.
    """

    share: float
    noisy: bool = False
    freezing: bool = False


SCHEDULE = (
    Phase(0.1),
    Phase(0.75, noisy=True),
    Phase(0.15, noisy=True, freezing=True),
)
FLOAT_SCHEDULE = (Phase(1.0),)  # without quantisation: to measure what that costs, and to try a trained start

# Without a lambda, the price of a bit is such that one more for each coefficient of a network of this width and depth
# with all frequencies is worth this share of the MSE, 0.9 dB of PSNR. Such networks then have 2.5 to 4.5 bits a
# coefficient, where PSNR begins to fall faster than bytes (research.md, "Which lambda, where the size is given?").
BIT_WORTH = 0.2
MOST_MSE = 1e-2  # of which this share is taken (20 dB): where texture stays out of reach, hardly any bit is worth it
LEAST_RATE_WEIGHT = 1.25e-3  # lambda is no lower then: a network with more coefficients than pixels would copy them all

MOST_FROM_START = 1500  # iterations of fits that begin at a trained start: longer ones come as far without it

# Iterations by effort. benchmarks/results/effort.tsv has the PSNR and time of each.
EFFORT_ITERATIONS = {1: 150, 2: 400, 3: 1000, 4: 2500, 5: 5000, 6: 9000, 7: 16000, 8: 30000, 9: 60000}


@dataclass(frozen=True)
class FitSettings:
    """The settings of one fit.

    iterations: their number. batch_pixels: random pixels per iteration. rate_weight: lambda in MSE + lambda * bpp;
    None: by BIT_WORTH. begin: the share of the schedule that is left out in a warm start. Raises ValueError for values
    out of range.
    """

    iterations: int
    batch_pixels: int = 12 * 768  # twelve pieces of work, which divide evenly among 2, 3, 4, 6 or 12 threads
    rate_weight: float | None = None
    phases: tuple[Phase, ...] = SCHEDULE
    begin: float = 0.0

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations are at least 1, not {self.iterations}")
        check_begin(self.begin)

    def done(self, iteration: int) -> float:
        """The share of the schedule that is done before an iteration."""
        return self.begin + (1 - self.begin) * iteration / self.iterations

    def starts(self) -> list[int]:
        """The first iteration of each phase, and the number of iterations."""
        edges, share = [0], 0.0
        for phase in self.phases:
            share += phase.share
            edges.append(max(0, round((share - self.begin) / (1 - self.begin) * self.iterations)))
        return edges

    def part(self, part: Part, rate_weight: float) -> FitSettings:
        """The settings for a part of a whole fit with these settings, at another lambda."""
        iterations = max(1, round(part.share * self.iterations))
        return replace(self, iterations=iterations, rate_weight=rate_weight, begin=part.begin)


def settings_for(effort: int, iterations: int | None) -> FitSettings:
    """The settings of a whole fit at an effort 1 to 9; `iterations` overrides it. Raises ValueError for another
    effort."""
    return FitSettings(iterations_for(EFFORT_ITERATIONS, effort, iterations))


def learning_rate(config: FnetConfig) -> float:
    """SOAP's learning rate for a network of this size.

    More features add up in each phase, and each layer passes on the changes of the layers before it, so the best rate
    falls with the number of features and with depth. It was 2e-3 to 3e-3 at width 7 and 8e-4 at width 8, where twice as
    much diverges; at depth 8 it was half of that at 5, at depth 10 a quarter. A network of limited order has the rate
    of the width that has as many frequencies.
    """
    width = math.log2(config.shape.layers[-1].frequency_count)
    return 2.5e-3 * min(1.0, 2.0 ** (1.6 * (7 - width))) * min(1.0, (6 / config.depth) ** 2)
