"""docs/cli.md, made from the commands themselves:

    python -m fourcodec.cli.reference > docs/cli.md

Nothing in it depends on the machine: tests compare it with what the commands say now.
"""

import inspect
import re
from collections.abc import Iterator

import click

from fourcodec import cli
from fourcodec.cli.help import Command, record_of, variable_of
from fourcodec.cli.lazy import LazyGroup

HEAD = """\
# The command line

Made from the commands by `make docs`; `fourcodec COMMAND --help` says the same. How they are used is in
[tour.md](tour.md), step by step, and in [using.md](using.md).

## What all commands share

**Exit status**

| status | meaning |
|---|---|
| 0 | done |
| 1 | refused or failed: a file, picture or device is not as it should be; of a folder, at least one file failed |
| 2 | wrong usage |
| 130 | interrupted with Ctrl-C; no file is half written. Folders, `bench` and `generate train` go on with `--resume` |

Errors are one line on standard error; `--debug` shows where in the program they came from. Results for other programs
are on standard output (`--json`), remarks and progress on standard error. A reader that goes away, as in
`fourcodec info photo.fnc | head -1`, ends a command silently, with status 1 if there was more to write.

**Defaults from the environment.** Each option below names a variable; where it is set, it is the option's default:
with `FOURCODEC_ENCODE_EFFORT=3`, `fourcodec encode` has `--effort 3`. Flags take 1 or 0. The command line goes before
the environment: with `FOURCODEC_ENCODE_QUALITY=40` and `--target-bytes 9000` the target counts. Variables of folders'
options do not matter to single files. Beside these there are

| variable | meaning |
|---|---|
| `FOURCODEC_THREADS` | threads to work with, in place of one for each core |
| `FOURCODEC_CACHE_DIR` | the folder of compiled kernels, and of classifiers that `generate evaluate` trains |
| `NO_COLOR` | no colours on a terminal |
| `FORCE_COLOR` | colours where there is no terminal, too |

**Colours and progress** are shown on a terminal. Elsewhere there are no colours, and progress is a line now and then,
where it is asked for or the work is a folder.

**Completion** of commands, options, their values and file names: `fourcodec completion`, below.
"""


def commands() -> Iterator[tuple[click.Context, click.Command]]:
    """Every command with a context as if it were called, groups before what is in them."""
    with cli.cli.make_context("fourcodec", ["nothing"]) as root:
        yield from _below(root)


def text() -> str:
    """The whole page."""
    return HEAD + "".join(_section(ctx, command) for ctx, command in commands())


def _below(ctx: click.Context) -> Iterator[tuple[click.Context, click.Command]]:
    group = ctx.command
    assert isinstance(group, LazyGroup)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        with command.context_class(command, info_name=name, parent=ctx) as below:
            yield below, command
            if isinstance(command, LazyGroup):
                yield from _below(below)


def _section(ctx: click.Context, command: click.Command) -> str:
    lines = ["", f"## {ctx.command_path}", "", *_explanation(command)]
    if isinstance(command, Command):
        usage = " ".join(command.collect_usage_pieces(ctx))
        lines += ["", f"    {ctx.command_path} {usage}", "", "Examples:", ""]
        lines += [f"    {line}" for line in command.examples.splitlines()]
        lines += ["", "| option | meaning | default from |", "|---|---|---|"]
        for heading, options in command.options_by_heading(ctx).items():
            lines.append(f"| **{heading}** | | |")
            lines += [_row(ctx, option) for option in options]
    return "\n".join(lines) + "\n"


def _explanation(command: click.Command) -> list[str]:
    """The help, a paragraph a line; lines behind \\b are shown as they are."""
    lines: list[str] = []
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b"):
            lines += ["", *("  " + line for line in paragraph.splitlines()[1:])]
        else:
            lines += ["", paragraph.replace("\n", " ")]
    return lines[1:]


def _row(ctx: click.Context, option: click.Option) -> str:
    written, purpose = record_of(ctx, option)
    is_help = set(option.opts) == set(ctx.help_option_names)
    variable = "" if is_help else f"`{variable_of(ctx, option)}`"
    return f"| `{_cell(written)}` | {_cell(purpose).replace('<', '&lt;')} | {variable} |"


def _cell(content: str) -> str:
    return re.sub(r"\s+", " ", content).replace("|", "\\|")


if __name__ == "__main__":
    print(text(), end="")
