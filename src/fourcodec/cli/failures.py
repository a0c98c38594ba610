"""How a failure is told: one line on stderr, and an exit status."""

import traceback

import click

from fourcodec.cli.help import colour_wanted
from fourcodec.cli.options import Debugging, from_environment
from fourcodec.errors import MEMORY_HINT, FourcodecError, is_memory_error, printable


def tell(exc: Exception, debugging: Debugging) -> int:
    """Prints an exception as one line, after its traceback with --debug, and returns the exit status for it."""
    if debugging.enabled:
        traceback.print_exception(exc)
    message = printable(" ".join(explain(exc).split()))
    shown = f"{click.style('error:', fg='red', bold=True)} {message}"
    click.echo(shown, err=True, color=colour_wanted())
    return exc.exit_code if isinstance(exc, click.ClickException) else 1


def explain(exc: Exception) -> str:
    """The message of an exception for the user of the command line."""
    if isinstance(exc, click.UsageError):
        path = exc.ctx.command_path if exc.ctx else "fourcodec"
        variables = from_environment(exc.ctx) if exc.ctx else []
        also = f"; {' and '.join(variables)} {'are' if variables[1:] else 'is'} set" if variables else ""
        return f"{exc.format_message()} (see '{path} --help'{also})"
    if isinstance(exc, click.ClickException):
        return exc.format_message()
    if isinstance(exc, FourcodecError):
        return str(exc)
    if is_memory_error(exc):
        return MEMORY_HINT
    if isinstance(exc, OSError):
        return f"{exc.filename!r}: {exc.strerror}" if exc.filename and exc.strerror else str(exc)
    return f"internal error: {type(exc).__name__}: {exc} (--debug shows where)"
