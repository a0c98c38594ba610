"""The `fourcodec` command: a group that loads its commands when they are called, and the only place that prints errors.

Commands raise exceptions. `run` turns them into one line on stderr and an exit status:

    0    done
    1    refused or failed: a file, picture or device is not valid; silently where the reader of stdout has gone
    2    wrong usage
    130  interrupted with Ctrl-C
"""

from collections.abc import Sequence

import click

from fourcodec.cli import failures
from fourcodec.cli.help import colour_wanted
from fourcodec.cli.lazy import LazyGroup
from fourcodec.cli.options import Debugging, debug_option

COMMANDS = {
    "encode": ("fourcodec.cli.encode", "encode", "Encode a picture as a Fourier network in a .fnc file."),
    "decode": ("fourcodec.cli.decode", "decode", "Decode a .fnc file to a picture."),
    "info": ("fourcodec.cli.info", "info", "Show what a .fnc file holds, without decoding it."),
    "verify": ("fourcodec.cli.verify", "verify", "Check that .fnc files are intact, by decoding them."),
    "view": ("fourcodec.cli.view", "view", "Write an HTML page that shows .fnc files."),
    "compare": ("fourcodec.cli.compare", "compare", "Compare a picture with its .fnc file, JPEG, WebP and AVIF."),
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
    debugging = Debugging()
    try:
        result = cli.main(
            args=arguments, prog_name="fourcodec", standalone_mode=False, obj=debugging, color=colour_wanted()
        )
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as exc:
        exc.show()
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return _INTERRUPTED
    except Exception as exc:
        return failures.tell(exc, debugging)


def _show_version(ctx: click.Context) -> None:
    from fourcodec.cli.version import version_text

    click.echo(version_text())
    ctx.exit()


__all__ = ["cli", "run"]
