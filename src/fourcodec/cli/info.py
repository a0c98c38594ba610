"""`fourcodec info`, which prints what there is; the fields are those of File.describe in fnc.py."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from fourcodec import codec, extras, files
from fourcodec.bitstream.metadata import Metadata, per_inch
from fourcodec.cli import options
from fourcodec.cli.help import Command, colour_wanted
from fourcodec.fnet import profile as fnet
from fourcodec.grid import profile as grid
from fourcodec.grid.trained_starts import trained_starts
from fourcodec.inspection import bars, spending
from fourcodec.limits import BYTES_REMEDY, Limits
from fourcodec.quality import quality_of

_PIPED_COLUMNS = 80
_KINDS = {1: "grey", 2: "grey with alpha", 3: "RGB", 4: "RGB with alpha"}


@click.command(
    cls=Command,
    examples="""
    fourcodec info photo.fnc
    fourcodec info photo.fnc --verbose
    fourcodec info photo.fnc --parts --plot latents.png
    """,
)
@click.argument("source", metavar="IN", type=options.PATH)
@click.option("--parts", is_flag=True, help="Show networks by part and latents by level; this decodes the file.")
@click.option(
    "--plot", type=options.PATH, help="A PNG file to write: a plot of the latents or of the first layer's waves."
)
@click.option("-v", "--verbose", is_flag=True, help="Show every field of the header, the network and the sections.")
@options.limit_options
@options.force_option
@options.json_option
@options.debug_option
def info(
    source: Path,
    parts: bool,
    plot: Path | None,
    verbose: bool,
    max_pixels: int,
    max_work: int,
    force: bool,
    as_json: bool,
) -> None:
    """Show what the .fnc file IN holds: the picture's size and kind, its quality and metadata, and where its bytes are.

    All levels of latents share one arithmetic code, and so do all parts of networks. Their bytes are therefore computed
    from the decoder's probabilities and are not whole numbers. The limits apply to --parts and --plot, which decode.
    """
    limits = Limits(max_pixels, max_work)
    if plot is not None:
        options.check_suffix(plot, "the plot is a PNG file", ".png")
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
    kept, remarks = file.salvage_metadata()
    for remark in remarks:
        options.note(remark)
    internals = ["", *_internals(description)] if verbose else []
    lines = [*_summary(description, kept), *internals, "", *_bars(description)]
    click.echo("\n".join(lines), color=colour_wanted())
    if plot is not None:
        click.echo()
        options.say(f"{plot}: {'the latents' if description['profile'] == 'grid' else 'the waves'}")


def _summary(description: dict[str, Any], kept: Metadata) -> list[str]:
    """The facts that people ask for first, a line each."""
    width, height, size_bytes = (description[name] for name in ("width", "height", "size_bytes"))
    kind, bits = _KINDS[description["channels"]], description["bit_depth"]
    times = width * height * description["channels"] * bits / 8 / size_bytes
    facts = {
        "picture": f"{width} x {height} pixels, {kind}, {bits} bits",
        "file": f"{size_bytes:,} bytes, {description['rate_bpp']:.3f} bits per pixel, 1/{times:.3g} of the samples",
        "quality": _quality(description),
        "metadata": ", ".join(_metadata(kept)) or "none",
        "profile": f"{description['profile']}, format {description['format']}{_size(description)}",
    }
    return [f"{name:10}{fact}" for name, fact in facts.items()]


def _quality(description: dict[str, Any]) -> str:
    """The quality that a file was encoded at, as far as it says. No file holds its PSNR: that takes the original."""
    measured = "`fourcodec compare` measures it beside the original"
    if description["profile"] != grid.NAME or not description["prior"]:
        return f"not stored; {measured}"
    # A fit takes the trained start that is nearest to its lambda.
    of_starts = {number: quality_of(start.rate_weight) for number, start in trained_starts().items()}
    own = of_starts[description["prior"]]
    least = max(((other + own) / 2 for other in of_starts.values() if other < own), default=0.0)
    most = min(((other + own) / 2 for other in of_starts.values() if other > own), default=100.0)
    return f"-q {least:.0f} to {most:.0f}, by its trained start; {measured}"


def _size(description: dict[str, Any]) -> str:
    """The size of a pure network; empty for other profiles."""
    if description["profile"] != fnet.NAME:
        return ""
    network = description["network"]
    order = f", order {network['order']}" if "order" in network else ""
    cells = ", {} x {} cells".format(*network["cells"]) if "cells" in network else ""
    return f", {network['width']} x {network['depth']}{order}{cells}"


def _metadata(kept: Metadata) -> list[str]:
    named = {"ICC profile": kept.icc, "EXIF": kept.exif, "XMP": kept.xmp}
    density = [f"{per_inch(kept.density)[0]:g} x {per_inch(kept.density)[1]:g} DPI"] if kept.density else []
    return [*(f"{name} ({len(document):,} bytes)" for name, document in named.items() if document), *density]


def _internals(description: dict[str, Any]) -> list[str]:
    """The whole description: one line for each field, and one for each section."""
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
