"""`fourcodec encode`."""

import json
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fourcodec import codec, images
from fourcodec.batch.listing import PICTURE_SUFFIXES
from fourcodec.cli import options, several, with_model
from fourcodec.cli.folder import folder_options, refuse_folder_options, run_folder
from fourcodec.cli.help import Command
from fourcodec.fnet.config import MAX_DEPTH, MAX_WIDTH
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
    fourcodec encode photo.png small.fnc -q 40                     # another name
    fourcodec encode *.jpg -o coded/ --effort 2                    # several pictures
    fourcodec encode photo.png --target-bytes 20000                # at most 20,000 bytes
    fourcodec encode photo.png --width 8 --depth 6                 # a network of coordinates only
    fourcodec encode photos -o coded --recursive --jobs 2          # a folder; --resume continues
    fourcodec encode digit.png --model models/mnist                # as the latent of a generative model
    fourcodec encode - < photo.png > photo.fnc
    """,
)
@click.argument("paths", metavar="IN... [OUT]", nargs=-1, required=True, type=options.PATH_OR_STANDARD)
@click.option(
    "-o",
    "--output",
    type=options.PATH_OR_STANDARD,
    help="The file to write, or a folder; - is standard output.  [default: IN with .fnc]",
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
    help=f"20 is small, 90 visually fine.  [default: {DEFAULT_QUALITY:g}; for fnet what suits its size]",
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
    help="Instead of -q: a SSIMULACRA 2 of at least X, at most 1 above; it needs the package ssimulacra2.",
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
    type=click.IntRange(1, MAX_WIDTH),
    help="fnet only: width of the hidden layers.  [default: 8, or by -q or target]",
)
@click.option(
    "--depth",
    type=click.IntRange(1, MAX_DEPTH),
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
@with_model.model_option("code the picture as its latent, under the model's density.")
@options.force_option
@options.json_option
@options.quiet_option
@folder_options
@click.option("--progress/--no-progress", default=None, help="Show progress on stderr.  [default: on a terminal]")
@options.debug_option
def encode(
    paths: tuple[Path, ...],
    output: Path | None,
    frame: int | None,
    max_pixels: int,
    max_work: int,
    model: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    progress: bool | None,
    **given: Any,
) -> int:
    """Encode the picture IN (- is standard input) as a small Fourier network and, in the profile grid, latents.

    The numbers shown are measured: the file is decoded again and compared with the picture. Several pictures are
    written beside themselves, or into the folder given by -o DIR/. Where IN is a folder, each picture in it becomes a
    file in the folder given by -o.
    """
    limits = Limits(max_pixels, max_work)
    if model is not None:
        with_model.refuse_others(click.get_current_context())
        sources, output = several.split(paths, output, _is_output)
        targets = several.targets_of(sources, output, ".fnc")
        _check_targets(targets, as_json=as_json, force=force)
        return with_model.encode(
            model, list(zip(sources, targets, strict=True)), target_psnr_db=given["target_psnr"], frame=frame,
            limits=limits, force=force, quiet=quiet, as_json=as_json,
        )  # fmt: skip
    request = _request({field.name: given[field.name] for field in fields(Request)})
    of_fit = {name: given[name] for name in ("effort", "iterations", "device", "seed", "strip")}
    arguments: dict[str, Any] = {**asdict(request), **of_fit}
    sources, output = several.split(paths, output, _is_output)
    if several.folder_among(sources):
        from fourcodec.batch.tasks import encoding

        direction = encoding(arguments, frame, limits)
        return run_folder(direction, sources[0], output, given, force=force, quiet=quiet, as_json=as_json)
    refuse_folder_options(given)
    targets = several.targets_of(sources, output, ".fnc")
    _check_targets(targets, as_json=as_json, force=force)
    shown = not quiet and (sys.stderr.isatty() if progress is None else progress)
    run = _Run(
        arguments, frame, limits, force=force, quiet=quiet, shown=shown, summary=not (quiet or as_json),
        shorter=_shorter(request, given["effort"], given["iterations"]),
    )  # fmt: skip
    if len(sources) == 1:
        measured = run.encode(sources[0], targets[0])
    else:
        done, failed = several.do_each(zip(sources, targets, strict=True), run.encode)
        measured = {"files": done, "failed": failed}
    if as_json:
        click.echo(json.dumps(measured))
    return int(bool(measured.get("failed")))


def _is_output(path: Path) -> bool:
    """True for the second of two paths where it cannot be another picture to encode."""
    return path.suffix.lower() == ".fnc" or not path.exists()


def _check_targets(targets: list[Path], *, as_json: bool, force: bool) -> None:
    """Raises UsageError for standard output beside --json, and, unless forced, for an output with the suffix of a
    picture file: `-o copy.png` is nearly always meant for decode."""
    if as_json and options.STANDARD in targets:
        raise click.UsageError("--json is printed on standard output, as is the file: name an output with -o")
    for target in [] if force else targets:
        if target.suffix.lower() in {*PICTURE_SUFFIXES, *images.SUFFIXES}:
            raise click.UsageError(
                f"the output is a .fnc file, and {str(target)!r} has the name of a picture: name it with .fnc, or "
                "force it with -f"
            )


@dataclass
class _Run:
    """The settings that the files of one call share."""

    arguments: dict[str, Any]  # of codec.encode
    frame: int | None
    limits: Limits
    force: bool
    quiet: bool
    shown: bool  # whether progress is
    summary: bool
    shorter: str  # a hint at what takes less time
    begun: float | None = None  # when the present file was begun; the first one with the command

    def encode(self, source: Path, target: Path) -> dict[str, Any]:
        """Encodes one file; returns what was measured, as JSON types."""
        limits, arguments = self.limits, dict(self.arguments)
        with options.about(source):
            picture = images.read(options.read_source(source, limits.picture_bytes), frame=self.frame, limits=limits)
        options.check_output(source, target, force=self.force)
        if not self.quiet:
            for remark in picture.notes:
                options.note(remark)
        if arguments["max_seconds"] is not None:
            arguments["max_seconds"] = options.time_left(arguments["max_seconds"], self.begun)
        with options.ProgressLine() as line:
            watch = None if self.quiet else _Watch(line if self.shown else None, self.shorter)
            encoded = codec.encode(picture, **arguments, limits=limits, progress=watch)
        options.write_target(target, encoded.data, overwrite=self.force)
        if not self.quiet and encoded.refusal:
            options.note(f"decoders refuse this file by default: {encoded.refusal}")
        if self.summary:
            options.say(_summary(target, encoded), err=target == options.STANDARD)
        self.begun = time.perf_counter()
        measured = {name: value for name, value in asdict(encoded).items() if name not in ("data", "refusal")}
        return {"output": str(target), **measured}


def _request(wishes: dict[str, Any]) -> Request:
    """The Request for these options. Raises UsageError."""
    with options.usage():
        return options.agreeing(Request, wishes)


def _shorter(request: Request, effort: int, iterations: int | None) -> str:
    """A hint, to stand behind a duration, at an option that shortens it; "" where there is none."""
    if iterations is not None:
        return "; fewer --iterations take less"
    if effort > 1:
        return "; a lower --effort takes less"
    return "; --max-seconds sets a limit" if request.takes_max_seconds and request.max_seconds is None else ""


class _Watch:
    """Announces the duration of a fit above LONG_SECONDS once, with `shorter` behind it, prints its notes, and shows
    progress where it is wanted."""

    def __init__(self, line: options.ProgressLine | None, shorter: str) -> None:
        self._line, self._shorter, self._said = line, shorter, False

    def __call__(self, progress: "Progress") -> None:
        if not self._said and progress.seconds_left > LONG_SECONDS:
            minutes = round(progress.seconds_left / 60)
            options.note(f"this takes about {minutes} minute{'s' * (minutes > 1)}{self._shorter}")
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
