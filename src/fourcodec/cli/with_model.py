"""`fourcodec encode --model` and `fourcodec decode --model`: files that a generative model of such pictures decodes."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fourcodec import images, metrics
from fourcodec.cli import options, several
from fourcodec.limits import Limits

if TYPE_CHECKING:
    from fourcodec.generative.latent_codec import LatentCodec

_KNOWN = {
    *("paths", "output", "model", "target_psnr", "file_format", "frame", "max_pixels"),
    *("force", "as_json", "quiet", "debug"),
}


def model_option(what: str) -> Callable[[Any], Any]:
    """The option --model for the folder of a generative model."""
    return click.option("--model", type=options.PATH, help=f"A generative model's folder: {what}")


def encode(
    model: Path,
    pairs: list[tuple[Path, Path]],
    *,
    target_psnr_db: float | None,
    frame: int | None,
    limits: Limits,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Encodes pictures by a model, each into its file; returns the exit status."""
    codec = _opened(model)

    def one(source: Path, target: Path) -> dict[str, Any]:
        with options.about(source):
            picture = images.read(options.read_source(source, limits.picture_bytes), frame=frame, limits=limits)
            pixels = picture.pixels if picture.pixels.ndim == 3 else picture.pixels[:, :, None]
            options.check_output(source, target, force=force)
            coded = codec.encode(pixels, target_psnr_db)
        options.write_target(target, coded.data, overwrite=force)
        size_bytes, (height, width) = len(coded.data), pixels.shape[:2]
        if not (quiet or as_json):
            options.say(
                f"{target}: {size_bytes} bytes (of which the latent {coded.latent_bytes}), "
                f"{metrics.bpp(size_bytes, width, height):.3f} bpp, PSNR {coded.psnr_db:.2f} dB",
                err=target == options.STANDARD,
            )
        return {
            "output": str(target),
            "size_bytes": size_bytes,
            "latent_bytes": coded.latent_bytes,
            "psnr_db": coded.psnr_db,
            "step_index": coded.step_index,
            "model": codec.hash.hex(),
        }

    return _each(pairs, one, as_json=as_json)


def decode(
    model: Path, pairs: list[tuple[Path, Path]], *, file_format: str | None, limits: Limits, force: bool, quiet: bool
) -> int:
    """Decodes files by their model, each into a picture; returns the exit status."""
    codec = _opened(model)

    def one(source: Path, target: Path) -> dict[str, Any]:
        chosen = file_format or options.format_of(target)
        with options.about(source):
            pixels = codec.decode(options.read_source(source, limits.file_bytes))
            images.check_format(chosen, pixels.shape[1], pixels.shape[0])
            options.check_output(source, target, force=force)
        picture, notes = images.write(pixels if pixels.shape[2] > 1 else pixels[:, :, 0], chosen, None)
        options.write_target(target, picture, overwrite=force)
        if not quiet:
            for remark in notes:
                options.note(remark)
            options.say(f"{target}: {pixels.shape[1]} x {pixels.shape[0]} pixels", err=target == options.STANDARD)
        return {"output": str(target)}

    return _each(pairs, one, as_json=False)


def refuse_others(ctx: click.Context) -> None:
    """Raises UsageError for options on the command line that have no meaning beside --model."""
    for param in ctx.command.params:
        typed = param.name and ctx.get_parameter_source(param.name) is click.core.ParameterSource.COMMANDLINE
        if typed and param.name not in _KNOWN:
            raise click.UsageError(f"{max(param.opts, key=len)} has no meaning beside --model")


def _opened(model: Path) -> "LatentCodec":
    from fourcodec.generative.latent_codec import LatentCodec
    from fourcodec.generative.model import load_model

    return LatentCodec(load_model(model))


def _each(pairs: Iterable[tuple[Path, Path]], work: Callable[[Path, Path], dict[str, Any]], *, as_json: bool) -> int:
    """Does the work on each pair; one bad file does not end the others. Returns the exit status."""
    pairs = list(pairs)
    failed: list[dict[str, Any]] = []
    if len(pairs) == 1:
        measured = work(*pairs[0])
    else:
        done, failed = several.do_each(pairs, work)
        measured = {"files": done, "failed": failed}
    if as_json:
        click.echo(json.dumps(measured))
    return int(bool(failed))
