"""The format of --help: options under headings, examples, and colour on a terminal."""

import os
from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

import click

# Headings in the order shown, with the names of parameters, which mean the same in every command. Others are under
# OTHERS.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "Output": ("output", "parts", "plot", "file_format", "folder", "opened", "force"),
    "Picture": ("frame", "strip"),
    "Generative model": ("model", "label", "temperature", "without_prior"),
    "Part and size": ("region", "scale", "size", "partial"),
    "How large, how good": (
        *("quality", "qualities", "target_bytes", "target_bpp", "target_psnr", "target_ssimulacra2", "tune"),
        *("profile", "width", "widths", "depth", "depths"),
    ),
    "Time": ("effort", "iterations", "max_seconds", "epochs", "minutes", "device", "seed", "cache"),
    "Limits": ("max_pixels", "max_work"),
    "Folders": ("recursive", "limit", "jobs", "resume", "scheduler"),
    "Messages": ("as_json", "strict", "verbose", "quiet", "progress", "debug"),
}
OTHERS = "Options"
_HEADING_OF = {name: heading for heading, names in HEADINGS.items() for name in names}


def colour_wanted() -> bool | None:
    """True or False where FORCE_COLOR or NO_COLOR is set (force-color.org, no-color.org), else None: colour on a
    terminal.

    Empty variables count as not set.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None


class Formatter(click.HelpFormatter):
    """A formatter with bold headings. click.echo removes the styles where colour is not wanted."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, click.style("Usage:", bold=True) + " " if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{click.style(heading + ':', bold=True)}\n")


def variable_of(ctx: click.Context, option: click.Option) -> str:
    """The environment variable with an option's default, named after the option on the command line.

    Click itself would name it after the parameter in the code."""
    return f"{ctx.auto_envvar_prefix}_{max(option.opts, key=len).lstrip('-').replace('-', '_').upper()}"


def record_of(ctx: click.Context, option: click.Option) -> tuple[str, str]:
    """An option as it is written, and its help text."""
    written, purpose = option.get_help_record(ctx) or ("", "")
    return written.replace("INTEGER RANGE", "N").replace("FLOAT RANGE", "X"), purpose


class Context(click.Context):
    """A context with our Formatter for help."""

    formatter_class = Formatter


class Command(click.Command):
    """A command whose help has options under HEADINGS and `examples`, lines as a user types them."""

    context_class = Context

    def __init__(self, *args: Any, examples: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = cleandoc(examples)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for option in self.params:
            if isinstance(option, click.Option):
                option.envvar, option.allow_from_autoenv = variable_of(ctx, option), False
        return super().parse_args(ctx, args)

    def options_by_heading(self, ctx: click.Context) -> dict[str, list[click.Option]]:
        """All options that help shows, by heading in the order of HEADINGS, each in the order of the command."""
        found: dict[str, list[click.Option]] = {heading: [] for heading in (OTHERS, *HEADINGS)}
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and not option.hidden:
                is_help = set(option.opts) == set(ctx.help_option_names)
                found["Messages" if is_help else _HEADING_OF.get(option.name or "", OTHERS)].append(option)
        return {heading: options for heading, options in found.items() if options}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, options in self.options_by_heading(ctx).items():
            with formatter.section(heading):
                formatter.write_dl([record_of(ctx, option) for option in options])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples"):
            for line in self.examples.splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        formatter.write_paragraph()
        formatter.write_text(f"{ctx.auto_envvar_prefix}_OPTION in the environment is the default of --option.")
