"""Which files of a folder are measured, and how one is opened."""

import hashlib
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fourcodec import images
from fourcodec.errors import FourcodecError

# By name, since a folder of 50,000 files is not opened twice; what a file really is, `load` finds out from its content.
SUFFIXES = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".tga", ".qoi"),
    )
)
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
    return sorted(_walk(folder))


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


def _walk(folder: Path) -> Iterator[str]:
    """Follows links to folders (data sets are often made of them), but none twice."""
    seen = {os.path.realpath(folder)}
    for top, folders, files in os.walk(folder, followlinks=True):
        if {"items.jsonl", "settings.json"} <= set(
            files
        ):  # the outputs of a run: its plots are not pictures to measure
            folders.clear()
            continue
        relative = Path(top).relative_to(folder)
        for name in [*folders, *files]:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield (relative / name).as_posix()
        fresh = []
        for name in sorted(folders):
            real = os.path.realpath(os.path.join(top, name))
            if real not in seen and not name.startswith("."):
                seen.add(real)
                fresh.append(name)
        folders[:] = fresh
