"""`fourcodec encode`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fourcodec import codec, files, images
from fourcodec.cli import options
from fourcodec.cli.folder import folder_options, refuse_folder_options, run_folder
from fourcodec.profiles import fnet

if TYPE_CHECKING:
    from fourcodec.fitting import Progress

LONG_SECONDS = 60.0  # fits that take longer are announced


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.  [default: IN with .fnc]")
@click.option(
    "--profile",
    type=click.Choice(codec.PROFILE_NAMES),
    help="grid: best quality per byte; fnet: a network of the coordinates alone.  [default: grid, or fnet with --width "
    "or --depth]",
)
@click.option(
    "-q",
    "--quality",
    type=click.FloatRange(0, 100),
    help=f"Of the grid: 20 is small, 90 visually fine.  [default: {codec.DEFAULT_QUALITY:g}]",
)
@click.option(
    "--width", type=click.IntRange(1, fnet.MAX_WIDTH), help="Of fnet: numbers in a hidden state.  [default: 8]"
)
@click.option("--depth", type=click.IntRange(1, fnet.MAX_DEPTH), help="Of fnet: hidden states.  [default: 6]")
@click.option(
    "--effort", type=click.IntRange(1, 9), default=codec.DEFAULT_EFFORT, show_default=True, help="1 is fast, 9 is good."
)
@click.option("--iterations", type=click.IntRange(min=1), help="Steps of the fit, instead of --effort's.")
@click.option(
    "--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Of the grid: shorten the fit to this time."
)
@options.device_option("auto")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of every random choice.")
@options.force_option
@options.json_option
@options.quiet_option
@folder_options
@click.option("--progress/--no-progress", default=None, help="Show the fit on stderr.  [default: on a terminal]")
@options.debug_option
def encode(
    source: Path,
    output: Path | None,
    profile: str | None,
    quality: float | None,
    width: int | None,
    depth: int | None,
    effort: int,
    iterations: int | None,
    max_seconds: float | None,
    device: str,
    seed: int,
    force: bool,
    as_json: bool,
    quiet: bool,
    progress: bool | None,
    **of_folder: Any,
) -> int:
    """Code the picture IN as a small Fourier network and, in the profile grid, what it looks at.

    The numbers shown are measured on the file: it is decoded again and compared with the picture. Where IN is a folder,
    each picture in it becomes a file in the folder given by -o.
    """
    with options.usage():
        codec.choose_profile(profile, quality, width, depth, max_seconds)
    arguments: dict[str, Any] = {
        "profile": profile,
        "quality": quality,
        "width": width,
        "depth": depth,
        "effort": effort,
        "iterations": iterations,
        "max_seconds": max_seconds,
        "device": device,
        "seed": seed,
    }
    if source.is_dir():
        from fourcodec.folders.work import encoding

        direction = encoding(arguments)
        return run_folder(direction, source, output, of_folder, force=force, quiet=quiet, as_json=as_json)
    refuse_folder_options(of_folder)
    with options.about(source):
        picture = images.load(source)
    target = output or source.with_suffix(".fnc")
    options.check_output(source, target, force=force)
    if not quiet:
        for remark in picture.notes:
            options.note(remark)

    shown = not quiet and (sys.stderr.isatty() if progress is None else progress)
    with options.ProgressLine() as line:
        encoded = codec.encode(picture.pixels, **arguments, progress=None if quiet else _Watch(line if shown else None))
    files.write(target, encoded.data, overwrite=force)

    if as_json:
        click.echo(json.dumps(_measured(target, encoded)))
    elif not quiet:
        click.echo(_summary(target, encoded))
    return 0


class _Watch:
    """Says once how long a fit of more than a minute will take, and shows its progress where that is wanted."""

    def __init__(self, line: options.ProgressLine | None) -> None:
        self._line, self._said = line, False

    def __call__(self, progress: "Progress") -> None:
        if not self._said and progress.seconds_left > LONG_SECONDS:
            minutes = round(progress.seconds_left / 60)
            options.note(f"this takes about {minutes} minute{'s' * (minutes > 1)}; a lower --effort takes less")
        self._said = True
        if self._line is not None:
            self._line(progress)


def _measured(target: Path, encoded: codec.Encoded) -> dict[str, Any]:
    measured = asdict(encoded)
    del measured["data"]
    return {"output": str(target), **measured}


def _summary(target: Path, encoded: codec.Encoded) -> str:
    psnr = "an exact copy" if encoded.psnr_db is None else f"PSNR {encoded.psnr_db:.2f} dB"
    ssim = "" if encoded.ssim is None else f", SSIM {encoded.ssim:.4f}"
    return (
        f"{target}: {encoded.size_bytes} bytes, {encoded.rate_bpp:.3f} bpp, {psnr}{ssim} "
        f"(encoded in {encoded.encode_seconds:.1f} s, decoded in {encoded.decode_seconds:.2f} s)"
    )
