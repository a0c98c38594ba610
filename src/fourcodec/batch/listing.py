"""The files of a folder that a command works on, chosen by their names."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

# Names decide, since 50,000 files are not opened just to be listed; what a file is, its content says later.
PICTURE_SUFFIXES = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".tga", ".qoi"),
    )
)
_BENCH_RUN = {"items.jsonl", "settings.json"}  # in the output folder of a bench, whose plots are no pictures to work on


def discover(folder: Path, suffixes: Collection[str], *, recursive: bool) -> list[str]:
    """The paths of all files with one of the suffixes, relative to `folder`, '/'-separated and sorted.

    Hidden files are left out. Folders with such a name are listed too: they fail when they are opened, and so the
    summary names them.
    """
    return sorted(_walk(folder, suffixes, recursive))


def _walk(folder: Path, suffixes: Collection[str], recursive: bool) -> Iterator[str]:
    """The same, unsorted. Links to folders are followed, since data sets are often made of them, but none twice."""
    seen = {os.path.realpath(folder)}
    for top, folders, files in os.walk(folder, followlinks=True):
        if set(files) >= _BENCH_RUN and not PICTURE_SUFFIXES.isdisjoint(suffixes):
            folders.clear()
            continue
        relative = Path(top).relative_to(folder)
        for name in [*folders, *files]:
            if Path(name).suffix.lower() in suffixes and not name.startswith("."):
                yield (relative / name).as_posix()
        fresh = []
        for name in sorted(folders) if recursive else ():
            real = os.path.realpath(os.path.join(top, name))
            if real not in seen and not name.startswith("."):
                seen.add(real)
                fresh.append(name)
        folders[:] = fresh
