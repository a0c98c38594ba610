"""Killed, interrupted, or losing its workers: a run ends in the same table."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fourcodec.batch.engine import RunOptions
from fourcodec.batch.journal import RunError
from fourcodec.batch.processes import run_in_processes
from fourcodec.bench.items import Item, Outcome, enumerate_items, work_of
from fourcodec.bench.runner import run
from fourcodec.bench.settings import BenchSettings
from tests.support.benches import table
from tests.support.door import VARIABLE, Door
from tests.support.killed import bytes_below, killed, surroundings

Make = Callable[..., BenchSettings]


def start(folder: Path, out: Path, jobs: int, *more: str) -> subprocess.Popen:
    """A run in a process group of its own."""
    command = [sys.executable, "-m", "tests.support.run_stub", str(folder), str(out), str(jobs), *more]
    return subprocess.Popen(command, env=surroundings(), start_new_session=True)


def finished_items(out: Path) -> int:
    return (out / "items.jsonl").read_bytes().count(b"\n")


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_three_times_and_resumed_it_ends_in_the_same_table(
    jobs: int, folder: Path, tmp_path: Path, settings_of: Make
) -> None:
    """While it logs an outcome, and before one of our files has its name."""
    run(settings_of(folder), RunOptions(tmp_path / "undisturbed", quiet=True))
    out, done = tmp_path / "out", 0
    for moment, number in (("fsync", 3), ("replace", 2), ("fsync", 4)):
        code = "from tests.support.run_stub import main\nmain()"
        killed(code, str(folder), str(out), str(jobs), "resume", moment=moment, number=number)
        assert done < (done := finished_items(out)) < 9
        assert not (out / "results.csv").exists()
    assert start(folder, out, jobs, "resume").wait() == 0
    assert table(out, repeatable=True) == table(tmp_path / "undisturbed", repeatable=True)


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_in_a_fit_and_resumed_it_ends_in_the_same_table(
    jobs: int, folder: Path, tmp_path: Path, settings_of: Make, door: Door
) -> None:
    out = tmp_path / "out"
    process = start(folder, out, jobs)
    door.let_in(2)
    door.knock()
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 0 < finished_items(out) < 9
    door.open()
    assert start(folder, out, jobs, "resume").wait() == 0
    run(settings_of(folder), RunOptions(tmp_path / "undisturbed", quiet=True))
    assert table(out, repeatable=True) == table(tmp_path / "undisturbed", repeatable=True)


@pytest.mark.parametrize("mode", ["resume", "force"])
def test_a_second_run_is_refused_and_the_first_loses_nothing(
    mode: str, folder: Path, tmp_path: Path, settings_of: Make, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = start(folder, out, 1)
    door.let_in(2)
    door.knock()  # its third fit is under way
    (out / "files" / ".000002.fnc.0123456789ab.tmp").write_bytes(b"what it has written of a file")
    before = bytes_below(out)
    monkeypatch.delenv(VARIABLE)  # a second run that is not refused does not wait
    with pytest.raises(RunError, match="another run is writing"):
        run(settings_of(folder), RunOptions(out, resume=mode == "resume", force=mode == "force", quiet=True))
    assert bytes_below(out) == before
    door.open()
    assert first.wait() == 0
    run(settings_of(folder), RunOptions(tmp_path / "undisturbed", quiet=True))
    assert table(out, repeatable=True) == table(tmp_path / "undisturbed", repeatable=True)


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_with_the_summary_so_far(jobs: int, folder: Path, tmp_path: Path, door: Door) -> None:
    out = tmp_path / "out"
    interrupted = start(folder, out, jobs)
    door.let_in(2)
    door.knock()  # the third fit of six is under way
    os.killpg(interrupted.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    assert interrupted.wait() == 130
    assert "**Stopped early**" in (out / "summary.md").read_text()
    so_far = table(out, repeatable=True)
    assert so_far
    door.open()
    assert start(folder, out, jobs, "resume").wait() == 0
    assert len(table(out)) > len(so_far)
    assert "Stopped early" not in (out / "summary.md").read_text()


def test_an_item_whose_worker_dies_is_done_by_another(
    folder: Path, tmp_path: Path, settings_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(folder)
    (tmp_path / "victim").touch()
    monkeypatch.setenv("STUB_KILL", str(tmp_path / "victim"))
    images = ["n01/a.png", "n01/b.JPEG", "n02/c.webp"]
    outcomes = sorted(
        run_in_processes(enumerate_items(images, settings), work_of(settings), 2), key=lambda one: one.index
    )
    assert not (tmp_path / "victim").exists()
    assert [outcome.index for outcome in outcomes] == list(range(9))
    assert not [row for outcome in outcomes for row in outcome.rows if "failed" in row.note]


def test_an_item_that_kills_every_worker_is_given_up(folder: Path, settings_of: Make) -> None:
    settings = settings_of(folder, codec="tests.support.deadly_codec")
    outcomes = list(run_in_processes(enumerate_items(["n01/a.png"], settings), work_of(settings), 2))
    assert len(outcomes) == 3
    notes = [row.note for outcome in outcomes for row in outcome.rows if row.codec == "fourcodec"]
    assert notes == ["failed: its process ended 3 times (exit status -9): out of memory?"] * 2


def test_the_next_item_begins_only_when_the_last_outcome_was_taken(folder: Path, settings_of: Make) -> None:
    settings = settings_of(folder)
    begun: list[int] = []

    def watched() -> "list[Item]":
        for item in enumerate_items(["n01/a.png", "n01/b.JPEG", "n02/c.webp"], settings):
            begun.append(item.index)
            yield item

    taken: list[Outcome] = []
    for outcome in run_in_processes(watched(), work_of(settings), 2):
        taken.append(outcome)
        assert len(begun) <= len(taken) + 1  # two workers: one item beside the one just taken
    assert len(taken) == 9
