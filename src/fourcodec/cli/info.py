"""`fourcodec info`, which prints what there is; the fields are those of File.describe in fnc.py."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from fourcodec import codec, extras, files
from fourcodec.cli import options
from fourcodec.cli.help import Command, colour_wanted
from fourcodec.inspection import bars, spending
from fourcodec.limits import BYTES_REMEDY, Limits

_PIPED_COLUMNS = 80


@click.command(
    cls=Command,
    examples="""
    fourcodec info photo.fnc
    fourcodec info photo.fnc --parts --plot latents.png
    """,
)
@click.argument("source", metavar="IN", type=options.PATH)
@click.option("--parts", is_flag=True, help="Show networks by part and latents by level; this decodes the file.")
@click.option(
    "--plot", type=options.PATH, help="A PNG file to write: a plot of the latents or of the first layer's waves."
)
@options.limit_options
@options.force_option
@options.json_option
@options.debug_option
def info(
    source: Path, parts: bool, plot: Path | None, max_pixels: int, max_work: int, force: bool, as_json: bool
) -> None:
    """Show what the .fnc file IN holds: its header, its network, and where its bytes are.

    All levels of latents share one arithmetic code, and so do all parts of networks. Their bytes are therefore computed
    from the decoder's probabilities and are not whole numbers. The limits apply to --parts and --plot, which decode.
    """
    limits = Limits(max_pixels, max_work)
    if plot is not None:
        if plot.suffix.lower() != ".png":
            raise click.UsageError(f"the plot is a PNG file: name it with .png, not {str(plot)!r}")
        options.check_output(source, plot, force=force)
        extras.require("--plot", "matplotlib")
    with options.about(source):
        file = codec.File(files.read(source, limits.file_bytes, BYTES_REMEDY), limits)
        description = file.describe()
        if parts:
            description["parts"] = spending.parts_of(file)
            if not description["parts"]:
                options.note("there are no parts to show, since zstd mixes its layers")
        if plot is not None:
            from fourcodec.inspection.plots import plot as drawn

            files.write(plot, drawn(file), overwrite=force)
    if as_json:
        click.echo(json.dumps(description))
        return
    click.echo("\n".join([*_lines(description), "", *_bars(description)]), color=colour_wanted())
    if plot is not None:
        click.echo()
        options.say(f"{plot}: {'the latents' if description['profile'] == 'grid' else 'the waves'}")


def _lines(description: dict[str, Any]) -> list[str]:
    """The description for people to read: one line for each field, and one for each section."""
    lines = []
    for key, value in description.items():
        if key == "network":
            lines += [f"{'network ' + name:30}{_plain(field)}" for name, field in value.items()]
        elif key == "sections":
            lines += [
                f"{'section ' + section['name']:30}{section['size_bytes']} bytes, {section['coder']}, "
                f"kind {section['kind']}, " + ("critical" if section["critical"] else "ancillary")
                for section in value
            ]
        elif key != "parts":
            lines.append(f"{key:30}{_plain(value)}")
    return lines


def _bars(description: dict[str, Any]) -> list[str]:
    items = spending.with_parts(spending.by_section(description), description.get("parts", {}))
    return bars.lines(
        items,
        columns=shutil.get_terminal_size((_PIPED_COLUMNS, 24)).columns,
        blocks=_can_show(bars.BLOCKS),
    )


def _can_show(text: str) -> bool:
    """True where the encoding of standard output has these characters."""
    try:
        text.encode((sys.stdout and sys.stdout.encoding) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list):
        return " ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items())
    return str(value)
