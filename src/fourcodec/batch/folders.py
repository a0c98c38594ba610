"""A run over a folder, from its listing to its last file."""

from dataclasses import dataclass, field
from pathlib import Path

from fourcodec import files
from fourcodec.batch import engine, listing, plan
from fourcodec.batch.engine import RunOptions
from fourcodec.batch.journal import RunError
from fourcodec.batch.manifest import Entry, Manifest
from fourcodec.batch.progress import RunProgress
from fourcodec.batch.tasks import Direction, Result, Task
from fourcodec.errors import FourcodecError, one_line


class _DiskFullError(FourcodecError):
    """No file can be written to the output folder any more."""


@dataclass
class Finished:
    """The result of a run."""

    done: int = 0
    skipped: int = 0  # done in an earlier run
    failed: list[tuple[str, str]] = field(default_factory=list)  # source and reason
    left: int = 0
    interrupted: bool = False
    stopped: str = ""  # why no file can be written any more


def run(direction: Direction, source: Path, options: RunOptions, *, recursive: bool = False) -> Finished:
    """Does the files of the folder `source` that are not done yet. Ctrl-C and a full disk end the run; what is done
    stays done.

    Raises RunError for a run that cannot start, and ClusterError where the cluster fails. The machines of a cluster
    must see `source` under the same path.
    """
    sources = listing.discover(source, direction.suffixes, recursive=recursive)
    if not sources:
        below = "" if recursive else " (--recursive looks below it, too)"
        raise RunError(f"nothing to {direction.name} in {str(source)!r}{below}")
    with engine.locked_journal(options, f".fourcodec-{direction.name}.jsonl") as journal:
        manifest = Manifest(journal)
        if manifest.targets and not options.resume:
            raise engine.holds_results(options.out)
        manifest.begin(direction.settings, direction.target_suffix)
        finished = Finished()
        tasks = _tasks(direction, source.resolve(), options, manifest, sources, finished)
        _work(direction, options, manifest, tasks, finished)
    return finished


def _tasks(
    direction: Direction, folder: Path, options: RunOptions, manifest: Manifest, sources: list[str], finished: Finished
) -> list[Task]:
    """The tasks that are left. `finished` gets the done files, and those whose target must not be replaced."""
    tasks = []
    for source, target in plan.targets(sources, direction.target_suffix, manifest.targets).items():
        path = options.out / target
        if manifest.is_done(source, folder, options.out):
            finished.skipped += 1
        elif files.leads_out(path, options.out):
            finished.failed.append((source, _leads_out(path)))
        elif path.exists() and source not in manifest.targets and not options.force:
            remedy = "remove it, or choose another -o" if options.resume else "replace it with -f"
            finished.failed.append((source, f"{str(path)!r} exists already: {remedy}"))
        else:
            tasks.append(Task(str(folder), source, target))
    return tasks


def _work(direction: Direction, options: RunOptions, manifest: Manifest, tasks: list[Task], finished: Finished) -> None:
    finished.left = len(tasks)
    total = finished.left + finished.skipped + len(finished.failed)
    # The time left goes by the bytes of the sources: pictures of more pixels are larger files, more or less.
    weights = {task: 1 + _size_bytes(task.path) for task in tasks}
    with RunProgress(total, "files", quiet=options.quiet) as progress:
        progress.time_left.left = sum(weights.values())

        def record(result: Result) -> None:
            error = result.error or _write(result, options.out, manifest)
            finished.left -= 1
            if error:
                finished.failed.append((result.task.source, error))
            else:
                finished.done += 1
            for note in result.notes:
                progress.note(f"note: {result.task.source}: {note}")
            progress.time_left.finish(weights[result.task])
            progress.update(total - finished.left, failed=len(finished.failed))

        try:
            engine.run(tasks, direction.work, options, record)
        except KeyboardInterrupt:
            finished.interrupted = True
        except _DiskFullError as exc:
            finished.stopped = str(exc)


def _write(result: Result, out: Path, manifest: Manifest) -> str:
    """Writes the target, then its line in the manifest; returns the error, if there is one.

    Raises _DiskFullError for one that the files after it would meet too, each after minutes of work.
    """
    assert result.stamp is not None
    path = out / result.task.target
    try:
        if files.leads_out(path, out):
            return _leads_out(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        manifest.claim(result.task.source, result.task.target)
        files.remove_leftovers(path)
        files.write(path, result.data, overwrite=True, within=out)
        manifest.append(Entry(result.task.source, result.task.target, len(result.data), result.stamp))
    except OSError as exc:
        if files.is_disk_full(exc):
            raise _DiskFullError(f"{result.task.target}: {exc.strerror or exc}") from exc
        return one_line(exc)
    return ""


def _leads_out(path: Path) -> str:
    return f"{str(path)!r} leads out of the folder through a link"


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
