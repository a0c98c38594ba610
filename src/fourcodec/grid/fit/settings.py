"""Settings of a fit of the profile grid. The file holds none of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from fourcodec.errors import LimitError
from fourcodec.optimisation.settings import Part, check_begin, iterations_for, rate_weight_of
from fourcodec.tuning import PSNR, TUNES

# Iterations by effort. One takes about 45 ms for a Kodak image on two cores.
GRID_EFFORT_ITERATIONS = {1: 250, 2: 450, 3: 650, 4: 850, 5: 1100, 6: 2200, 7: 4400, 8: 8800, 9: 17600}
SEARCH_ITERATIONS = 55  # quantising the weights and the final RDOQ take as long as so many iterations
FILE_ITERATIONS = 8  # and so do coding, decoding and measuring the file
FEWEST_ITERATIONS = 40  # noisy iterations after which a picture is worth having: above JPEG at its lowest quality
# Where time is short, quantising and RDOQ get this share of it, but at least so many iterations.
_TAIL_SHARE, _LEAST_TAIL = 0.2, 14


@dataclass(frozen=True)
class GridSettings:
    """The settings of one fit.

    iterations: their number. rate_weight: lambda in MSE + lambda * bpp. max_seconds: the time in which the file is
    there, from the start of the fit. begin: the share of the schedule that is left out in a warm start. tune: one of
    TUNES. Raises ValueError for values out of range.
    """

    iterations: int
    rate_weight: float
    max_seconds: float | None = None
    begin: float = 0.0
    tune: str = PSNR

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations are at least 1, not {self.iterations}")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise ValueError(f"max_seconds is above 0, not {self.max_seconds}")
        check_begin(self.begin)
        if self.tune not in TUNES:
            raise ValueError(f"tunings are {' and '.join(TUNES)}, not {self.tune!r}")

    def progress(self, iteration: int, elapsed_seconds: float, seconds_per_iteration: float) -> float:
        """The share of the schedule that is done after so many iterations and seconds. Time for the work after the last
        iteration is set aside."""
        done = iteration / self.iterations
        if self.max_seconds is not None:
            last = self.max_seconds - (self.tail(seconds_per_iteration) + FILE_ITERATIONS) * seconds_per_iteration
            done = max(done, elapsed_seconds / max(last, 1e-9))
        return 1 - (1 - self.begin) * (1 - done)

    def tail(self, seconds_per_iteration: float) -> float:
        """The iterations that quantising and the final RDOQ may take as long as."""
        if self.max_seconds is None or seconds_per_iteration <= 0:
            return SEARCH_ITERATIONS
        affordable = self.max_seconds / seconds_per_iteration
        return min(max(_TAIL_SHARE * affordable, _LEAST_TAIL), SEARCH_ITERATIONS)

    def check_time(self, elapsed_seconds: float, seconds_per_iteration: float) -> None:
        """Raises LimitError if max_seconds is too short for a picture worth having, at this pace."""
        fewest = min(FEWEST_ITERATIONS, self.iterations)
        needed = elapsed_seconds + (fewest + _LEAST_TAIL + FILE_ITERATIONS) * seconds_per_iteration
        if self.max_seconds is not None and needed > self.max_seconds:
            raise LimitError(
                f"too little time for this picture on this machine: the fit takes {math.ceil(1.1 * needed)} seconds or "
                f"more, and {max(self.max_seconds, 0):.1f} are left for it"
            )

    def seconds_left(self, iteration: int, elapsed_seconds: float, seconds_per_iteration: float) -> float:
        """The seconds until the fit and the work after its last iteration are done, at this pace."""
        left = (self.iterations - iteration + SEARCH_ITERATIONS + FILE_ITERATIONS) * seconds_per_iteration
        return left if self.max_seconds is None else max(0.0, min(left, self.max_seconds - elapsed_seconds))

    def part(self, part: Part, rate_weight: float) -> GridSettings:
        """The settings for a part of a whole fit with these settings, at another lambda."""
        iterations = max(1, round(part.share * self.iterations))
        return replace(self, iterations=iterations, rate_weight=rate_weight, begin=part.begin)


def grid_settings_for(
    quality: float, effort: int, iterations: int | None, max_seconds: float | None, tune: str = PSNR
) -> GridSettings:
    """The settings of a whole fit at a quality 0 to 100 and an effort 1 (seconds) to 9; `iterations` overrides the
    effort. Raises ValueError for values out of range."""
    whole = iterations_for(GRID_EFFORT_ITERATIONS, effort, iterations)
    return GridSettings(whole, rate_weight_of(quality), max_seconds, tune=tune)
