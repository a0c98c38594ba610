"""Which files of a folder are meant."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

# By name, since a folder of 50,000 files is not opened twice; what a file really is, its content says later.
PICTURE_SUFFIXES = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".tga", ".qoi"),
    )
)
_BENCH_RUN = {"items.jsonl", "settings.json"}  # the outputs of a run: its plots are not pictures to work on


def discover(folder: Path, suffixes: Collection[str], *, recursive: bool) -> list[str]:
    """Paths relative to `folder`, '/'-separated and sorted, of everything in it that is named like that; hidden files
    are not meant.

    Folders named like files are listed too (and fail when opened), so that a summary names them.
    """
    return sorted(_walk(folder, suffixes, recursive))


def _walk(folder: Path, suffixes: Collection[str], recursive: bool) -> Iterator[str]:
    """Follows links to folders (data sets are often made of them), but none twice."""
    seen = {os.path.realpath(folder)}
    for top, folders, files in os.walk(folder, followlinks=True):
        if set(files) >= _BENCH_RUN:
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
