"""`fourcodec generate sample`, `reconstruct`, `interpolate` and `embed`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fourcodec import files, images
from fourcodec.cli import options
from fourcodec.cli.help import Command

if TYPE_CHECKING:
    from fourcodec.generative.model import TrainedModel

model_argument = click.argument("directory", metavar="MODEL", type=options.PATH)
sources_argument = click.argument("sources", metavar="IMAGES...", nargs=-1, required=True, type=options.PATH)
limit_option = click.option(
    "--limit", type=click.IntRange(1), default=32, show_default=True, help="The most images from a folder or data set."
)


def output_option(what: str):  # type: ignore[no-untyped-def]
    """The option -o for an output of this kind."""
    return click.option("-o", "--output", required=True, type=options.PATH, help=f"The {what} to write.")


def open_model(directory: Path, target: Path, force: bool) -> "TrainedModel":
    """The model in a directory. Raises for an output that cannot be written, before the model is loaded."""
    options.check_output(directory, target, force=force)
    from fourcodec.generative.model import load_model

    return load_model(directory)


@click.command(
    cls=Command,
    examples="""
    fourcodec generate sample model -o sheet.png
    fourcodec generate sample model -n 16 --temperature 0.8 --size 128 -o sheet.png
    fourcodec generate sample model --class 3 -o threes.png       # where images had labels and the prior is a flow
    fourcodec generate sample model -n 4 --fnc samples -o sheet.png      # also each image as a .fnc file
    """,
)
@model_argument
@click.option("-n", "--count", type=click.IntRange(1, 10_000), default=64, show_default=True, help="Number of images.")
@output_option("sheet (PNG)")
@options.seed_option("Seed of the latents.")
@click.option(
    "--temperature",
    type=click.FloatRange(0, 10),
    help="Factor on the prior's deviations; a smaller one gives more typical images.  "
    "[default: the one chosen with the prior]",
)
@click.option("--class", "label", type=click.IntRange(0), help="Only images of the class with this label.")
@click.option("--size", type=click.IntRange(1, 4096), help="Longer side in pixels.  [default: the training images']")
@click.option(
    "--fnc", "folder", metavar="DIR", type=options.PATH, help="Also write each image as a .fnc file to this folder."
)
@options.force_option
@options.quiet_option
@options.debug_option
def sample(
    directory: Path,
    count: int,
    output: Path,
    seed: int,
    temperature: float | None,
    label: int | None,
    size: int | None,
    folder: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Make new images from latents drawn at random."""
    options.check_suffix(output, "the output is a PNG file", ".png")
    targets = [] if folder is None else [folder / f"sample-{number:04}.fnc" for number in range(count)]
    for target in filter(Path.exists, targets):
        options.check_output(directory, target, force=force)
    model = open_model(directory, output, force)
    from fourcodec.generative import fnc, sheets, uses

    z = model.sample(count, seed, temperature, label)
    pixels = None if size is None else uses.longer_side(model, size)
    coded = []
    if folder is not None:
        coded = fnc.to_fnc(model.core, z, pixels)
        folder.mkdir(parents=True, exist_ok=True)
        for target, data in zip(targets, coded, strict=True):
            files.write(target, data, overwrite=force)
    picture = sheets.sheet(sheets.to_bytes(model.decode(z, pixels)))
    files.write(output, images.to_png(picture), overwrite=force)
    if not quiet:
        sizes = f", {sum(map(len, coded)) / len(coded):.0f} bytes a .fnc file" if coded else ""
        options.say(f"{output}: {count} images{sizes}")


@click.command(
    cls=Command,
    examples="""
    fourcodec generate reconstruct model data/mnist -o copies.png
    fourcodec generate reconstruct model a.png b.png -o copies.png
    """,
)
@model_argument
@sources_argument
@output_option("sheet (PNG)")
@limit_option
@options.force_option
@options.quiet_option
@options.debug_option
def reconstruct(directory: Path, sources: tuple[Path, ...], output: Path, limit: int, force: bool, quiet: bool) -> None:
    """Show IMAGES (pictures, a folder of them, or a data set's test images) above the model's reconstructions."""
    options.check_suffix(output, "the output is a PNG file", ".png")
    model = open_model(directory, output, force)
    from fourcodec.generative import uses

    originals = uses.load_images(model, sources, limit)
    files.write(output, images.to_png(uses.reconstruction_sheet(model, originals)), overwrite=force)
    if not quiet:
        options.say(f"{output}: {len(originals)} images")


@click.command(
    cls=Command,
    examples="""
    fourcodec generate interpolate model a.png b.png -o between.gif
    fourcodec generate interpolate model data/mnist --limit 4 --frames 12 -o between.png
    """,
)
@model_argument
@sources_argument
@output_option("strip (.png) or animation (.gif)")
@click.option(
    "--frames", type=click.IntRange(1, 1000), default=10, show_default=True, help="Steps from each image to the next."
)
@click.option("--size", type=click.IntRange(1, 4096), help="Longer side in pixels.  [default: the training images']")
@click.option(
    "--limit", type=click.IntRange(2), default=4, show_default=True, help="The most images from a folder or data set."
)
@options.force_option
@options.quiet_option
@options.debug_option
def interpolate(
    directory: Path,
    sources: tuple[Path, ...],
    output: Path,
    frames: int,
    size: int | None,
    limit: int,
    force: bool,
    quiet: bool,
) -> None:
    """Interpolate between two or more IMAGES (pictures, a folder of them, or a data set's test images)."""
    if output.suffix.lower() not in (".png", ".gif"):
        raise click.UsageError(
            f"the output is a strip (.png) or an animation (.gif), not {output.suffix or 'nameless'}"
        )
    model = open_model(directory, output, force)
    from fourcodec.generative import sheets, uses

    stops = uses.load_images(model, sources, limit)
    if len(stops) < 2:
        raise click.UsageError("interpolation needs at least two images")
    z = model.interpolate(model.embed(stops), frames)
    made = sheets.to_bytes(model.decode(z, None if size is None else uses.longer_side(model, size)))
    animated = output.suffix.lower() == ".gif"
    data = sheets.to_gif(made) if animated else images.to_png(sheets.sheet(made, min(len(made), frames + 1)))
    files.write(output, data, overwrite=force)
    if not quiet:
        options.say(f"{output}: {len(made)} images between {len(stops)}")


@click.command(
    cls=Command,
    examples="""
    fourcodec generate embed model data/mnist --limit 100 -o latents.npz
    """,
)
@model_argument
@sources_argument
@output_option("latents (.npz)")
@limit_option
@options.force_option
@options.quiet_option
@options.debug_option
def embed(directory: Path, sources: tuple[Path, ...], output: Path, limit: int, force: bool, quiet: bool) -> None:
    """Find the latents of IMAGES (pictures, a folder of them, or a data set's test images).

    Writes an .npz file with an array `z` (N, L).
    """
    model = open_model(directory, output, force)
    from fourcodec.generative import uses

    pixels = uses.load_images(model, sources, limit)
    z = model.embed(pixels)
    files.write(output, uses.latents_file(z), overwrite=force)
    if not quiet:
        options.say(f"{output}: {len(z)} latents of {z.shape[1]} numbers, {uses.psnr_db(model, z, pixels):.2f} dB")
