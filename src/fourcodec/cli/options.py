"""Options and functions that several commands share: inputs, outputs, notes and progress."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from fourcodec import devices, files
from fourcodec.batch.progress import StatusLine
from fourcodec.cli.help import variable_of
from fourcodec.errors import FourcodecError, printable
from fourcodec.limits import BYTES_REMEDY, DEFAULT

if TYPE_CHECKING:
    from fourcodec.optimisation.progress import Progress

T = TypeVar("T")

MOST_JOBS = 1024  # of a folder or bench: each is a process
STANDARD = Path("-")  # standard input as a source, standard output as a target
_FOLDERS = f"{__name__}.folders"  # key of Context.meta: the paths that were given with / or /. at their end


class _PathType(click.Path):
    """A path. The context remembers whether it was given with / or /. at its end, which Path drops."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not os.fspath(value):  # a variable of a shell that is not set; for Path it is the current folder
            self.fail("the name is empty", param, ctx)
        path = super().convert(value, param, ctx)
        if ctx is not None and os.path.basename(os.fspath(value)) in ("", "."):
            ctx.meta.setdefault(_FOLDERS, set()).add(path)
        return path


PATH = _PathType(path_type=Path)
PATH_OR_STANDARD = _PathType(path_type=Path, allow_dash=True)
EXISTING_PATH = _PathType(path_type=Path, exists=True)
FOLDER = _PathType(path_type=Path, file_okay=False)
ABOVE_0 = click.FloatRange(min=0, min_open=True)


@dataclass
class Debugging:
    """The state of --debug, which may stand before or after the command's name, and when the command began."""

    enabled: bool = False
    started: float = field(default_factory=time.perf_counter)


def _enable_debugging(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Debugging).enabled = True


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_enable_debugging,
    help="Show where in the program an error occurred.",
)
force_option = click.option("-f", "--force", is_flag=True, help="Replace the output if it exists.")
quiet_option = click.option("--quiet", is_flag=True, help="Print only errors, and what was asked for.")
strip_option = click.option("--strip", is_flag=True, help="Leave out ICC profile, EXIF, XMP and density.")
resume_option = click.option("--resume", is_flag=True, help="Continue what was begun in the output folder.")
iterations_option = click.option(
    "--iterations", type=click.IntRange(min=1), help="Iterations of the fit, instead of --effort's."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")


def device_option(default: str) -> Callable[[Any], Any]:
    """The option --device with this default."""
    choice = click.Choice(devices.NAMES)
    return click.option("--device", type=choice, default=default, show_default=True, help="The processor to use.")


def seed_option(of_what: str) -> Callable[[Any], Any]:
    """The option --seed, 32 bits and 0 by default, with this help."""
    return click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help=of_what)


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options --max-pixels and --max-work, see Limits."""
    for name, default, what in (
        ("--max-work", DEFAULT.work, "Refuse files that need more multiplications to decode."),
        ("--max-pixels", DEFAULT.pixels, "Refuse pictures with more pixels."),
    ):
        command = click.option(name, type=click.IntRange(1), default=default, show_default=True, help=what)(command)
    return command


def from_environment(ctx: click.Context) -> list[str]:
    """The environment variables from which options of this command have their values."""
    given = _names_from(ctx, ParameterSource.ENVIRONMENT)
    return [
        variable_of(ctx, option)
        for option in ctx.command.params
        if isinstance(option, click.Option) and option.name in given
    ]


def without_environment(given: dict[str, Any]) -> dict[str, Any]:
    """The values that come from the command line, out of the values of some options."""
    typed = _names_from(click.get_current_context(), ParameterSource.COMMANDLINE)
    return {name: value for name, value in given.items() if name in typed}


def is_from_environment(name: str) -> bool:
    """True if the option of this name has its value from the environment."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and ctx.get_parameter_source(name) is ParameterSource.ENVIRONMENT


def agreeing(build: Callable[..., T], given: dict[str, Any]) -> T:
    """build(**given), without those defaults from the environment that contradict the command line: which `build`
    refuses beside the values of that alone. Raises the ValueError of `build` for any other contradiction."""
    typed = without_environment(given)

    def agrees(name: str) -> bool:
        try:
            build(**{**typed, name: given[name]})
        except ValueError:
            return False
        return True

    build(**typed)
    return build(**{name: value for name, value in given.items() if name in typed or agrees(name)})


def _names_from(ctx: click.Context, source: ParameterSource) -> list[str]:
    names = [param.name for param in ctx.command.params if param.name]
    return [name for name in names if ctx.get_parameter_source(name) is source]


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Puts the file's name before the message of a FourcodecError raised inside."""
    try:
        yield
    except FourcodecError as exc:
        name = "standard input" if path == STANDARD else repr(str(path))
        if str(exc).startswith(name):
            raise
        raise type(exc)(f"{name}: {exc}") from exc


