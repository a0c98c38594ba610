"""`fourcodec encode`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from fourcodec import codec, files, images
from fourcodec.cli import options
from fourcodec.profiles import fnet


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.  [default: IN with .fnc]")
@click.option(
    "--width", type=click.IntRange(1, fnet.MAX_WIDTH), help="Numbers in a hidden state of the network.  [default: 8]"
)
@click.option("--depth", type=click.IntRange(1, fnet.MAX_DEPTH), help="Hidden states of the network.  [default: 6]")
@click.option(
    "--effort", type=click.IntRange(1, 9), default=codec.DEFAULT_EFFORT, show_default=True, help="1 is fast, 9 is good."
)
@click.option("--iterations", type=click.IntRange(min=1), help="Steps of the fit, instead of --effort's.")
@options.device_option("auto")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of every random choice.")
@options.force_option
@options.json_option
@options.quiet_option
@click.option("--progress/--no-progress", default=None, help="Show the fit on stderr.  [default: on a terminal]")
@options.debug_option
def encode(
    source: Path,
    output: Path | None,
    width: int | None,
    depth: int | None,
    effort: int,
    iterations: int | None,
    device: str,
    seed: int,
    force: bool,
    as_json: bool,
    quiet: bool,
    progress: bool | None,
) -> None:
    """Code the picture IN as a Fourier network.

    The numbers shown are measured on the file: it is decoded again and compared with the picture.
    """
    with options.about(source):
        picture = images.load(source)
    target = output or source.with_suffix(".fnc")
    options.check_output(source, target, force=force)
    if not quiet:
        for remark in picture.notes:
            options.note(remark)

    shown = not quiet and (sys.stderr.isatty() if progress is None else progress)
    with options.ProgressLine() as line:
        encoded = codec.encode(
            picture.pixels,
            width=width,
            depth=depth,
            effort=effort,
            iterations=iterations,
            device=device,
            seed=seed,
            progress=line if shown else None,
        )
    files.write(target, encoded.data, overwrite=force)

    if as_json:
        click.echo(json.dumps(_measured(target, encoded)))
    elif not quiet:
        click.echo(_summary(target, encoded))


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
