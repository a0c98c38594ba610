"""Work shared among cores by Python threads.

The kernels release the GIL, so plain threads suffice. Numba's own parallel loops are not used: their default threading
layer aborts the process when two Python threads enter it at once. Results never depend on the number of threads:
callers divide work into pieces of fixed size and sum the results of the pieces in their order.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import CodeType
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Less work than that stays on one thread: handing over a part takes 20 to 60 us on a busy machine, more than a second
# thread saves (benchmarks/results/threads.txt).
ALONE_SECONDS = 100e-6

_pools: dict[int, ThreadPoolExecutor] = {}
# CPU time on one thread of the last map of a function over so many items
_seconds: dict[tuple[CodeType | None, int], float] = {}


def thread_count() -> int:
    """The number of threads to use: FOURCODEC_THREADS or NUMBA_NUM_THREADS if set, else that of the cores this process
    may run on."""
    for name in ("FOURCODEC_THREADS", "NUMBA_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdecimal() and int(value) > 0:
            return int(value)
    return available_cores()


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_threads(function: Callable[[Item], Result], items: Iterable[Item], threads: int) -> list[Result]:
    """[function(item) for item in items], in order, computed by up to `threads` threads.

    The calling thread is one of them, and the only one where the last map of this function over as many items took less
    than ALONE_SECONDS. An exception of `function` is raised after the calls under way are done; no others are started.
    """
    listed = list(items)
    if threads == 1 or len(listed) < 2:
        return [function(item) for item in listed]
    kind = getattr(function, "__code__", None), len(listed)
    started = time.thread_time()  # CPU time of this thread, without the time that it waits for others
    if _seconds.get(kind, ALONE_SECONDS) < ALONE_SECONDS:
        alone = [function(item) for item in listed]
        _seconds[kind] = time.thread_time() - started
        return alone
    results: dict[int, Result] = {}
    # One task per thread, not per item: an item takes a millisecond or less, and a future costs a hundredth of that.
    turns = itertools.count()  # next() on it is atomic

    def work() -> int:
        nonlocal turns
        done = 0
        try:
            while (turn := next(turns)) < len(listed):
                results[turn] = function(listed[turn])
                done += 1
        except BaseException:
            turns = itertools.count(len(listed))
            raise
        return done

    others = [_pool(threads).submit(work) for _ in range(min(threads, len(listed)) - 1)]
    try:
        if mine := work():
            _seconds[kind] = (time.thread_time() - started) / mine * len(listed)
    finally:
        # All items are taken. A task that has not begun is cancelled, not awaited: on a busy machine waiting for its
        # thread took longer than the work itself, where that is less than a millisecond.
        begun = [other for other in others if not other.cancel()]
        errors = [error for error in (other.exception() for other in begun) if error is not None]
    if errors:
        raise errors[0]
    return [results[turn] for turn in range(len(listed))]


def _pool(threads: int) -> ThreadPoolExecutor:
    if threads not in _pools:
        _pools[threads] = ThreadPoolExecutor(threads, thread_name_prefix="fourcodec")
    return _pools[threads]


# A forked child has none of its parent's threads, so it must not use its pools.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)
