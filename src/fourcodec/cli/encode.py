"""`fourcodec encode`."""

import json
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fourcodec import codec, images
from fourcodec.cli import options
from fourcodec.cli.folder import folder_options, refuse_folder_options, run_folder
from fourcodec.cli.help import Command
from fourcodec.fnet import profile as fnet
from fourcodec.limits import Limits
from fourcodec.request import DEFAULT_QUALITY, HIGHEST_PSNR_DB, HIGHEST_SSIMULACRA2, PROFILE_NAMES, Request
from fourcodec.tuning import PSNR, TUNES

if TYPE_CHECKING:
    from fourcodec.optimisation.progress import Progress

LONG_SECONDS = 60.0  # longer fits are announced by a note


@click.command(
    cls=Command,
    examples="""
    fourcodec encode photo.png                                     # writes photo.fnc
    fourcodec encode photo.png -q 40 --effort 2 -o small.fnc       # smaller file, faster
    fourcodec encode photo.png --target-bytes 20000                # at most 20,000 bytes
    fourcodec encode photo.png --width 8 --depth 6                 # a network of coordinates only
    fourcodec encode photos -o coded --recursive --jobs 2          # a folder; --resume continues
    fourcodec encode - < photo.png > photo.fnc
    """,
)
@click.argument("source", metavar="IN", type=options.PATH_OR_STANDARD)
@click.option(
    "-o",
    "--output",
    type=options.PATH_OR_STANDARD,
    help="The file to write; - is standard output.  [default: IN with .fnc]",
)
@click.option("--frame", type=click.IntRange(min=1), help="The frame or page to encode, from 1, where IN has several.")
@options.strip_option
@click.option(
    "--profile",
    type=click.Choice(PROFILE_NAMES),
    help="grid: best quality per byte; fnet: a network of the coordinates only.  [default: grid, or fnet with --width "
    "or --depth]",
)
@click.option(
    "-q",
    "--quality",
    type=click.FloatRange(0, 100),
    help=f"20 is small, 90 visually fine.  [default: {DEFAULT_QUALITY:g}; 54.4 for fnet]",
)
@click.option(
    "--target-bytes", type=click.IntRange(min=1), help="Instead of -q: a file of at most N bytes, at most 3% below."
)
@click.option("--target-bpp", type=options.ABOVE_0, help="Instead of -q: the same in bits per pixel.")
@click.option(
    "--target-psnr",
    type=click.FloatRange(0, HIGHEST_PSNR_DB, min_open=True),
    help="Instead of -q: a PSNR of at least X dB, at most 0.1 above.",
)
@click.option(
    "--target-ssimulacra2",
    type=click.FloatRange(0, HIGHEST_SSIMULACRA2, min_open=True),
    help="Instead of -q: a SSIMULACRA 2 of at least S, at most 1 above; it needs the package ssimulacra2.",
)
@click.option(
    "--tune",
    type=click.Choice(TUNES),
    default=PSNR,
    show_default=True,
    help="psnr: least squared error; visual: what people see of errors, grid only.",
)
@click.option(
    "--width",
    type=click.IntRange(1, fnet.MAX_WIDTH),
    help="fnet only: width of the hidden layers.  [default: 8, or by -q or target]",
)
@click.option(
    "--depth",
    type=click.IntRange(1, fnet.MAX_DEPTH),
    help="fnet only: number of hidden layers.  [default: 6, or by -q or target]",
)
@click.option(
    "--effort",
    type=click.IntRange(1, 9),
    default=codec.DEFAULT_EFFORT,
    show_default=True,
    help="1 is fastest, 9 is best.",
)
@options.iterations_option
@click.option("--max-seconds", type=options.ABOVE_0, help="grid only: have the file after this time.")
@options.device_option("auto")
@options.seed_option("Seed of all random choices.")
@options.limit_options
@options.force_option
@options.json_option
@options.quiet_option
@folder_options
@click.option("--progress/--no-progress", default=None, help="Show progress on stderr.  [default: on a terminal]")
@options.debug_option
def encode(
    source: Path,
    output: Path | None,
    frame: int | None,
    max_pixels: int,
    max_work: int,
    force: bool,
    as_json: bool,
    quiet: bool,
    progress: bool | None,
    **given: Any,
) -> int:
    """Encode the picture IN (- is standard input) as a small Fourier network and, in the profile grid, latents.

    The numbers shown are measured: the file is decoded again and compared with the picture. Where IN is a folder, each
    picture in it becomes a file in the folder given by -o.
    """
    request = _request({field.name: given[field.name] for field in fields(Request)})
    limits = Limits(max_pixels, max_work)
    of_fit = {name: given[name] for name in ("effort", "iterations", "device", "seed", "strip")}
    arguments: dict[str, Any] = {**asdict(request), **of_fit}
    if options.is_folder(source):
        from fourcodec.batch.tasks import encoding

        direction = encoding(arguments, frame, limits)
        return run_folder(direction, source, output, given, force=force, quiet=quiet, as_json=as_json)
    refuse_folder_options(given)
    target = options.target_of(source, output, ".fnc")
    if as_json and target == options.STANDARD:
        raise click.UsageError("--json is printed on standard output, as is the file: name an output with -o")
    with options.about(source):
        picture = images.read(options.read_source(source, limits.picture_bytes), frame=frame, limits=limits)
    options.check_output(source, target, force=force)
    if not quiet:
        for remark in picture.notes:
            options.note(remark)

    shown = not quiet and (sys.stderr.isatty() if progress is None else progress)
    if arguments["max_seconds"] is not None:
        arguments["max_seconds"] = options.time_left(arguments["max_seconds"])
    with options.ProgressLine() as line:
        watch = None if quiet else _Watch(line if shown else None)
        encoded = codec.encode(picture, **arguments, limits=limits, progress=watch)
    options.write_target(target, encoded.data, overwrite=force)
    if not quiet and encoded.refusal:
        options.note(f"decoders refuse this file by default: {encoded.refusal}")

    if as_json:
        measured = {name: value for name, value in asdict(encoded).items() if name not in ("data", "refusal")}
        click.echo(json.dumps({"output": str(target), **measured}))
    elif not quiet:
        options.say(_summary(target, encoded), err=target == options.STANDARD)
    return 0


