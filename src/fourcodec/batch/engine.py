"""The engine of a run over many items: in one process, several, or on a cluster; stopped at any moment and resumed.

    journal (locked) -> items not done yet -> outcomes -> recorded, each before its worker gets the next item

Folders and bench are its users: they say what an item is, how it is done (`Work`) and how an outcome is recorded.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fourcodec.batch.journal import Journal, RunError
from fourcodec.batch.processes import run_here, run_in_processes
from fourcodec.batch.work import Item, Outcome, Work


@dataclass(frozen=True)
class RunOptions:
    """The options of a run that do not change its results."""

    out: Path
    jobs: int = 1  # items at a time, sharing the cores of this machine
    scheduler: str | None = None  # the address of a cluster, in place of this machine
    resume: bool = False
    force: bool = False
    quiet: bool = False


@contextmanager
def locked_journal(options: RunOptions, name: str) -> Iterator[Journal]:
    """The journal called `name` in the output folder, locked, and emptied where `force` is given.

    A run removes and replaces files of earlier runs only within this context. Raises RunError and OSError as
    `open_locked`, and OSError where the folder cannot be made.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    with Journal(options.out / name) as journal:
        if options.force:
            journal.clear()
        yield journal


def holds_results(out: Path) -> RunError:
    """The error of a run that finds results in its folder and is neither to resume nor to replace them."""
    return RunError(f"{str(out)!r} holds results: continue with --resume, begin anew with -f, or choose another -o")


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The settings that differ between two runs, a sentence each. Values are JSON types; None means not given."""
    return [
        f"{name} was {shown(before.get(name))} and is now {shown(now.get(name))}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]


def refuse_changes(changed: list[str]) -> None:
    """Raises RunError that names the changes, if there are any: results of two settings do not belong together."""
    if changed:
        raise RunError(f"cannot resume: {'; '.join(changed)}. Repeat the first command, or begin anew with -f")


def run(
    items: Iterable[Item], work: Work[Item, Outcome], options: RunOptions, record: Callable[[Outcome], None]
) -> None:
    """Does all items and calls `record` for each outcome, in this process and in the order of their ends.

    Raises ClusterError where a cluster fails, and what `record` raises. Whatever ends it, Ctrl-C included, its workers
    are ended too.
    """
    with closing(_outcomes(items, work, options)) as outcomes:
        for outcome in outcomes:
            record(outcome)


def _outcomes(items: Iterable[Item], work: Work[Item, Outcome], options: RunOptions) -> Generator[Outcome, None, None]:
    if options.scheduler is not None:
        from fourcodec.batch.cluster import run_on_cluster

        return run_on_cluster(items, work, options.scheduler)
    if options.jobs > 1:
        return run_in_processes(items, work, options.jobs)
    return run_here(items, work)


def shown(value: Any) -> str:
    """The value of a setting, a JSON type, in words."""
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return "not given" if value is None else str(value)
