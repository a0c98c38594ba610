"""`fourcodec bench`."""

import json
import shlex
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import click

from fourcodec import extras
from fourcodec.batch.engine import RunOptions
from fourcodec.bench.baselines import BASELINES
from fourcodec.bench.reports import summary_json
from fourcodec.bench.runner import Finished, run
from fourcodec.bench.settings import BenchSettings, OurSetting
from fourcodec.bench.tables import headline
from fourcodec.cli import options
from fourcodec.cli.help import Command
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import MAX_DEPTH, MAX_WIDTH
from fourcodec.grid import profile as grid
from fourcodec.request import DEFAULT_DEPTH, DEFAULT_WIDTH, PROFILE_NAMES
from fourcodec.tuning import PSNR, TUNES, VISUAL

DEFAULT_EFFORT = 2  # fast: a folder is many pictures
DEFAULT_LIMIT = 24
DEFAULT_QUALITIES = (20, 45, 70, 90)
MAX_SETTINGS = 200


class Numbers(click.ParamType):
    """A list like 4,6,8 of different numbers within a range."""

    name = "n,n,..."

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of whole numbers like 4,6,8", param, ctx)
        for number in numbers:
            if not self.low <= number <= self.high:
                self.fail(f"{number} is not between {self.low} and {self.high}", param, ctx)
        return tuple(dict.fromkeys(numbers))


class Limit(click.ParamType):
    """A number of pictures, or all."""

    name = "n|all"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value)
        if text != "all" and not (text.isdecimal() and int(text)):
            self.fail(f"{value!r} is neither a number of pictures nor 'all'", param, ctx)
        return text if text == "all" else int(text)


class Codecs(click.ParamType):
    """A list like jpeg,webp,avif."""

    name = "codec,..."

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(dict.fromkeys(filter(None, str(value).split(","))))
        for name in names:
            if name not in BASELINES:
                self.fail(f"{name!r} is not one of {', '.join(BASELINES)}", param, ctx)
            if not BASELINES[name].available():
                self.fail(f"this Pillow cannot write {name} (is its plugin installed?)", param, ctx)
        return names


