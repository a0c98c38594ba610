"""Items on one machine: in this process, or in several that share its cores.

Worker processes are started afresh (spawn), since threads do not survive a fork. A worker has one item at a time, and
gets the next one when the outcome of the last has been taken, that is, when it is on the disk.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic

from fourcodec.batch.work import Item, Outcome, Work
from fourcodec.threads import thread_count

ATTEMPTS = 3  # at an item whose worker dies, since another process may have taken the memory that it lacked
# The first one is read by our kernels at every use, the others by libraries when they are loaded.
_THREAD_VARIABLES = ("FOURCODEC_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_here(items: Iterable[Item], work: Work[Item, Outcome]) -> Generator[Outcome, None, None]:
    """Does one item after the other in this process, with all its threads."""
    for item in items:
        yield work.run(item)


def run_in_processes(items: Iterable[Item], work: Work[Item, Outcome], jobs: int) -> Generator[Outcome, None, None]:
    """Does `jobs` items at a time, each in a process with its share of the threads, and yields outcomes as they come.

    An item whose worker dies is done again by another worker, and is failed after ATTEMPTS of them.
    """
    waiting = iter(items)
    threads = max(1, thread_count() // jobs)
    workers: list[_Worker[Item, Outcome]] = []
    try:
        for item in islice(waiting, jobs):
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


class _Worker(Generic[Item, Outcome]):
    """A worker process and the item that it has."""

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
        with suppress(OSError):  # the worker is dead, which `outcome` will notice
            self.pipe.send(item)

    def outcome(self) -> Outcome | None:
        """Waits for the outcome; None where the worker died and the item deserves another attempt."""
        try:
            return self.pipe.recv()
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


def _ready(workers: list[_Worker[Item, Outcome]]) -> list[_Worker[Item, Outcome]]:
    """Waits until workers have sent something or are dead, which closes their end of the pipe."""
    pipes = connection.wait([worker.pipe for worker in workers])
    return [worker for worker in workers if worker.pipe in pipes]


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Keeps Ctrl-C from the processes that are started within this context; their parent ends them.

    Ctrl-C reaches the whole process group. Children inherit the parent's signal mask: if they ignored the signal
    themselves, it could meet them before that, and Python would print where in its start it was. The parent gets a
    signal that arrives within this context at its end.
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # started together with the first process it would lift the mask too early
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, work: Work[Any, Any], threads: int) -> None:
    """Does items until the pipe closes: the main function of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for systems without signal masks
    threading.Thread(target=_end_with_parent, daemon=True).start()
    share_threads(threads)
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        pipe.send(work.run(item))


def _end_with_parent() -> None:
    """Waits for the parent's end: a killed parent cannot end its workers, which would go on for minutes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def share_threads(threads: int) -> None:
    """Limits the threads of this process's numerical code; libraries that are loaded already keep theirs, but torch."""
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)
