"""The cache folder: compiled kernels and trained classifiers, all of which can be made again.

It is $FOURCODEC_CACHE_DIR, or the user's cache folder (~/.cache/fourcodec on Linux). It can be deleted at any time.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

VARIABLE = "FOURCODEC_CACHE_DIR"


def cache_folder() -> Path:
    """The folder as an absolute path; it need not exist.

    Raises OSError where the variable is not set and the user has no home folder.
    """
    from platformdirs import user_cache_path

    named = os.environ.get(VARIABLE)
    folder = Path(named).absolute() if named else user_cache_path("fourcodec", appauthor=False)
    if not folder.is_absolute():  # without a home "~" is not expanded, and would become a folder of that name
        raise OSError(f"this user has no home folder; {VARIABLE} can name a folder")
    return folder


def private_folder(name: str) -> Path:
    """The folder `name` in the cache folder, which only this user can read or change. It is made if it is missing.

    Raises OSError where it cannot be made, belongs to another user, or can be changed by other users. Files in it are
    loaded as code, so nobody else may write there.
    """
    folder = cache_folder() / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(folder.lstat(), folder)
    return folder


def check_private(status: os.stat_result, path: Path) -> None:
    """Raises OSError unless only this user can change the folder or file. `status` is its lstat; the message names
    `path`.
    """
    if not hasattr(os, "geteuid"):  # Windows: folders of a user's profile are private by their access lists
        return
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        raise OSError(f"{str(path)!r} is a link or a special file")
    if status.st_uid != os.geteuid():
        raise OSError(f"{str(path)!r} belongs to another user")
    if status.st_mode & 0o022:
        raise OSError(f"{str(path)!r} can be changed by other users")