def _request(wishes: dict[str, Any]) -> Request:
    """The Request for these options. Defaults from the environment are ignored where they contradict the command line.

    Raises UsageError.
    """
    with options.usage():
        try:
            return Request(**wishes)
        except ValueError:
            typed = options.without_environment(wishes)
            if not typed:
                raise
            return Request(**typed)


class _Watch:
    """Announces the duration of a fit above LONG_SECONDS once, prints its notes, and shows progress where it is
    wanted."""

    def __init__(self, line: options.ProgressLine | None) -> None:
        self._line, self._said = line, False

    def __call__(self, progress: "Progress") -> None:
        if not self._said and progress.seconds_left > LONG_SECONDS:
            minutes = round(progress.seconds_left / 60)
            options.note(f"this takes about {minutes} minute{'s' * (minutes > 1)}; a lower --effort takes less")
        self._said = True
        if progress.note:
            options.note(progress.note)
        if self._line is not None:
            self._line(progress)


def _summary(target: Path, encoded: codec.Encoded) -> str:
    parts = {"alpha": encoded.alpha_bytes, **encoded.metadata_bytes}
    named = ", ".join(f"{name} {size_bytes}" for name, size_bytes in parts.items() if size_bytes)
    of_which = f" (of which {named})" if named else ""
    psnr = "an exact copy" if encoded.psnr_db is None else f"PSNR {encoded.psnr_db:.2f} dB"
    ssim = "" if encoded.ssim is None else f", SSIM {encoded.ssim:.4f}"
    return (
        f"{target}: {encoded.size_bytes} bytes{of_which}, {encoded.rate_bpp:.3f} bpp, {psnr}{ssim} "
        f"(encoded in {encoded.encode_seconds:.1f} s, decoded in {encoded.decode_seconds:.2f} s)"
    )
