"""The sources of a run: the files of a folder that are measured, and the pixels in them."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fourcodec import files, images
from fourcodec.arrays import Samples
from fourcodec.batch import listing
from fourcodec.errors import FourcodecError

_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Source:
    """A picture as it is measured: 8-bit grey or RGB."""

    pixels: Samples  # uint8, (H, W) or (H, W, 3)
    is_jpeg: bool  # the file itself is a JPEG, whatever its name
    notes: tuple[str, ...] = ()


class SourceProblem(Exception):
    """A file that cannot be measured; the message is one line without the path."""


def discover(folder: Path) -> list[str]:
    """The paths of all pictures in and below `folder`, by their names: relative to it, '/'-separated and sorted.

    Folders with such names are listed too: they fail when they are opened, and so the summary names them. A `folder`
    that is a file gives a list of one.
    """
    if folder.is_file():
        return [folder.name]
    return listing.discover(folder, listing.PICTURE_SUFFIXES, recursive=True)


def sample(paths: Sequence[str], limit: int | None, seed: int) -> list[str]:
    """A random sample of `limit` paths by `seed`, in their order; all paths for None or where there are fewer."""
    if limit is None or limit >= len(paths):
        return list(paths)
    chosen = random.Random(seed).sample(range(len(paths)), limit)
    return [paths[index] for index in sorted(chosen)]


def digest(paths: Sequence[str]) -> str:
    """A hash of a list of pictures, by which a resumed run notices that the list has changed."""
    return hashlib.sha256("\n".join(paths).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def load(folder: Path, path: str) -> Source:
    """Reads one picture. Raises SourceProblem for whatever cannot be measured."""
    file = folder if folder.is_file() else folder / path
    try:
        if file.is_dir():
            raise SourceProblem("a folder, not a file")
        files.check_regular(file)
        if file.stat().st_size == 0:
            raise SourceProblem("an empty file")
        with file.open("rb") as opened:
            is_jpeg = opened.read(3) == _JPEG_START
        picture = images.plain(images.load(file))
    except OSError as exc:
        raise SourceProblem(exc.strerror or type(exc).__name__) from exc
    except FourcodecError as exc:
        raise SourceProblem(str(exc).removeprefix(f"{str(file)!r} ")) from exc
    return Source(picture.pixels, is_jpeg, picture.notes)
