"""`fourcodec verify`."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from fourcodec import codec, devices, files
from fourcodec.batch import listing
from fourcodec.cli import options
from fourcodec.cli.help import Command
from fourcodec.errors import FourcodecError, one_line
from fourcodec.limits import BYTES_REMEDY, Limits


@click.command(
    cls=Command,
    examples="""
    fourcodec verify photo.fnc
    fourcodec verify pictures/ --recursive --quiet
    """,
)
@click.argument("sources", metavar="FILE...", nargs=-1, required=True, type=options.PATH)
@click.option("--recursive", is_flag=True, help="With a folder: also the folders below it.")
@options.limit_options
@options.device_option("cpu")
@options.json_option
@options.quiet_option
@options.debug_option
def verify(
    sources: tuple[Path, ...],
    recursive: bool,
    max_pixels: int,
    max_work: int,
    device: str,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check that each .fnc FILE is intact: its checksums, and that its picture and metadata decode. Writes no files.

    Prints one line for each file on standard output; with --quiet only for damaged ones. A folder stands for the .fnc
    files in it. The exit status is 1 if any file is damaged.
    """
    limits, device = Limits(max_pixels, max_work), devices.resolve(device)
    verdicts = []
    for path, found in _listed(sources, recursive):
        verdict = _verdict(path, device, limits, found=found)
        verdicts.append(verdict)
        if not as_json and not verdict["ok"]:
            options.say(f"{path}: FAILED: {verdict['error']}")
        elif not as_json and not quiet:
            options.say(f"{path}: ok, {verdict['width']} x {verdict['height']} pixels, {verdict['profile']}")
    failed = sum(not verdict["ok"] for verdict in verdicts)
    if as_json:
        click.echo(json.dumps({"ok": len(verdicts) - failed, "failed": failed, "files": verdicts}))
    return int(failed > 0)


def _listed(sources: Sequence[Path], recursive: bool) -> Iterator[tuple[Path, bool]]:
    """The files to check, folders replaced by the files in them, and whether a file was found so.

    Raises ClickException for a folder without .fnc files.
    """
    for source in sources:
        if not source.is_dir():
            yield source, False
            continue
        names = listing.discover(source, {".fnc"}, recursive=recursive)
        if not names:
            below = "" if recursive else " (--recursive also looks below it)"
            raise click.ClickException(f"no .fnc files in {str(source)!r}{below}")
        yield from ((source / name, True) for name in names)


def _verdict(path: Path, device: str, limits: Limits, *, found: bool) -> dict[str, Any]:
    """The verdict on a file as JSON types: `ok`, the error message or None, and for intact files profile and size.

    Of a file that was `found` in a folder nobody has said that it is one: it may be a FIFO.
    """
    verdict: dict[str, Any] = {"file": str(path), "ok": False, "error": None}
    try:
        if found:
            files.check_regular(path)
        file = codec.File(files.read(path, limits.file_bytes, BYTES_REMEDY), limits)
        file.pixels(device=device)
        file.metadata()
    except FourcodecError as exc:
        return {**verdict, "error": str(exc)}
    except OSError as exc:
        return {**verdict, "error": exc.strerror or one_line(exc)}
    except MemoryError as exc:
        return {**verdict, "error": one_line(exc)}
    header = file.header
    return {**verdict, "ok": True, "profile": file.profile.NAME, "width": header.width, "height": header.height}
