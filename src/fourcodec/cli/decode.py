"""`fourcodec decode`."""

from pathlib import Path

import click

from fourcodec import codec, files, images
from fourcodec.bitstream.container import MAX_FILE_BYTES
from fourcodec.cli import options

OTHER_FORMATS = (".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The PNG to write.  [default: IN with .png]")
@options.device_option("cpu")
@options.force_option
@options.quiet_option
@options.debug_option
def decode(source: Path, output: Path | None, device: str, force: bool, quiet: bool) -> None:
    """Turn the .fnc file IN back into a picture, a PNG."""
    target = output or source.with_suffix(".png")
    if target.suffix.lower() in OTHER_FORMATS:
        raise click.UsageError(f"the output is a PNG: name it .png, not {target.suffix}")
    with options.about(source):
        data = files.read(source, MAX_FILE_BYTES)
        codec.describe(data)  # what is wrong with the file is said before what is wrong with the output
        options.check_output(source, target, force=force)
        pixels = codec.decode(data, device=device)
    files.write(target, images.to_png(pixels), overwrite=force)
    if not quiet:
        click.echo(f"{target}: {pixels.shape[1]} x {pixels.shape[0]} pixels")
