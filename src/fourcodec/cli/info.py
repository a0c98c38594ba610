"""`fourcodec info`."""

import json
from pathlib import Path
from typing import Any

import click

from fourcodec import codec, files
from fourcodec.bitstream.container import MAX_FILE_BYTES
from fourcodec.cli import options
from fourcodec.cli.help import Command


@click.command(
    cls=Command,
    examples="""
    fourcodec info photo.fnc
    fourcodec info photo.fnc --json
    """,
)
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@options.json_option
@options.debug_option
def info(source: Path, as_json: bool) -> None:
    """Show what the .fnc file IN holds: its header, its network, and the bytes of its sections."""
    with options.about(source):
        description = codec.describe(files.read(source, MAX_FILE_BYTES))
    click.echo(json.dumps(description) if as_json else "\n".join(_lines(description)))


def _lines(description: dict[str, Any]) -> list[str]:
    """For people: a line a field, and a line a section."""
    lines = []
    for key, value in description.items():
        if key == "network":
            lines += [f"{'network ' + name:24}{_plain(field)}" for name, field in value.items()]
        elif key == "sections":
            lines += [
                f"{'section ' + section['name']:24}{section['size_bytes']} bytes, {section['coder']}, "
                f"kind {section['kind']}, " + ("critical" if section["critical"] else "ancillary")
                for section in value
            ]
        else:
            lines.append(f"{key:24}{_plain(value)}")
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list):
        return " ".join(_plain(item) for item in value)
    return str(value)
