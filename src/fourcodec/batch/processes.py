"""The engines of one machine: this process, or several that share its cores.

Workers are started afresh (spawn), since threads do not survive a fork. Each has one item at a
time, and gets the next when the outcome of the last has been taken, that is, when it is on the disk.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic

from fourcodec.batch.work import Item, Outcome, Work

ATTEMPTS = 3  # of an item whose worker dies, since the death may be another's fault (memory)
# The first is read by our kernels at every use, the others by libraries when they are loaded.
_THREAD_VARIABLES = ("FOURCODEC_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_here(items: Iterable[Item], work: Work[Item, Outcome]) -> Generator[Outcome, None, None]:
    """One item after the other in this process, with all its threads."""
    for item in items:
        yield work.run(item)


def run_in_processes(items: Iterable[Item], work: Work[Item, Outcome], jobs: int) -> Generator[Outcome, None, None]:
    """`jobs` items at a time, each in a process with its share of the cores; outcomes as they come."""
    waiting = iter(items)
    threads = max(1, available_cores() // jobs)
    workers: list[_Worker[Item, Outcome]] = []
    try:
        for item in _first(waiting, jobs):
            workers.append(_Worker(work, threads, item))
        while workers:
            for worker in _ready(workers):
                outcome = worker.outcome()
                if outcome is None:  # it died: the item once more, elsewhere
                    workers[workers.index(worker)] = worker.replaced()
                    continue
                yield outcome
                following = next(waiting, None)
                if following is None:
                    workers.remove(worker)
                    worker.stop()
                else:
                    worker.give(following)
    finally:
        for worker in workers:
            worker.stop()


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker(Generic[Item, Outcome]):
    """A process and the item it has."""

    def __init__(self, work: Work[Item, Outcome], threads: int, item: Item, attempt: int = 1) -> None:
        self.work, self.threads = work, threads
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, work, threads), daemon=True)
        with _deaf_children():
            self.process.start()
        theirs.close()
        self.give(item, attempt)

    def give(self, item: Item, attempt: int = 1) -> None:
        self.item, self.attempt = item, attempt
        with suppress(OSError):  # it is dead, which `outcome` will notice
            self.pipe.send(item)

    def outcome(self) -> Outcome | None:
        """None where the worker died and the item deserves another attempt."""
        try:
            outcome: Outcome = self.pipe.recv()
            return outcome
        except (EOFError, OSError):
            self.process.join()
            if self.attempt < ATTEMPTS:
                return None
            reason = f"its process ended {ATTEMPTS} times (exit status {self.process.exitcode}): out of memory?"
            return self.work.failed(self.item, reason)

    def replaced(self) -> "_Worker[Item, Outcome]":
        self.stop()
        return _Worker(self.work, self.threads, self.item, self.attempt + 1)

    def stop(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def _first(items: Iterator[Item], count: int) -> Iterator[Item]:
    for _, item in zip(range(count), items, strict=False):
        yield item


def _ready(workers: list[_Worker[Item, Outcome]]) -> list[_Worker[Item, Outcome]]:
    """Waits until a worker has sent something or is gone (its end of the pipe closes with it)."""
    pipes = connection.wait([worker.pipe for worker in workers])
    return [worker for worker in workers if worker.pipe in pipes]


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes that are started meanwhile never hear of Ctrl-C, which reaches the whole group; we end them ourselves.

    They inherit the mask: until they could ignore the signal themselves they would show where in Python's start it met
    them. We hear of it once the mask is lifted.
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # started by the first process, it would lift the mask too early
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, work: Work[Any, Any], threads: int) -> None:
    """The life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where there are no masks to inherit
    threading.Thread(target=_end_with_parent, daemon=True).start()
    share_threads(threads)
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        pipe.send(work.run(item))


def _end_with_parent() -> None:
    """A killed parent cannot end its workers, and an orphan would fit on for minutes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def share_threads(threads: int) -> None:
    """Limits the threads of this process's numerical code, of what is loaded already as far as it can be."""
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)
