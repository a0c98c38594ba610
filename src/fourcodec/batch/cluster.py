"""Items on many machines: dask.distributed (the extra `cluster`), whose workers must see the files that items name.

Only a few futures for each worker are in flight, so that 50,000 pictures take no memory of the scheduler or of this
process. dask runs an item whose worker dies again on another one; an item that takes several workers with it is failed.
"""

import threading
from collections.abc import Generator, Iterable
from itertools import islice
from typing import Any

from fourcodec.batch.processes import share_threads
from fourcodec.batch.work import Item, Outcome, Work
from fourcodec.errors import FourcodecError, one_line

PER_THREAD = 2  # futures in flight for each thread of a worker: one at work and one waiting
CONNECT_SECONDS = 10.0
RETRIES = 2  # of an item that raises: `Work.run` does not raise, so that the cluster is the cause
# A lock of each worker process: two fits at once would count each other's time and memory.
_one_at_a_time = threading.Lock()


class ClusterError(FourcodecError):
    """No cluster answers, or not any more; the message is one line for a person."""


def run_on_cluster(items: Iterable[Item], work: Work[Item, Outcome], address: str) -> Generator[Outcome, None, None]:
    """Does items on a cluster and yields outcomes as they come.

    Raises ClusterError where no scheduler answers at `address`, where dask.distributed is not installed, and where the
    cluster fails.
    """
    distributed = _distributed()
    waiting = iter(items)
    with _client(distributed, address) as client:
        in_flight: dict[str, Item] = {}
        running = distributed.as_completed(raise_errors=False)

        def submit(item: Item) -> None:
            future = client.submit(run_on_worker, item, work, pure=False, retries=RETRIES)
            in_flight[future.key] = item
            running.add(future)

        for item in islice(waiting, _wanted_in_flight(client)):
            submit(item)
        for future in running:
            yield _outcome(distributed, future, in_flight.pop(future.key), work)
            for item in islice(waiting, max(0, _wanted_in_flight(client) - len(in_flight))):
                submit(item)


def run_on_worker(item: Item, work: Work[Item, Outcome]) -> Outcome:
    """Does one item within a worker, after those that the worker has begun, with as many threads as dask gave it."""
    from distributed import get_worker

    with _one_at_a_time:
        share_threads(get_worker().state.nthreads)
        return work.run(item)


def _outcome(distributed: Any, future: Any, item: Item, work: Work[Item, Outcome]) -> Outcome:
    """The outcome of a finished future. Raises ClusterError where the cause is not the item but the cluster."""
    try:
        return future.result()
    except distributed.scheduler.KilledWorker as exc:
        return work.failed(item, f"given up by the cluster: {one_line(exc)}")
    except (Exception, distributed.CancelledError) as exc:
        raise ClusterError(f"the cluster failed ({one_line(exc)}): continue with --resume") from exc


def _wanted_in_flight(client: Any) -> int:
    """The futures that may be in flight now; workers come and go."""
    threads = sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())
    return PER_THREAD * max(1, threads)


def _client(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as exc:
        raise ClusterError(f"no scheduler answers at {address!r}: {one_line(exc)}") from exc


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as exc:
        raise ClusterError("--scheduler needs dask.distributed: pip install 'fourcodec[cluster]'") from exc
    return distributed
