"""The clock of the benchmarks of kernels."""

import time
from collections.abc import Callable


def best_seconds(run: Callable[[], object], least_seconds: float) -> float:
    """Seconds of the fastest of the runs that begin within `least_seconds`, after one run that warms up."""
    run()
    best, until = float("inf"), time.perf_counter() + least_seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best
