"""The `fourcodec` command: a group that loads its commands when they are called, and the only place that prints errors.

Commands raise exceptions. `run` turns them into one line on stderr and an exit status:

    0    done
    1    refused or failed: a file, picture or device is not valid; silently where the reader of stdout has gone
    2    wrong usage
    130  interrupted with Ctrl-C
"""

import traceback
from collections.abc import Sequence

import click

from fourcodec.cli.help import colour_wanted
from fourcodec.cli.lazy import LazyGroup
from fourcodec.cli.options import Debugging, debug_option, from_environment
from fourcodec.errors import MEMORY_HINT, FourcodecError, is_memory_error, printable

COMMANDS = {
    "encode": ("fourcodec.cli.encode", "encode", "Encode a picture as a Fourier network in a .fnc file."),
    "decode": ("fourcodec.cli.decode", "decode", "Decode a .fnc file to a picture."),
    "info": ("fourcodec.cli.info", "info", "Show what a .fnc file holds, without decoding it."),
    "verify": ("fourcodec.cli.verify", "verify", "Check that .fnc files are intact, by decoding them."),
    "view": ("fourcodec.cli.view", "view", "Write an HTML page that shows .fnc files."),
    "compare": ("fourcodec.cli.compare", "compare", "Compare a picture with its .fnc file and with JPEG."),
    "bench": ("fourcodec.cli.bench", "bench", "Compare with JPEG and other codecs on a folder of pictures."),
    "generate": ("fourcodec.cli.generate", "generate", "Train a generative model, and make new images with it."),
    "completion": ("fourcodec.cli.completion", "completion", "Print a script for command completion in a shell."),
}
SETTINGS = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "auto_envvar_prefix": "FOURCODEC",  # --effort of encode: FOURCODEC_ENCODE_EFFORT
}
_INTERRUPTED = 130


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings=SETTINGS,
    epilog="Exit status: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted. "
    "FOURCODEC_COMMAND_OPTION in the environment is the default of a command's --option.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    allow_from_autoenv=False,  # a FOURCODEC_VERSION set for another purpose must not turn every command into --version
    callback=lambda ctx, _, value: _show_version(ctx) if value else None,
    help="Show versions, threads and whether there is CUDA.",
)
@debug_option
def cli() -> None:
    """An image codec whose file is a small Fourier network.

    \b
      fourcodec encode photo.png -q 60       writes photo.fnc
      fourcodec decode photo.fnc -o copy.png
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line, by default that of sys.argv, and returns its exit status. Errors are printed on stderr."""
    debugging, colour = Debugging(), colour_wanted()
    try:
        result = cli.main(args=arguments, prog_name="fourcodec", standalone_mode=False, obj=debugging, color=colour)
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as exc:
        exc.show()
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return _INTERRUPTED
    except Exception as exc:
        if debugging.enabled:
            traceback.print_exc()
        message = printable(" ".join(_explain(exc).split()))
        shown = f"{click.style('error:', fg='red', bold=True)} {message}"
        click.echo(shown, err=True, color=colour)
        return exc.exit_code if isinstance(exc, click.ClickException) else 1


def _show_version(ctx: click.Context) -> None:
    from fourcodec.cli.version import version_text

    click.echo(version_text())
    ctx.exit()


def _explain(exc: Exception) -> str:
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


__all__ = ["cli", "run"]
