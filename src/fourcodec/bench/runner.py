"""A bench run from the folder of pictures to the reports."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fourcodec import devices, files
from fourcodec.batch import engine
from fourcodec.batch.engine import RunOptions
from fourcodec.batch.journal import Journal, RunError
from fourcodec.batch.progress import duration
from fourcodec.bench import environment, sources, trial
from fourcodec.bench.aggregate import Aggregate
from fourcodec.bench.itemlog import ItemLog
from fourcodec.bench.items import Outcome, enumerate_items, kinds, work_of
from fourcodec.bench.progress import BenchProgress
from fourcodec.bench.reports import OUTPUTS, Circumstances, write_all
from fourcodec.bench.settings import OUR_NAME, BenchSettings, check_same
from fourcodec.bench.tables import Progress
from fourcodec.errors import LimitError, printable
from fourcodec.json_text import read_object

_SETTINGS, _LOG, _FILES = "settings.json", "items.jsonl", "files"
_SETTINGS_BYTES = 1 << 20


@dataclass(frozen=True)
class Finished:
    """The result of a run."""

    aggregate: Aggregate
    progress: Progress
    interrupted: bool


def run(settings: BenchSettings, options: RunOptions, command: str = "") -> Finished:
    """Measures what is not measured yet and writes the reports. Ctrl-C ends the measuring, not the reports.

    `command`: the command line, for the reports. Raises RunError for a run that cannot start, and ClusterError where
    the cluster fails.
    """
    found = sources.discover(Path(settings.folder))
    if not found:
        raise RunError(f"no pictures in {settings.folder!r}")
    if options.out.is_dir() and options.out.samefile(settings.folder):
        raise RunError(f"the results cannot be in the folder of the pictures, {settings.folder!r}: choose another -o")
    chosen = sources.sample(found, settings.limit, settings.seed)
    if settings.ours and options.scheduler is None:
        devices.resolve(settings.device)
    circumstances = Circumstances(
        settings, command, environment.versions(), environment.machine(), environment.git_revision()
    )
    count = len(chosen) * len(kinds(settings))
    with engine.locked_journal(options, _LOG) as journal:
        _prepare(journal, options, circumstances, sources.digest(chosen))
        log = ItemLog(journal, options.out / _FILES, count, partial(_belongs, settings=settings, chosen=chosen))
        interrupted = _measure(settings, options, log, chosen, len(found))
        progress = Progress(len(chosen), len(found), len(log), count)
        aggregate = write_all(options.out, log, circumstances, progress)
    return Finished(aggregate, progress, interrupted)


def _belongs(outcome: Outcome, settings: BenchSettings, chosen: Sequence[str]) -> bool:
    """True for an outcome that this run can have: of its picture and its codecs."""
    codecs = (OUR_NAME, *settings.peers)
    return outcome.image == chosen[outcome.index // len(kinds(settings))] and all(
        row.image == outcome.image and row.codec in codecs for row in outcome.rows
    )


def _prepare(journal: Journal, options: RunOptions, circumstances: Circumstances, pictures: str) -> None:
    """Writes settings.json, or compares it with this run's where there are results to go on from."""
    now = {**circumstances.settings.as_json(), "pictures": pictures, "versions": dict(circumstances.versions)}
    settings_file = options.out / _SETTINGS
    if options.resume and settings_file.exists():
        check_same(_read_settings(settings_file), now)
        return
    if options.force:
        _remove_results(options.out)
    if not journal.is_empty() or any((options.out / name).exists() for name in OUTPUTS):
        raise engine.holds_results(options.out)
    if settings_file.exists():
        _read_settings(settings_file)  # raises for one that is not of a run
    files.write(settings_file, json.dumps(now, indent=1).encode(), overwrite=True, within=options.out)


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        files.check_regular(path)
        settings = read_object(files.read(path, _SETTINGS_BYTES))
        if not isinstance(settings.get("versions"), dict):
            raise ValueError("there are no versions")
        return settings
    except (ValueError, LimitError) as exc:
        raise RunError(f"{str(path)!r} is damaged or of no run: choose another -o, or begin anew with -f") from exc


def _remove_results(out: Path) -> None:
    """Removes only what a run makes: the folder may hold other things."""
    for name in (_SETTINGS, *OUTPUTS):
        (out / name).unlink(missing_ok=True)
    for path in out.glob(f"{_FILES}/*.fnc"):
        if path.stem.isdecimal():
            path.unlink()


def _measure(settings: BenchSettings, options: RunOptions, log: ItemLog, chosen: Sequence[str], found: int) -> bool:
    """Measures every item that is not in the log. Returns whether Ctrl-C ended it."""
    try:
        seconds = None if options.quiet else _announce(settings, options, log, chosen, found)
        weights = [seconds.seconds_of(our) if seconds else 1.0 for our in kinds(settings)]
        with BenchProgress(len(chosen), weights, log, quiet=options.quiet) as progress:
            if seconds is not None:
                _say(_expectation(seconds, progress.time_left.left))

            def record(outcome: Outcome) -> None:
                log.append(outcome)
                progress.finish(outcome)

            waiting = (item for item in enumerate_items(chosen, settings) if item.index not in log)
            engine.run(waiting, work_of(settings), options, record)
    except KeyboardInterrupt:
        return True
    return False


def _announce(
    settings: BenchSettings, options: RunOptions, log: ItemLog, chosen: Sequence[str], found: int
) -> trial.Estimate | None:
    """Says what will be measured. Returns the estimate of its time, if one can be made."""
    sampled = f"{len(chosen)} pictures"
    if len(chosen) < found:
        sampled = f"{len(chosen)} of {found} pictures (a sample by seed {settings.seed}; --limit all takes every one)"
    measured = ", ".join([*(our.label for our in settings.ours), *settings.peers])
    pace = f"{settings.iterations} iterations" if settings.iterations else f"effort {settings.effort}"
    done = f"; {len(log)} items are done already" if len(log) else ""
    _say(f"{sampled}: {measured}{f' at {pace}' if settings.ours else ''}; results in {options.out}{done}")
    if options.scheduler is not None:
        return None  # its machines are not this one
    return trial.estimate(settings, chosen)


def _expectation(seconds: trial.Estimate, total: float) -> str:
    fits = [f"{duration(value - seconds.matching)} a fit of {label}" for label, value in seconds.fits.items()]
    parts = [*fits, f"{duration(seconds.peers + seconds.matching)} a picture for the peers"]
    return f"about {duration(total)}, by a trial: {', '.join(parts)}"


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)
