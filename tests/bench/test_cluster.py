"""The same table from a dask.distributed cluster, also when a worker is killed at work."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fourcodec.batch.cluster import ClusterError, run_on_cluster
from fourcodec.batch.engine import RunOptions
from fourcodec.bench.items import enumerate_items, work_of
from fourcodec.bench.runner import run
from fourcodec.bench.settings import BenchSettings
from tests.support.benches import table
from tests.support.door import Door
from tests.support.killed import surroundings

distributed = pytest.importorskip("distributed")

Make = Callable[..., BenchSettings]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two workers on this machine, one thread each."""
    monkeypatch.setenv("PYTHONPATH", surroundings()["PYTHONPATH"])
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0, silence_logs=50
    ) as local:
        yield local


def meanwhile(function: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


# In both tests the door comes before the cluster, whose workers inherit the environment.


def test_a_worker_killed_at_work_changes_nothing(
    door: Door, cluster: Any, folder: Path, tmp_path: Path, settings_of: Make
) -> None:
    settings, dead = settings_of(folder), []

    def kill_a_worker_at_work() -> None:
        door.let_in(2)
        dead.append(door.knock())
        os.kill(dead[0], signal.SIGKILL)
        door.open()

    killer = meanwhile(kill_a_worker_at_work)
    options = RunOptions(tmp_path / "cluster", scheduler=cluster.scheduler_address, quiet=True)
    assert run(settings, options).progress.complete
    killer.join()
    assert dead
    run(settings, RunOptions(tmp_path / "here", quiet=True))
    assert table(tmp_path / "cluster", repeatable=True) == table(tmp_path / "here", repeatable=True)


def test_a_cluster_that_goes_away_fails_no_items(
    door: Door, cluster: Any, folder: Path, tmp_path: Path, settings_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fourcodec.batch.cluster.CONNECT_SECONDS", 1)
    out = tmp_path / "out"

    def close_at_work() -> None:
        door.let_in(2)
        door.knock()  # this fit never ends
        cluster.close()

    closer = meanwhile(close_at_work)
    with pytest.raises(ClusterError, match=r"the cluster failed .*--resume"):
        run(settings_of(folder), RunOptions(out, scheduler=cluster.scheduler_address, quiet=True))
    closer.join()
    door.open()
    run(settings_of(folder), RunOptions(out, resume=True, quiet=True))
    run(settings_of(folder), RunOptions(tmp_path / "here", quiet=True))
    assert table(out, repeatable=True) == table(tmp_path / "here", repeatable=True)


def test_few_items_are_in_flight(cluster: Any, folder: Path, settings_of: Make) -> None:
    settings = settings_of(folder, ours=(), peers=("jpeg",))
    begun = []

    def many() -> Iterator[Any]:
        for item in enumerate_items(["n01/a.png"] * 20, settings):
            begun.append(item.index)
            yield item

    taken = 0
    for _ in run_on_cluster(many(), work_of(settings), cluster.scheduler_address):
        taken += 1
        assert len(begun) <= taken + 4  # two for each of two threads
    assert taken == 20


def test_no_scheduler_at_the_address_is_one_line(
    folder: Path, settings_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fourcodec.batch.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(ClusterError, match=r"no scheduler answers at 'tcp://127\.0\.0\.1:1'"):
        list(run_on_cluster([], work_of(settings_of(folder)), "tcp://127.0.0.1:1"))
    with pytest.raises(ClusterError, match="no scheduler answers at 'nonsense://x'"):
        list(run_on_cluster([], work_of(settings_of(folder)), "nonsense://x"))
