"""A run from the folder to the reports: the whole line on one page."""

import json
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fourcodec import devices, files
from fourcodec.batch.processes import run_here, run_in_processes
from fourcodec.batch.terminal import duration
from fourcodec.bench import environment, ours, sources, trial
from fourcodec.bench.aggregate import Aggregate
from fourcodec.bench.itemlog import ItemLog
from fourcodec.bench.items import Item, Outcome, enumerate_items, items_per_image, work_of
from fourcodec.bench.progress import ProgressLine
from fourcodec.bench.reports import OUTPUTS, Circumstances, write_all
from fourcodec.bench.settings import BenchError, BenchSettings, refuse_changes
from fourcodec.bench.tables import Progress

_SETTINGS, _LOG, _FILES = "settings.json", "items.jsonl", "files"
Engine = Callable[[Iterable[Item]], Generator[Outcome, None, None]]


@dataclass(frozen=True)
class RunOptions:
    """What does not change the table."""

    out: Path
    jobs: int = 1
    scheduler: str | None = None
    resume: bool = False
    force: bool = False
    quiet: bool = False
    command: str = ""


@dataclass(frozen=True)
class Finished:
    """What a run came to."""

    aggregate: Aggregate
    progress: Progress
    interrupted: bool


def run(settings: BenchSettings, options: RunOptions) -> Finished:
    """Measures what is not measured yet and writes the reports. Ctrl-C ends the measuring, not the reports.

    Raises BenchError for runs that cannot start.
    """
    found = sources.discover(Path(settings.folder))
    if not found:
        raise BenchError(f"no pictures in {settings.folder!r}")
    chosen = sources.sample(found, settings.limit, settings.seed)
    if settings.ours:
        ours.check_supported(settings)
        if options.scheduler is None:
            devices.resolve(settings.device)
    circumstances = Circumstances(
        settings, options.command, environment.versions(), environment.machine(), environment.git_revision()
    )
    _prepare(options, circumstances, sources.digest(chosen))
    count = len(chosen) * items_per_image(settings)
    with ItemLog(options.out / _LOG, options.out / _FILES, count) as log:
        interrupted = _measure(settings, options, log, chosen, len(found))
        progress = Progress(len(chosen), len(found), len(log), count)
        aggregate = write_all(options.out, log, circumstances, progress)
    return Finished(aggregate, progress, interrupted)


def _prepare(options: RunOptions, circumstances: Circumstances, pictures: str) -> None:
    """An empty folder with settings.json, or one whose settings.json says the same."""
    now = {**circumstances.settings.as_json(), "pictures": pictures, "versions": dict(circumstances.versions)}
    settings_file = options.out / _SETTINGS
    if options.resume and settings_file.exists():
        refuse_changes(_read_settings(settings_file), now)
        return
    if _holds_results(options.out):
        if not options.force:
            raise BenchError(
                f"{str(options.out)!r} holds results: continue with --resume, replace with -f, or choose another -o"
            )
        _remove_results(options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    files.write(settings_file, json.dumps(now, indent=1).encode(), overwrite=True)


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        stored: dict[str, Any] = json.loads(path.read_bytes())
        return stored
    except ValueError as exc:
        raise BenchError(f"{str(path)!r} is damaged: begin anew with -f") from exc


def _holds_results(out: Path) -> bool:
    """Not so a run that ended before its first item (no such scheduler, say)."""
    log = out / _LOG
    return (log.exists() and log.stat().st_size > 0) or any((out / name).exists() for name in OUTPUTS)


def _remove_results(out: Path) -> None:
    """Only what a run makes: the folder may hold other things."""
    for name in (_SETTINGS, _LOG, *OUTPUTS):
        (out / name).unlink(missing_ok=True)
    for pattern in (f"{_FILES}/*.fnc", "rate_*.svg", "rate_*.png"):
        for path in out.glob(pattern):
            path.unlink()


def _measure(settings: BenchSettings, options: RunOptions, log: ItemLog, chosen: Sequence[str], found: int) -> bool:
    """Every item that is not in the log. Returns whether it was interrupted."""
    try:
        seconds = None if options.quiet else _announce(settings, options, log, chosen, found)
        line = _progress_line(settings, log, chosen, seconds)
        waiting = (item for item in enumerate_items(chosen, settings) if item.index not in log)
        with closing(_engine(settings, options)(waiting)) as outcomes, closing(line):
            for outcome in outcomes:
                log.append(outcome)
                if not options.quiet:
                    line.done(_item_of(outcome, settings), outcome)
    except KeyboardInterrupt:
        return True
    return False


def _progress_line(
    settings: BenchSettings, log: ItemLog, chosen: Sequence[str], seconds: trial.Estimate | None
) -> ProgressLine:
    line = ProgressLine(len(chosen), items_per_image(settings), seconds.item_seconds if seconds else lambda _: 1.0)
    for item in enumerate_items(chosen, settings):
        if item.index in log:
            line.already_done(item.index)
        else:
            line.expect(item)
    return line


def _item_of(outcome: Outcome, settings: BenchSettings) -> Item:
    kinds = list(enumerate_items([outcome.image], settings))
    return Item(outcome.index, outcome.image, kinds[outcome.index % len(kinds)].our)


def _engine(settings: BenchSettings, options: RunOptions) -> Engine:
    work = work_of(settings)
    if options.scheduler is not None:
        from fourcodec.batch.cluster import run_on_cluster

        address = options.scheduler
        return lambda items: run_on_cluster(items, work, address)
    if options.jobs > 1:
        return lambda items: run_in_processes(items, work, options.jobs)
    return lambda items: run_here(items, work)


def _announce(
    settings: BenchSettings, options: RunOptions, log: ItemLog, chosen: Sequence[str], found: int
) -> trial.Estimate | None:
    """Says what will be done and how long it will take, before it begins."""
    sampled = f"{len(chosen)} pictures"
    if len(chosen) < found:
        sampled = f"{len(chosen)} of {found} pictures (a sample by seed {settings.seed}; --limit all takes every one)"
    measured = ", ".join([*(our.label for our in settings.ours), *settings.peers])
    pace = f"{settings.iterations} iterations" if settings.iterations else f"effort {settings.effort}"
    done = f"; {len(log)} items are done already" if len(log) else ""
    _say(f"{sampled}: {measured}{f' at {pace}' if settings.ours else ''}; results in {options.out}{done}")
    if options.scheduler is not None:
        return None  # its machines are not this one
    seconds = trial.estimate(settings, chosen)
    if seconds is not None:
        _say(_expectation(seconds, (item for item in enumerate_items(chosen, settings) if item.index not in log)))
    return seconds


def _expectation(seconds: trial.Estimate, left: Iterable[Item]) -> str:
    total = sum(map(seconds.item_seconds, left))
    fits = [f"{duration(value - seconds.matching)} a fit of {label}" for label, value in seconds.fits.items()]
    parts = [*fits, f"{duration(seconds.peers + seconds.matching)} a picture for the peers"]
    return f"about {duration(total)}, by a trial: {', '.join(parts)}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
