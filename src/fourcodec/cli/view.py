"""`fourcodec view`."""

import webbrowser
from pathlib import Path

import click

from fourcodec import files
from fourcodec.cli import options
from fourcodec.cli.help import Command
from fourcodec.errors import printable
from fourcodec.fnc import File
from fourcodec.limits import BYTES_REMEDY, Limits

_SUFFIX = ".html"


@click.command(
    cls=Command,
    examples="""
    fourcodec view photo.fnc --open
    fourcodec view one.fnc two.fnc -o pictures.html
    fourcodec view -o viewer.html                  # a page to drop files on
    """,
)
@click.argument("sources", metavar="[FILE]...", nargs=-1, type=options.PATH)
@click.option("-o", "--output", type=options.PATH, help="The page to write.  [default: the first FILE with .html]")
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
@options.limit_options
@options.force_option
@options.quiet_option
@options.debug_option
def view(
    sources: tuple[Path, ...],
    output: Path | None,
    opened: bool,
    max_pixels: int,
    max_work: int,
    force: bool,
    quiet: bool,
) -> int:
    """Write an HTML page that shows .fnc files, with the files and their decoder inside.

    The page needs no other file and no network. It zooms, beyond 1:1 too: networks of the profile fnet are then
    evaluated anew, and stay sharp. It also takes files that are dropped on it.
    """
    from fourcodec.web.pages import Shown, view_page

    if output is None and not sources:
        raise click.UsageError("name files to show, or with -o a page to drop files on")
    if output is not None:
        options.check_suffix(output, "the output is an HTML page", _SUFFIX, ".htm")
    limits = Limits(max_pixels, max_work)
    shown = []
    for source in sources:
        with options.about(source):
            data = files.read(source, limits.file_bytes, BYTES_REMEDY)
            file = File(data, limits)
            file.check_limits()
        shown.append(Shown(printable(source.name), data, file.header))
    target = output or sources[0].with_suffix(_SUFFIX)
    for source in sources or [options.STANDARD]:
        options.check_output(source, target, force=force)
    page = view_page(shown).encode()
    files.write(target, page, overwrite=force)
    if not quiet:
        options.say(f"{target}: {len(page)} bytes")
    if opened and not webbrowser.open(target.resolve().as_uri()):
        options.note(f"no browser was found to open {str(target)!r}")
    return 0
