"""`encode` and `decode` of a folder: their options, the run and its summary."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fourcodec.cli import options
from fourcodec.cli.options import MOST_JOBS, STANDARD

if TYPE_CHECKING:
    from fourcodec.batch.tasks import Direction

_ONLY_FOLDERS = ("recursive", "jobs", "scheduler", "resume")


def folder_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --recursive, --jobs, --resume and --scheduler, which the command takes among its **options and hands on."""
    for option in (
        click.option("--scheduler", metavar="ADDRESS", help="Of a folder: do the work on this dask cluster."),
        click.option("--resume", is_flag=True, help="Of a folder: do what is not done yet, or has changed since."),
        click.option(
            "--jobs", type=click.IntRange(1, MOST_JOBS), help="Of a folder: files at a time, sharing the cores."
        ),
        click.option("--recursive", is_flag=True, help="Of a folder: the folders below it, too."),
    ):
        command = option(command)
    return command


def refuse_folder_options(of_folder: dict[str, Any]) -> None:
    """Raises UsageError for a single file with options of folders, unless they come from the environment."""
    given = [f"--{name}" for name in _ONLY_FOLDERS if options.without_environment(of_folder).get(name)]
    if given:
        raise click.UsageError(f"{' and '.join(given)} {'are' if given[1:] else 'is'} about folders, and IN is none")


def run_folder(
    direction: "Direction",
    source: Path,
    out: Path | None,
    of_folder: dict[str, Any],
    *,
    force: bool,
    quiet: bool,
    as_json: bool = False,
) -> int:
    """Does the run, prints its summary and returns the exit status. Raises UsageError, and as `batch.folders.run`."""
    from fourcodec.batch.engine import RunOptions
    from fourcodec.batch.folders import run

    if out is None or out == STANDARD:
        raise click.UsageError("a folder needs -o, the folder to write to")
    if of_folder["resume"] and force:
        raise click.UsageError("--resume continues and -f begins anew: give one of them")
    if of_folder["jobs"] and of_folder["scheduler"]:
        raise click.UsageError("--jobs is about this machine and --scheduler about others: give one of them")
    given = RunOptions(
        out, of_folder["jobs"] or 1, of_folder["scheduler"], resume=of_folder["resume"], force=force, quiet=quiet
    )
    finished = run(direction, source, given, recursive=of_folder["recursive"])
    for name, reason in finished.failed:
        options.say(f"failed: {name}: {reason}", err=True)
    if as_json:
        counts = {"done": finished.done, "skipped": finished.skipped, "left": finished.left}
        failures = [{"source": name, "reason": reason} for name, reason in finished.failed]
        stopped = {"stopped": finished.stopped} if finished.stopped else {}
        click.echo(json.dumps({"output": str(out), **counts, "failed": failures, **stopped}))
    elif not quiet:
        skipped = f", {finished.skipped} were done before" if finished.skipped else ""
        failed = f", {len(finished.failed)} failed" if finished.failed else ""
        options.say(f"{out}: {finished.done} files{skipped}{failed}")
    if finished.interrupted:
        click.echo(f"interrupted, {finished.left} files left: continue with --resume", err=True)
        return 130
    if finished.stopped:
        where = f"stopped, {finished.left} files left: {finished.stopped}"
        options.say(f"{where}; make room, then continue with --resume", err=True)
    return int(bool(finished.failed or finished.stopped))
