"""`fourcodec decode`."""

from pathlib import Path
from typing import Any

import click

from fourcodec import codec, images
from fourcodec.cli import options
from fourcodec.cli.folder import folder_options, refuse_folder_options, run_folder
from fourcodec.cli.help import Command
from fourcodec.limits import Limits
from fourcodec.views import View


class Size(click.ParamType):
    """WxH."""

    name = "WxH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        return _whole_numbers(self, value, "x", 2, "a size like 640x480", param, ctx)


class Region(click.ParamType):
    """X,Y,W,H."""

    name = "X,Y,W,H"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        return _whole_numbers(self, value, ",", 4, "a region like 0,0,640,480", param, ctx)


def _whole_numbers(
    kind: click.ParamType,
    value: object,
    separator: str,
    count: int,
    wanted: str,
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> tuple[int, ...]:
    parts = str(value).lower().split(separator)
    if len(parts) != count or not all(part.isdecimal() and len(part) < 10 for part in parts):
        kind.fail(f"{value!r} is not {wanted}", param, ctx)
    return tuple(map(int, parts))


@click.command(
    cls=Command,
    examples="""
    fourcodec decode photo.fnc                                      # writes photo.png
    fourcodec decode photo.fnc -o photo.webp
    fourcodec decode photo.fnc --scale 0.25 -o thumbnail.jpg
    fourcodec decode photo.fnc --region 100,50,640,480 -o part.png
    fourcodec decode coded -o copies --recursive --format avif      # a folder
    fourcodec decode - < photo.fnc > photo.png
    """,
)
@click.argument("source", metavar="IN", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The picture to write, of the format that its name says; - is standard output.  [default: IN with .png]",
)
@click.option(
    "--format", "file_format", type=click.Choice(images.FORMATS), help="Of the output.  [default: as named, or png]"
)
@click.option("--region", type=Region(), help="Decode this part, in pixels of the picture.")
@click.option("--scale", type=click.FloatRange(min=0, min_open=True), help="Decode at this scale, 0.25 or 2 say.")
@click.option("--size", type=Size(), help="Decode to so many pixels.")
@options.strip_option
@options.limit_options
@folder_options
@options.device_option("cpu")
@options.force_option
@options.quiet_option
@options.debug_option
def decode(
    source: Path,
    output: Path | None,
    file_format: str | None,
    region: tuple[int, int, int, int] | None,
    scale: float | None,
    size: tuple[int, int] | None,
    strip: bool,
    max_pixels: int,
    max_work: int,
    device: str,
    force: bool,
    quiet: bool,
    **of_folder: Any,
) -> int:
    """Turn the .fnc file IN (- is standard input) back into a picture, or a part of it, at any size: PNG, JPEG, WebP,
    AVIF, TIFF or NPY.

    A region comes first and is scaled after. Where IN is a folder, each .fnc file in it becomes a picture in the folder
    given by -o.
    """
    with options.usage():
        view = View(region, scale, size)
    limits = Limits(max_pixels, max_work)
    if options.is_folder(source):
        from fourcodec.batch.tasks import decoding

        direction = decoding(view, file_format or "png", strip=strip, device=device, limits=limits)
        return run_folder(direction, source, output, of_folder, force=force, quiet=quiet)
    refuse_folder_options(of_folder)
    target = options.target_of(source, output, f".{file_format or 'png'}")
    chosen = file_format or options.format_of(target)
    with options.about(source):
        file = codec.File(options.read_source(source, limits.file_bytes), limits)
        file.describe()  # what is wrong with the file is said before what is wrong with the output
        width, height = file.header.width, file.header.height
        limits.check_pixels(width, height)
        with options.usage():
            lattice = view.on(width, height)
        images.check_format(chosen, lattice.columns, lattice.rows)
        options.check_output(source, target, force=force)
        pixels = file.pixels(view, device)
        metadata, remarks = (None, []) if strip else file.salvage_metadata()
    picture, notes = images.write(pixels, chosen, metadata)
    options.write_target(target, picture, overwrite=force)
    if not quiet:
        for remark in (*remarks, *notes):
            options.note(remark)
        options.say(f"{target}: {pixels.shape[1]} x {pixels.shape[0]} pixels", target)
    return 0
