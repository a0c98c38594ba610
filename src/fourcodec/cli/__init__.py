"""The `fourcodec` command: a group that loads its commands when they are called, and the one place that shows errors.

A command raises; `run` turns that into one line on stderr and an exit status:

    0    done
    1    refused: a file, picture or device is not as it should be
    2    wrong usage
    130  interrupted with Ctrl-C
"""

import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from fourcodec import __version__
from fourcodec.cli.lazy import LazyGroup
from fourcodec.cli.options import Debugging, debug_option
from fourcodec.errors import MEMORY_HINT, FourcodecError, is_memory_error

COMMANDS = {
    "encode": ("fourcodec.cli.encode", "encode", "Code a picture as a Fourier network in a .fnc file."),
    "decode": ("fourcodec.cli.decode", "decode", "Turn a .fnc file back into a picture."),
    "info": ("fourcodec.cli.info", "info", "Show what a .fnc file holds, without decoding it."),
    "verify": ("fourcodec.cli.verify", "verify", "Check that .fnc files are whole, by decoding them."),
    "bench": ("fourcodec.cli.bench", "bench", "Measure against JPEG and others on a folder of pictures."),
    "generate": ("fourcodec.cli.generate", "generate", "Train a generative model, and make new images with it."),
}


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fourcodec")
@debug_option
def cli() -> None:
    """An image codec whose file is a small Fourier network."""


def main() -> NoReturn:
    """The entry point of the `fourcodec` script."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line (sys.argv's where none is given) and returns its exit status."""
    debugging = Debugging()
    try:
        result = cli.main(args=arguments, prog_name="fourcodec", standalone_mode=False, obj=debugging)
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as exc:
        exc.show()
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except Exception as exc:
        if debugging.enabled:
            traceback.print_exc()
        click.echo(f"error: {' '.join(_explain(exc).split())}", err=True)
        return exc.exit_code if isinstance(exc, click.ClickException) else 1


def _explain(exc: Exception) -> str:
    if isinstance(exc, click.UsageError):
        path = exc.ctx.command_path if exc.ctx else "fourcodec"
        return f"{exc.format_message()} (see '{path} --help')"
    if isinstance(exc, click.ClickException):
        return exc.format_message()
    if isinstance(exc, FourcodecError):
        return str(exc)
    if is_memory_error(exc):
        return MEMORY_HINT
    if isinstance(exc, OSError):
        return f"{exc.filename!r}: {exc.strerror}" if exc.filename and exc.strerror else str(exc)
    return f"this should not have happened: {type(exc).__name__}: {exc} (--debug shows where)"


__all__ = ["cli", "main", "run"]
