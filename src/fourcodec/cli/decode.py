"""`fourcodec decode`."""

from pathlib import Path

import click

from fourcodec import codec, images
from fourcodec.bitstream.container import MAX_FILE_BYTES
from fourcodec.cli import options


@click.command()
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
@options.strip_option
@options.device_option("cpu")
@options.force_option
@options.quiet_option
@options.debug_option
def decode(
    source: Path, output: Path | None, file_format: str | None, strip: bool, device: str, force: bool, quiet: bool
) -> None:
    """Turn the .fnc file IN (- is standard input) back into a picture: PNG, JPEG, WebP, AVIF, TIFF or NPY."""
    target = options.target_of(source, output, f".{file_format or 'png'}")
    chosen = file_format or options.format_of(target)
    with options.about(source):
        data = options.read_source(source, MAX_FILE_BYTES)
        codec.describe(data)  # what is wrong with the file is said before what is wrong with the output
        options.check_output(source, target, force=force)
        pixels = codec.decode(data, device=device)
        metadata = None if strip else codec.read_metadata(data)
    picture, notes = images.write(pixels, chosen, metadata)
    options.write_target(target, picture, overwrite=force)
    if not quiet:
        for remark in notes:
            options.note(remark)
        options.say(f"{target}: {pixels.shape[1]} x {pixels.shape[0]} pixels", target)