@click.command(
    cls=Command,
    examples="""
    fourcodec bench photos                                   # 24 of the pictures, against JPEG
    fourcodec bench photos --codecs jpeg,webp,avif --limit all --jobs 2 -o run
    fourcodec bench photos --width 6,8 --depth 4,6           # the pure network in four sizes
    fourcodec bench photos -o run --resume                   # go on with what was begun
    """,
)
@click.argument("folder", metavar="DIR", type=options.EXISTING_PATH)
@click.option(
    "-o",
    "--output",
    type=options.FOLDER,
    help="The folder to write to.  [default: bench-<time>]",
)
@click.option("--codecs", type=Codecs(), default="jpeg", show_default=True, help=f"Peers: {', '.join(BASELINES)}.")
@click.option("--peers-only", is_flag=True, help="Measure the peers' curves and nothing of ours.")
@click.option("--width", "widths", type=Numbers(1, MAX_WIDTH), help="Widths of our pure networks.  [default: 8]")
@click.option("--depth", "depths", type=Numbers(1, MAX_DEPTH), help="Depths, each with each width.  [default: 6]")
@click.option(
    "-q",
    "--quality",
    "qualities",
    type=Numbers(0, 100),
    help="Qualities of our files.  [default: 20,45,70,90 of the grid, unless there are widths or depths]",
)
@click.option("--profile", type=click.Choice(PROFILE_NAMES), help="The kind of our files, as in encode.")
@options.device_option("auto")
@click.option(
    "--effort", type=click.IntRange(1, 9), default=DEFAULT_EFFORT, show_default=True, help="1 is fast, 9 is good."
)
@options.iterations_option
@click.option("--tune", type=click.Choice(TUNES), default=PSNR, show_default=True, help="As in encode.")
@click.option(
    "--limit", type=Limit(), default=DEFAULT_LIMIT, show_default=True, help="A seeded sample of so many pictures."
)
@options.seed_option("Of the sample and the fits.")
@click.option(
    "--jobs",
    type=click.IntRange(1, options.MOST_JOBS),
    default=1,
    show_default=True,
    help="Pictures at a time, sharing the cores.",
)
@options.resume_option
@click.option("--scheduler", metavar="ADDRESS", help="Run on a dask.distributed cluster, like tcp://host:8786.")
@click.option("--strict", is_flag=True, help="Exit with 1 if any file was skipped or failed.")
@options.force_option
@options.json_option
@options.quiet_option
@options.debug_option
def bench(
    folder: Path,
    output: Path | None,
    codecs: tuple[str, ...],
    peers_only: bool,
    widths: tuple[int, ...] | None,
    depths: tuple[int, ...] | None,
    qualities: tuple[int, ...] | None,
    tune: str,
    limit: int | str,
    jobs: int,
    resume: bool,
    scheduler: str | None,
    strict: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
    **of_fit: Any,
) -> int:
    """Measure our files against JPEG and others at the same bytes, on the pictures in DIR and below."""
    extras.require("bench", "bjontegaard", "matplotlib", "pytorch_msssim", "torch", extra="bench")
    if resume and output is None:
        raise click.UsageError("--resume needs -o, the folder of the run to continue")
    if resume and force:
        raise click.UsageError("--resume continues and -f begins anew: give one of them")
    settings = BenchSettings(
        folder=str(folder.resolve()),
        peers=codecs,
        ours=() if peers_only else _our_settings(widths, depths, qualities, of_fit["profile"], tune),
        limit=None if limit == "all" else int(limit),
        **of_fit,
    )
    if peers_only and not settings.peers:
        raise click.UsageError("--peers-only without any --codecs leaves nothing to measure")
    if len(settings.ours) > MAX_SETTINGS:
        raise click.UsageError(f"{len(settings.ours)} sizes are more than the {MAX_SETTINGS} of one run")
    out = output or Path(time.strftime("bench-%Y%m%d-%H%M%S"))
    command = shlex.join(["fourcodec", *sys.argv[1:]])
    finished = run(settings, RunOptions(out, jobs, scheduler, resume, force, quiet), command)
    if as_json:
        click.echo(json.dumps({"output": str(out), **summary_json(finished.aggregate, finished.progress)}))
    elif not quiet:
        _show(finished, out)
    if finished.interrupted:
        return 130
    problems = finished.aggregate.skipped.count + finished.aggregate.failed.count
    return int(not finished.aggregate.measured_files or (strict and problems > 0))


def _our_settings(
    widths: tuple[int, ...] | None,
    depths: tuple[int, ...] | None,
    qualities: tuple[int, ...] | None,
    profile: str | None,
    tune: str,
) -> tuple[OurSetting, ...]:
    sized = widths is not None or depths is not None
    if sized and profile == grid.NAME:
        raise click.UsageError("--width and --depth belong to the profile fnet; the grid has -q")
    if tune == VISUAL and (sized or profile == fnet.NAME):
        raise click.UsageError("the tuning visual belongs to the profile grid")
    if sized or (profile == fnet.NAME and qualities is None):
        sizes = product(widths or (DEFAULT_WIDTH,), depths or (DEFAULT_DEPTH,), qualities or (None,))
        return tuple(OurSetting(*size) for size in sizes)
    other = None if tune == PSNR else tune
    return tuple(OurSetting(quality=quality, tune=other) for quality in qualities or DEFAULT_QUALITIES)


def _show(finished: Finished, out: Path) -> None:
    aggregate, progress = finished.aggregate, finished.progress
    if not progress.complete:
        options.say(f"stopped after {progress.done_items} of {progress.items} items; continue with --resume -o {out}")
    skipped = f", {aggregate.skipped.count} skipped" if aggregate.skipped.count else ""
    failed = f", {aggregate.failed.count} failed measurements" if aggregate.failed.count else ""
    click.echo(f"{aggregate.images} pictures{skipped}{failed}; {aggregate.jpeg_sources} of them JPEG files themselves")
    for line in headline(aggregate):
        click.echo(line)
    options.say(f"{out / 'summary.md'}, {out / 'report.html'}")
