"""A folder from its listing to its last file: the whole line on one page."""

import sys
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from fourcodec import files
from fourcodec.batch import listing, plan
from fourcodec.batch.manifest import Entry, FolderError, Manifest
from fourcodec.batch.processes import run_here, run_in_processes
from fourcodec.batch.tasks import Direction, Result, Task
from fourcodec.batch.terminal import StatusLine, duration
from fourcodec.errors import one_line


@dataclass(frozen=True)
class FolderOptions:
    """What does not change the files that are made."""

    source: Path
    out: Path
    recursive: bool = False
    jobs: int = 1  # files at a time, sharing the cores
    scheduler: str | None = None  # address of a cluster, whose machines see `source`
    resume: bool = False
    force: bool = False
    quiet: bool = False


@dataclass
class Finished:
    """What a run came to."""

    done: int = 0
    skipped: int = 0  # done in an earlier run
    failed: list[tuple[str, str]] = field(default_factory=list)  # source and reason
    left: int = 0
    interrupted: bool = False


def run(direction: Direction, options: FolderOptions) -> Finished:
    """Does what is not done yet. Ctrl-C ends it, and what is done stays done.

    Raises FolderError and JournalError for runs that cannot start, ClusterError where the cluster fails.
    """
    sources = listing.discover(options.source, direction.suffixes, recursive=options.recursive)
    if not sources:
        below = "" if options.recursive else " (--recursive looks below it, too)"
        raise FolderError(f"nothing to {direction.name} in {str(options.source)!r}{below}")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f".fourcodec-{direction.name}.jsonl"
    if options.force:
        path.unlink(missing_ok=True)
    with Manifest(path) as manifest:
        if manifest.targets and not options.resume:
            raise FolderError(
                f"{str(options.out)!r} holds results: continue with --resume, begin anew with -f, or choose another -o"
            )
        manifest.begin(direction.settings)
        finished = Finished()
        tasks = _tasks(direction, options, manifest, sources, finished)
        _work(direction, options, manifest, tasks, finished)
    return finished


def _tasks(
    direction: Direction, options: FolderOptions, manifest: Manifest, sources: list[str], finished: Finished
) -> list[Task]:
    """What there is to do; counts what is done, and what must not be done since it would replace a stranger's file."""
    tasks, folder = [], options.source.resolve()
    for source, target in plan.targets(sources, direction.target_suffix, manifest.targets).items():
        path = options.out / target
        if manifest.is_done(source, folder, options.out):
            finished.skipped += 1
        elif path.exists() and source not in manifest.targets and not options.force:
            finished.failed.append((source, f"{str(path)!r} exists already: replace it with -f"))
        else:
            tasks.append(Task(str(folder), source, target))
    return tasks


def _work(
    direction: Direction, options: FolderOptions, manifest: Manifest, tasks: list[Task], finished: Finished
) -> None:
    finished.left = len(tasks)
    total = finished.left + finished.skipped + len(finished.failed)
    progress = _Progress(total, tasks, options.quiet)
    try:
        with closing(_engine(direction, options, tasks)) as results, closing(progress):
            for result in results:
                _finish(result, options.out, manifest, finished, progress)
    except KeyboardInterrupt:
        finished.interrupted = True


def _engine(direction: Direction, options: FolderOptions, tasks: Iterable[Task]) -> Generator[Result, None, None]:
    if options.scheduler is not None:
        from fourcodec.batch.cluster import run_on_cluster

        return run_on_cluster(tasks, direction.work, options.scheduler)
    if options.jobs > 1:
        return run_in_processes(tasks, direction.work, options.jobs)
    return run_here(tasks, direction.work)


def _finish(result: Result, out: Path, manifest: Manifest, finished: Finished, progress: "_Progress") -> None:
    """The target on the disk, then its line in the manifest."""
    error, path = result.error, out / result.task.target
    if result.stamp is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            manifest.claim(result.task.source, result.task.target)
            files.remove_leftovers(path)
            files.write(path, result.data, overwrite=True)
            manifest.append(Entry(result.task.source, result.task.target, len(result.data), result.stamp))
        except OSError as exc:
            error = one_line(exc)
    finished.left -= 1
    if error:
        finished.failed.append((result.task.source, error))
    else:
        finished.done += 1
    progress.show(result, finished)


class _Progress:
    """Files done and time left, by the bytes of the sources: pictures of more pixels are larger files, more or less."""

    def __init__(self, total: int, tasks: list[Task], quiet: bool) -> None:
        self._total, self._quiet = total, quiet
        self._weights = {task: 1 + _size(task.path) for task in tasks}
        self._left, self._done = sum(self._weights.values()), 0
        self._started = time.monotonic()
        self._status = StatusLine()

    def show(self, result: Result, finished: Finished) -> None:
        self._done += self._weights[result.task]
        self._left -= self._weights[result.task]
        if self._quiet:
            return
        for note in result.notes:
            self._status.clear()
            print(f"note: {result.task.source}: {note}", file=sys.stderr)
        left = (time.monotonic() - self._started) / self._done * self._left
        failed = f", {len(finished.failed)} failed" if finished.failed else ""
        line = f"{self._total - finished.left}/{self._total} files{failed}, {duration(left)} left"
        self._status.show(line, last=finished.left == 0)

    def close(self) -> None:
        self._status.close()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
