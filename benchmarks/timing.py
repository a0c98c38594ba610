"""How benchmarks of kernels take time."""

import time
from collections.abc import Callable


def best_seconds(run: Callable[[], object], least_seconds: float) -> float:
    """The best of as many runs as `least_seconds` hold, one to warm up before them."""
    run()
    best, until = float("inf"), time.perf_counter() + least_seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best
