"""Settings of a fit of the profile grid. The file holds none of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from fourcodec.errors import LimitError
from fourcodec.optimisation.settings import Part, check_begin, iterations_for, rate_weight_of
from fourcodec.tuning import PSNR, TUNES

# Iterations by effort, counted in the time of one over the whole picture: about 80 ms for a Kodak image on two cores.
GRID_EFFORT_ITERATIONS = {1: 250, 2: 450, 3: 650, 4: 850, 5: 1100, 6: 2200, 7: 4400, 8: 8800, 9: 17600}
SMALL_PIXELS = 5 << 17  # pictures that have all these iterations
# A larger picture has fewer, by this power of its size, since its networks learn from more pixels in each. LEAST_SHARE
# of them are left.
SIZE_POWER, LEAST_SHARE = 2 / 3, 1 / 8
# Quantising the weights takes as long as so many iterations over the pixels that it measures, one of ROUNDS rounds of
# the final RDOQ as long as so many over all. There is at most one round for ITERATIONS_A_ROUND iterations.
SEARCH_ITERATIONS, ROUND_ITERATIONS = 35, 9
ROUNDS, ITERATIONS_A_ROUND = 4, 50
MEASURED_SIDE, MEASURED = 512, 3  # of larger pictures, quantising measures so many windows of that side
MEASURED_PIXELS = MEASURED * MEASURED_SIDE**2
FILE_ITERATIONS = 8  # coding, decoding and measuring the file take as long as so many
FEWEST_ITERATIONS = 16  # after which a picture is worth having: above JPEG at its lowest quality
USUAL_SECONDS = 2e-7  # of an iteration for each pixel, on two cores
HOPED = 4  # a machine may be so many times as fast
# Where time is short, quantising and RDOQ get this share of it, but at least so many iterations over what is measured.
_TAIL_SHARE, _LEAST_TAIL = 0.2, 14


@dataclass(frozen=True)
class GridSettings:
    """The settings of one fit.

    iterations: their number. rate_weight: lambda in MSE + lambda * bpp. max_seconds: the time in which the file is
    there, from the start of the fit. begin: the share of the schedule that is left out in a warm start. searched: the
    share of the picture on which quantising is measured. tune: one of TUNES. Raises ValueError for values out of
    range.
    """

    iterations: int
    rate_weight: float
    max_seconds: float | None = None
    begin: float = 0.0
    searched: float = 1.0
    tune: str = PSNR

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations are at least 1, not {self.iterations}")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise ValueError(f"max_seconds is above 0, not {self.max_seconds}")
        check_begin(self.begin)
        if self.tune not in TUNES:
            raise ValueError(f"tunings are {' and '.join(TUNES)}, not {self.tune!r}")

    def progress(self, iteration: float, elapsed_seconds: float, seconds_per_iteration: float) -> float:
        """The share of the schedule that is done after so many iterations and seconds. Time for the work after the last
        iteration is set aside."""
        done = iteration / self.iterations
        if self.max_seconds is not None:
            last = self.max_seconds - (self.tail(seconds_per_iteration) + FILE_ITERATIONS) * seconds_per_iteration
            done = max(done, elapsed_seconds / max(last, 1e-9))
        return 1 - (1 - self.begin) * (1 - done)

    @property
    def whole_tail(self) -> float:
        """The iterations that quantising and the final RDOQ take as long as, where there is time enough."""
        return SEARCH_ITERATIONS * self.searched + ROUND_ITERATIONS * self.rounds(self.iterations)

    def rounds(self, iterations: float) -> int:
        """The rounds of the final RDOQ after so many iterations."""
        return min(ROUNDS, int(iterations) // ITERATIONS_A_ROUND)

    def tail(self, seconds_per_iteration: float) -> float:
        """The iterations that quantising and the final RDOQ may take as long as."""
        if self.max_seconds is None or seconds_per_iteration <= 0:
            return self.whole_tail
        affordable = self.max_seconds / seconds_per_iteration
        return min(max(_TAIL_SHARE * affordable, _LEAST_TAIL * self.searched), self.whole_tail)

    def check_hope(self, pixels: int, threads: int) -> None:
        """Raises LimitError if max_seconds is too short for a picture of so many pixels worth having, even where so
        many threads are HOPED times as fast as usual: before any work."""
        if self.max_seconds is None:
            return
        usual = self._least_work_left(0) * USUAL_SECONDS * pixels * 2 / threads
        if self.max_seconds < usual / HOPED:
            raise LimitError(
                f"too little time for this picture: the fit takes {math.ceil(usual)} seconds or more, and "
                f"{self.max_seconds:.1f} are left for it"
            )

    def check_time(
        self, work: float, elapsed_seconds: float, seconds_per_iteration: float, ended: bool = False
    ) -> None:
        """Raises LimitError if max_seconds is too short for a picture worth having, when so much is done, at this pace;
        ended: no more will be done."""
        if self.max_seconds is None:
            return
        missing = work < min(FEWEST_ITERATIONS, self.iterations)
        needed = elapsed_seconds + self._least_work_left(work) * seconds_per_iteration
        if missing and (ended or needed > self.max_seconds):
            raise LimitError(
                f"too little time for this picture on this machine: the fit takes {math.ceil(1.1 * needed)} seconds or "
                f"more, and {max(self.max_seconds, 0):.1f} are left for it"
            )

    def _least_work_left(self, work: float) -> float:
        """The iterations, and the work behind them in iterations, from `work` to a file that is worth having."""
        missing = max(min(FEWEST_ITERATIONS, self.iterations) - work, 0)
        return missing + _LEAST_TAIL * self.searched + FILE_ITERATIONS

    def likely_iterations(self, pixels: int) -> float:
        """The iterations over a picture of so many pixels that there is time for, at a usual pace."""
        if self.max_seconds is None:
            return self.iterations
        return min(self.iterations, self.max_seconds / (USUAL_SECONDS * pixels))

    def seconds_left(self, iteration: float, elapsed_seconds: float, seconds_per_iteration: float) -> float:
        """The seconds until the fit and the work after its last iteration are done, at this pace."""
        left = (self.iterations - iteration + self.whole_tail + FILE_ITERATIONS) * seconds_per_iteration
        return left if self.max_seconds is None else max(0.0, min(left, self.max_seconds - elapsed_seconds))

    def part(self, part: Part, rate_weight: float) -> GridSettings:
        """The settings for a part of a whole fit with these settings, at another lambda."""
        iterations = max(1, round(part.share * self.iterations))
        return replace(self, iterations=iterations, rate_weight=rate_weight, begin=part.begin)


def grid_settings_for(
    quality: float,
    effort: int,
    iterations: int | None,
    max_seconds: float | None,
    pixels: int = 0,
    tune: str = PSNR,
) -> GridSettings:
    """The settings of a whole fit at a quality 0 to 100 and an effort 1 (seconds) to 9, of a picture of so many pixels;
    `iterations` overrides the effort. Raises ValueError for values out of range."""
    share = max(min(1.0, (SMALL_PIXELS / max(pixels, 1)) ** SIZE_POWER), LEAST_SHARE)
    presets = {key: round(share * count) for key, count in GRID_EFFORT_ITERATIONS.items()}
    searched = min(1.0, MEASURED_PIXELS / max(pixels, 1))
    return GridSettings(
        iterations_for(presets, effort, iterations),
        rate_weight_of(quality),
        max_seconds,
        searched=searched,
        tune=tune,
    )
