"""The clocks of the benchmarks."""

import statistics
import time
from collections.abc import Callable


def best_seconds(run: Callable[[], object], least_seconds: float) -> float:
    """Seconds of the fastest of the runs that begin within `least_seconds`, after one run that warms up."""
    run()
    best, until = float("inf"), time.perf_counter() + least_seconds
    while time.perf_counter() < until:
        best = min(best, seconds(run))
    return best


def median_seconds(run: Callable[[], object], runs: int) -> float:
    """The median of so many runs, after one run that warms up."""
    run()
    return statistics.median(seconds(run) for _ in range(runs))


def seconds(run: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one run: of the wall clock, or of another one, as time.process_time."""
    started = clock()
    run()
    return clock() - started
