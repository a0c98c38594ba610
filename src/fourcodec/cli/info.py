"""`fourcodec info`."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from fourcodec import codec, files
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
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("--parts", is_flag=True, help="Split networks by part and latents by level, which decodes the file.")
@click.option(
    "--plot", type=click.Path(path_type=Path), help="A PNG file to draw: the latents, or the waves of the first layer."
)
@options.limit_options
@options.force_option
@options.json_option
@options.debug_option
def info(
    source: Path, parts: bool, plot: Path | None, max_pixels: int, max_work: int, force: bool, as_json: bool
) -> None:
    """Show what the .fnc file IN holds: its header, its network, and where its bytes are.

    Levels of latents share one arithmetic code, and so do the parts of networks: their bytes are computed from the
    probabilities that the decoder uses, and are no whole numbers. Limits are for --parts and --plot, which decode.
    """
    limits = Limits(max_pixels, max_work)
    if plot is not None:
        _check_plot(source, plot, force=force)
    with options.about(source):
        file = codec.File(files.read(source, limits.file_bytes, BYTES_REMEDY), limits)
        description = file.describe()
        if parts:
            description["parts"] = spending.parts_of(file)
            if not description["parts"]:
                options.note("zstd mixes its layers: there are no parts to show")
        if plot is not None:
            from fourcodec.inspection.plots import plot as drawn

            files.write(plot, drawn(file), overwrite=force)
    if as_json:
        click.echo(json.dumps(description))
        return
    click.echo("\n".join([*_lines(description), "", *_bars(description)]), color=colour_wanted())
    if plot is not None:
        click.echo(f"\n{plot}: {'the latents' if description['profile'] == 'grid' else 'the waves'}")


def _check_plot(source: Path, plot: Path, *, force: bool) -> None:
    if plot.suffix.lower() != ".png":
        raise click.UsageError(f"the plot is a PNG file: name it with .png, not {str(plot)!r}")
    options.check_output(source, plot, force=force)


def _lines(description: dict[str, Any]) -> list[str]:
    """For people: a line a field, and a line a section."""
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
    """Whether standard output has these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
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