def target_of(source: Path, output: Path | None, suffix: str) -> Path:
    """The path of the result: `output` if given, standard output for standard input, else the source with `suffix`."""
    if output is not None:
        return output
    return STANDARD if source == STANDARD else source.with_suffix(suffix)


def names_folder(path: Path) -> bool:
    """True for a path that is a folder, or was given with a slash at its end. Standard output (-) is none."""
    ctx = click.get_current_context(silent=True)
    return path != STANDARD and (path.is_dir() or (ctx is not None and path in ctx.meta.get(_FOLDERS, ())))


def is_folder(source: Path) -> bool:
    """True where the source is a folder. Standard input (-) is none, even if a folder has that name."""
    return source != STANDARD and source.is_dir()


def format_of(target: Path) -> str:
    """The picture format for the suffix of the output; PNG for standard output. Raises UsageError for other
    suffixes."""
    from fourcodec import images

    found = "png" if target == STANDARD else images.format_of(target)
    if found is None:
        raise click.UsageError(
            f"the output {str(target)!r} has the suffix of none of {', '.join(images.FORMATS)}: give --format"
        )
    return found


def read_source(source: Path, limit_bytes: int) -> bytes:
    """The bytes of the input file or of standard input. Raises OSError, and LimitError above `limit_bytes`."""
    if source == STANDARD:
        return files.read_standard_input(limit_bytes, BYTES_REMEDY)
    return files.read(source, limit_bytes, BYTES_REMEDY)


def write_target(target: Path, data: bytes, *, overwrite: bool) -> None:
    """Writes the output file, as a whole or not at all, or to standard output. Raises OSError."""
    if target == STANDARD:
        files.write_standard_output(data)
    else:
        files.write(target, data, overwrite=overwrite)


def say(line: str, *, err: bool = False) -> None:
    """Prints one line for the user on standard output or, with `err`, on stderr. It may hold names of files."""
    click.echo(printable(line), err=err)


@contextmanager
def usage() -> Iterator[None]:
    """Turns a ValueError about the user's options into a UsageError."""
    try:
        yield
    except ValueError as exc:
        raise click.UsageError(str(exc)) from exc


def check_output(source: Path, target: Path, *, force: bool) -> None:
    """Raises ClickException or OSError for an output that exists or cannot be written, and where bytes would go to a
    terminal.

    To be called before any work.
    """
    if target == STANDARD:
        files.standard_output()  # raises where it is closed
        if sys.stdout.isatty():
            raise click.UsageError("bytes are not written to a terminal: name an output with -o")
        return
    ctx = click.get_current_context(silent=True)
    if ctx is not None and target in ctx.meta.get(_FOLDERS, ()):
        raise click.UsageError(f"the output {str(target) + os.sep!r} is a folder, by its slash: name a file in it")
    if source != STANDARD and target.exists() and target.samefile(source):
        raise click.UsageError(f"the output {str(target)!r} is the input itself: choose another name with -o")
    try:
        files.check_target(target, overwrite=force)
    except FileExistsError as exc:
        raise click.ClickException(f"{exc}: choose another name with -o, or replace it with -f") from exc


def check_suffix(target: Path, what: str, *suffixes: str) -> None:
    """Raises UsageError for an output whose name has none of the suffixes; `what` says what it is, in a clause."""
    if target.suffix.lower() not in suffixes:
        raise click.UsageError(f"{what}: name it with {suffixes[0]}, not {str(target)!r}")


def note(message: str) -> None:
    """Prints a note for the user on stderr."""
    click.echo(f"{click.style('note:', bold=True)} {printable(message)}", err=True)


def time_left(max_seconds: float, begun: float | None = None) -> float:
    """The rest of a time that began with the command, or at `begun`, as time.perf_counter() has it.

    Raises ClickException if there is none.
    """
    if begun is None:
        begun = click.get_current_context().ensure_object(Debugging).started
    left = max_seconds - (time.perf_counter() - begun)
    if left <= 0:
        raise click.ClickException("too little time: it was over when the picture had been read")
    return left


class ProgressLine(StatusLine):
    """Shows the progress of a fit: on a terminal one line that is overwritten, elsewhere a line every two seconds."""

    def __init__(self) -> None:
        super().__init__(every_seconds=2.0)

    def __call__(self, progress: "Progress") -> None:
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        stage = progress.stage and f"{progress.stage}: "
        psnr = "" if progress.psnr_db is None else f"PSNR {progress.psnr_db:.2f} dB  "
        self.show(
            f"{stage}iteration {progress.iteration}/{progress.iterations}  loss {progress.loss:.3e}  "
            f"{psnr}{minutes}:{seconds:02} left",
            last=progress.iteration >= progress.iterations,
        )
