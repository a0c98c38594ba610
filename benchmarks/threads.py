"""What a second thread costs and gives, by the amount of work that is shared:

    python benchmarks/threads.py > benchmarks/results/threads.txt

On a busy machine or an idle one, which the first line says. `alone` is one thread, `shared` two, `map_threads` what
the kernels are called through: shared, unless it was little the last time. Rounds alternate, so that all meet the same
load.
"""

import os
import random
import time
from collections.abc import Callable, Mapping

import numpy as np
from numba import njit

from fourcodec import threads
from fourcodec.threads import map_threads

PIECES = (2, 4, 8)
TOTAL_MICROSECONDS = (20, 50, 100, 200, 400, 1000, 3000)
SECONDS, ROUND_SECONDS = 4.0, 0.03


@njit(nogil=True)
def spin(count: int) -> float:
    x = 1.0
    for _ in range(count):
        x = x * 1.0000001 + 1e-9
    return x


def per_microsecond() -> float:
    """Turns of `spin`, of the processor's own time."""
    spin(10)
    started = time.thread_time()
    spin(20_000_000)
    return 20_000_000 / ((time.thread_time() - started) * 1e6)


def microseconds(ways: Mapping[str, Callable[[], object]]) -> dict[str, tuple[float, float]]:
    """Mean and median over rounds of what a call takes, each way."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    ending = time.perf_counter() + SECONDS
    while time.perf_counter() < ending:
        for name in random.sample(list(ways), len(ways)):
            started, calls = time.perf_counter(), 0
            while time.perf_counter() - started < ROUND_SECONDS:
                ways[name]()
                calls += 1
            found[name].append((time.perf_counter() - started) / calls * 1e6)
    return {name: (float(np.mean(times)), float(np.median(times))) for name, times in found.items()}


def main() -> None:
    pace, limit = per_microsecond(), threads.ALONE_SECONDS
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; microseconds a call, mean / median of rounds")
    for pieces in PIECES:
        for total in TOTAL_MICROSECONDS:
            count = int(total / pieces * pace)

            def piece(_: int, count: int = count) -> float:
                return float(spin(count))

            def call(number: int, alone_seconds: float, piece: Callable[[int], float] = piece, n: int = pieces) -> None:
                threads.ALONE_SECONDS = alone_seconds
                map_threads(piece, range(n), number)

            ways = {
                "alone": lambda call=call: call(1, limit),
                "shared": lambda call=call: call(2, 0.0),
                "map_threads": lambda call=call: call(2, limit),
            }
            shown = "  ".join(
                f"{name} {mean:6.0f} /{median:6.0f}" for name, (mean, median) in microseconds(ways).items()
            )
            print(f"{pieces} pieces of {total / pieces:6.1f}   {shown}", flush=True)


if __name__ == "__main__":
    main()
