"""Which files of a folder are measured, and how one is opened."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fourcodec import images
from fourcodec.batch import listing
from fourcodec.errors import FourcodecError

Pixels = npt.NDArray[np.uint8]
_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Source:
    """A picture as it is measured: 8 bits, grey or RGB."""

    pixels: npt.NDArray[np.uint8]  # (H, W) or (H, W, 3)
    is_jpeg: bool  # the file itself is a JPEG, whatever its name
    notes: tuple[str, ...] = ()


class SourceProblem(Exception):
    """A file that is no picture we can measure; the message is one line without the path."""


def discover(folder: Path) -> list[str]:
    """Paths relative to `folder`, '/'-separated and sorted, of everything below it that is named like a picture.

    Folders named like pictures are listed too (and fail when opened), so that the summary names them. A `folder` that
    is a file is a list of one.
    """
    if folder.is_file():
        return [folder.name]
    return listing.discover(folder, listing.PICTURE_SUFFIXES, recursive=True)


def sample(paths: Sequence[str], limit: int | None, seed: int) -> list[str]:
    """At most `limit` of the paths, drawn by `seed`, in their order; all of them for None."""
    if limit is None or limit >= len(paths):
        return list(paths)
    chosen = random.Random(seed).sample(range(len(paths)), limit)
    return [paths[index] for index in sorted(chosen)]


def digest(paths: Sequence[str]) -> str:
    """Names a list of pictures, so that a resumed run notices when it is another one."""
    return hashlib.sha256("\n".join(paths).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def load(folder: Path, path: str) -> Source:
    """Opens one picture. Raises SourceProblem, whose message is fit for the summary."""
    file = folder if folder.is_file() else folder / path
    try:
        if file.is_dir():
            raise SourceProblem("a folder, not a file")
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
