"""The page docs/cli.md, generated from the commands:

    python -m fourcodec.cli.reference > docs/cli.md

The page does not depend on the machine; a test compares it with the commands.
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

Generated from the commands by `make docs`; `fourcodec COMMAND --help` shows the same. [tour.md](tour.md) introduces the
commands step by step, and [using.md](using.md) shows how to use them.

## What all commands share

**Exit status**

| status | meaning |
|---|---|
| 0 | done |
| 1 | refused or failed: a file, picture or device is not valid, or at least one file of a folder failed |
| 2 | wrong usage |
| 130 | interrupted with Ctrl-C; no file is half written; folders, `bench` and `generate train` resume with `--resume` |

Errors are one line on standard error; `--debug` adds where in the program they occurred. Results for other programs
are on standard output (`--json`), notes and progress on standard error. If the reader of standard output ends first, as
in `fourcodec info photo.fnc | head -1`, a command ends without a message, with status 1 if there was more to write.

**Defaults from the environment.** Each option below names a variable; where it is set, it is the option's default:
with `FOURCODEC_ENCODE_EFFORT=3`, `fourcodec encode` has `--effort 3`. Flags take 1 or 0. The command line overrides
the environment: with `FOURCODEC_ENCODE_QUALITY=40` and `--target-bytes 9000` the target is used. Variables of options
for folders have no effect on single files. There are five more variables:

| variable | meaning |
|---|---|
| `FOURCODEC_THREADS` | number of threads; by default one for each core |
| `FOURCODEC_CACHE_DIR` | folder of compiled kernels, and of classifiers that `generate evaluate` trains |
| `FOURCODEC_DEBUG` | 1: as `--debug` of each command |
| `NO_COLOR` | no colours on a terminal |
| `FORCE_COLOR` | colours also without a terminal |

**Colours and progress** are shown on a terminal. Elsewhere there are no colours, and progress is a line every few
seconds, where `--progress` asks for it or the work is a folder.

**Completion** of commands, options, their values and file names: `fourcodec completion`, below.
"""


def commands() -> Iterator[tuple[click.Context, click.Command]]:
    """Every command, with a context as if it were called; a group comes before its commands."""
    with cli.cli.make_context("fourcodec", ["nothing"]) as root:
        yield from _below(root)


def text() -> str:
    """The whole page, Markdown."""
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
