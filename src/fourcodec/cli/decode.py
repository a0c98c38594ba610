"""`fourcodec decode`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from fourcodec import codec, images
from fourcodec.cli import options, several, with_model
from fourcodec.cli.folder import folder_options, refuse_folder_options, run_folder
from fourcodec.cli.help import Command
from fourcodec.limits import Limits
from fourcodec.views import WHOLE, View


class WholeNumbers(click.ParamType):
    """Whole numbers between separators, as many as the type's name shows: a size WxH or a region X,Y,W,H in pixels."""

    def __init__(self, name: str, separator: str, wanted: str) -> None:
        self.name, self._separator, self._wanted = name, separator, wanted

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        parts = str(value).lower().split(self._separator)
        wanted = len(self.name.split(self._separator))
        if len(parts) != wanted or not all(part.isdecimal() and len(part) < 10 for part in parts):
            self.fail(f"{value!r} is not {self._wanted}", param, ctx)
        return tuple(map(int, parts))


SIZE = WholeNumbers("WxH", "x", "a size like 640x480")
REGION = WholeNumbers("X,Y,W,H", ",", "a region like 0,0,640,480")


@click.command(
    cls=Command,
    examples="""
    fourcodec decode photo.fnc                                      # writes photo.png
    fourcodec decode photo.fnc copy.webp
    fourcodec decode *.fnc -o copies/ --format jpeg                 # several files
    fourcodec decode photo.fnc --scale 0.25 -o thumbnail.jpg
    fourcodec decode photo.fnc --region 100,50,640,480 -o part.png
    fourcodec decode cut.fnc --partial                              # what a broken download has
    fourcodec decode coded -o copies --recursive --format avif      # a folder
    fourcodec decode digit.fnc --model models/mnist                 # what `encode --model` wrote
    fourcodec decode - < photo.fnc > photo.png
    """,
)
@click.argument("paths", metavar="IN... [OUT]", nargs=-1, required=True, type=options.PATH_OR_STANDARD)
@click.option(
    "-o",
    "--output",
    type=options.PATH_OR_STANDARD,
    help="The picture to write, in the format of its suffix, or a folder; - is standard output.  [default: IN with "
    ".png]",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(images.FORMATS),
    help="Format of the output.  [default: by its suffix, or png]",
)
@click.option("--region", type=REGION, help="Decode only this part, in pixels.")
@click.option("--scale", type=options.ABOVE_0, help="Decode at this scale, for instance 0.25 or 2.")
@click.option("--size", type=SIZE, help="Decode to this size in pixels.")
@click.option(
    "--partial",
    is_flag=True,
    help="Take a file that ends too early: decode what it has, at 1:2, 1:4 ... of its size.",
)
@with_model.model_option("for files that `encode --model` wrote.")
@options.strip_option
@options.limit_options
@folder_options
@options.device_option("cpu")
@options.force_option
@options.quiet_option
@options.debug_option
def decode(
    paths: tuple[Path, ...],
    output: Path | None,
    file_format: str | None,
    region: tuple[int, int, int, int] | None,
    scale: float | None,
    size: tuple[int, int] | None,
    partial: bool,
    model: Path | None,
    strip: bool,
    max_pixels: int,
    max_work: int,
    device: str,
    force: bool,
    quiet: bool,
    **of_folder: Any,
) -> int:
    """Decode the .fnc file IN (- is standard input), or a part of it, to a picture of any size: PNG, JPEG, WebP, AVIF,
    TIFF, JPEG XL, BMP, PPM, TGA or NPY.

    With --region, scale and size are those of the region. Several files become pictures beside them, or in the folder
    given by -o DIR/. Where IN is a folder, each .fnc file in it becomes a picture in the folder given by -o.
    """
    with options.usage():
        view = options.agreeing(View, {"region": region, "scale": scale, "size": size})
    limits = Limits(max_pixels, max_work)
    if partial and view != WHOLE:
        raise click.UsageError("--partial decodes what there is as a whole: leave out --region, --scale and --size")
    sources, output = several.split(paths, output, lambda path: path.suffix.lower() != ".fnc")
    if model is not None:
        with_model.refuse_others(click.get_current_context())
        targets = several.targets_of(sources, output, f".{file_format or 'png'}")
        pairs = list(zip(sources, targets, strict=True))
        return with_model.decode(model, pairs, file_format=file_format, limits=limits, force=force, quiet=quiet)
    if several.folder_among(sources):
        if partial:
            raise click.UsageError("--partial is for single files")
        from fourcodec.batch.tasks import decoding

        direction = decoding(view, file_format or "png", strip=strip, device=device, limits=limits)
        return run_folder(direction, sources[0], output, of_folder, force=force, quiet=quiet)
    refuse_folder_options(of_folder)
    targets = several.targets_of(sources, output, f".{file_format or 'png'}")
    run = _Run(view, file_format, limits, device, partial=partial, strip=strip, force=force, quiet=quiet)
    if len(sources) == 1:
        run.decode(sources[0], targets[0])
        return 0
    _, failed = several.do_each(zip(sources, targets, strict=True), run.decode)
    return int(bool(failed))


@dataclass(frozen=True)
class _Run:
    """The settings that the files of one call share."""

    view: View
    file_format: str | None
    limits: Limits
    device: str
    partial: bool
    strip: bool
    force: bool
    quiet: bool

    def decode(self, source: Path, target: Path) -> dict[str, Any]:
        """Decodes one file; returns its path as JSON types."""
        limits = self.limits
        chosen = self.file_format or options.format_of(target)
        with options.about(source):
            file = codec.File(options.read_source(source, limits.file_bytes), limits, partial=self.partial)
            file.describe()  # errors of the file come before errors of the output
            width, height = file.header.width, file.header.height
            limits.check_pixels(width, height)
            with options.usage():
                lattice = self.view.on(width, height)
            if not file.cut:  # else the picture may be smaller, and `write` checks its size
                images.check_format(chosen, lattice.columns, lattice.rows)
            options.check_output(source, target, force=self.force)
            pixels = file.pixels(self.view, self.device)
            metadata, remarks = (None, []) if self.strip else file.salvage_metadata()
        picture, notes = images.write(pixels, chosen, metadata)
        options.write_target(target, picture, overwrite=self.force)
        if not self.quiet:
            for remark in (*([file.beginning[1]] if file.cut else []), *remarks, *notes):
                options.note(remark)
            options.say(f"{target}: {pixels.shape[1]} x {pixels.shape[0]} pixels", err=target == options.STANDARD)
        return {"output": str(target)}
