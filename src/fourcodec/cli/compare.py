"""`fourcodec compare`."""

import json
from pathlib import Path

import click

from fourcodec import files, images
from fourcodec.bitstream import container
from fourcodec.cli import options
from fourcodec.cli.help import Command
from fourcodec.errors import ImageError, printable
from fourcodec.limits import BYTES_REMEDY, Limits

_REMARK_COLUMNS = 80
_LONG_PIXELS = 4_000_000  # for larger pictures a note announces the search for JPEG, WebP and AVIF


@click.command(
    cls=Command,
    examples="""
    fourcodec compare photo.png photo.fnc
    fourcodec compare photo.png photo.fnc -o page.html
    """,
)
@click.argument("picture", metavar="IN", type=options.PATH)
@click.argument("coded", metavar="FILE.fnc", type=options.PATH)
@click.option("-o", "--output", type=options.PATH, help="An HTML page to write: slider, zoom, error maps.")
@click.option("--frame", type=click.IntRange(min=1), help="The frame or page of IN that was encoded, from 1.")
@options.device_option("cpu")
@options.limit_options
@options.force_option
@options.json_option
@options.debug_option
def compare(
    picture: Path,
    coded: Path,
    output: Path | None,
    frame: int | None,
    device: str,
    max_pixels: int,
    max_work: int,
    force: bool,
    as_json: bool,
) -> int:
    """Compare the picture IN with its .fnc file, and with the best JPEG, WebP and AVIF files of the same size.

    Prints PSNR, SSIM, bits per pixel, and errors in 1/255 of a sample's range. The page written by -o needs no other
    file and no network.
    """
    limits = Limits(max_pixels, max_work)
    source, data = _read(picture, coded, limits)
    with options.about(picture):
        original = images.read(source, frame=frame, limits=limits)
    if output is not None:
        options.check_suffix(output, "the output is an HTML page", ".html", ".htm")
        options.check_output(picture, output, force=force)
        options.check_output(coded, output, force=force)

    from fourcodec.comparison.measuring import compare as measure
    from fourcodec.comparison.measuring import numbers, remarks
    from fourcodec.comparison.page import page
    from fourcodec.comparison.table import lines

    rows, columns = original.pixels.shape[:2]
    if rows * columns >= _LONG_PIXELS:
        options.note(
            "searching for the best JPEG, WebP and AVIF of the same size, which takes minutes for a picture this large"
        )
    with options.about(coded):
        comparison = measure(original, data, device=device, limits=limits)
    if output is not None:
        html = page(comparison, data, printable(picture.name), printable(coded.name))
        files.write(output, html.encode(), overwrite=force)
    if as_json:
        paths = {"picture": str(picture), "file": str(coded), "page": None if output is None else str(output)}
        click.echo(json.dumps({**paths, **numbers(comparison)}))
        return 0
    for remark in original.notes:
        options.note(remark)
    click.echo("\n".join(lines(comparison)))
    for remark in remarks(comparison):
        click.echo("\n" + click.wrap_text(remark, _REMARK_COLUMNS))
    if output is not None:
        click.echo()
        options.say(f"{output}: the page")
    return 0


def _read(picture: Path, coded: Path, limits: Limits) -> tuple[bytes, bytes]:
    """The bytes of both files. Raises UsageError for arguments in the wrong order, ImageError for a file that is no
    .fnc file."""
    source = files.read(picture, limits.picture_bytes, BYTES_REMEDY)
    data = files.read(coded, limits.file_bytes, BYTES_REMEDY)
    if source.startswith(container.MAGIC):
        turned = "" if data.startswith(container.MAGIC) else f": fourcodec compare {coded} {picture}"
        raise click.UsageError(f"the picture comes first, and {str(picture)!r} is a .fnc file{turned}")
    if not data.startswith(container.MAGIC):
        raise ImageError(f"{str(coded)!r} is not a .fnc file: the picture comes first, then the .fnc file made of it")
    return source, data
