"""Reading and writing whole files, all or nothing.

A new file appears under its name only when it is complete and on the disk: it is written to a temporary file in the
same folder, flushed and renamed. An interruption, by Ctrl-C for one, leaves neither a partial file nor the temporary
one.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from fourcodec.errors import LimitError

_PIECE_BYTES = 1 << 20
_TOKEN_BYTES, _SUFFIX = 6, ".tmp"  # random bytes in the name of a temporary file, and its ending


def read(path: Path, limit_bytes: int, remedy: str = "") -> bytes:
    """The bytes of a file.

    Raises OSError as open() does, and LimitError, whose message ends with `remedy`, for more than `limit_bytes`, before
    much more has been read.
    """
    with path.open("rb") as file:
        return _read_whole(file, limit_bytes, repr(str(path)), remedy)


def read_standard_input(limit_bytes: int, remedy: str = "") -> bytes:
    """The bytes of standard input. Raises OSError and LimitError as `read` does."""
    return _read_whole(sys.stdin.buffer, limit_bytes, "standard input", remedy)


def _read_whole(file: BinaryIO, limit_bytes: int, name: str, remedy: str) -> bytes:
    """The bytes of an open file, read piece by piece: for one read of `limit_bytes`, Python would allocate them all."""
    data = bytearray()
    while piece := file.read(_PIECE_BYTES):
        data += piece
        if len(data) > limit_bytes:
            raise LimitError(f"{name} is larger than the limit of {limit_bytes} bytes{remedy and ': ' + remedy}")
    return bytes(data)


def write_standard_output(data: bytes) -> None:
    """Writes all of `data` to standard output. Raises OSError."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def check_target(path: Path, *, overwrite: bool) -> None:
    """Raises the OSError now that `write` would raise after minutes of work.

    That is FileExistsError where the file exists and not `overwrite`, another OSError for folders and devices, which
    are never replaced, and for folders that cannot be written to.
    """
    _check_replaceable(path, overwrite)
    with _temporary(path):
        pass


def write(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Writes all of `data` or nothing. Raises an OSError that names the file; FileExistsError as `check_target`
    does."""
    with _temporary(path) as (temporary, file):
        try:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
            file.close()  # Windows renames no open file
        except OSError as exc:  # a full disk, say
            raise OSError(exc.errno, f"cannot write: {exc.strerror or exc}", str(path)) from exc
        _check_replaceable(path, overwrite)
        _rename(temporary, _target(path), overwrite)


def _rename(temporary: Path, target: Path, overwrite: bool) -> None:
    if not overwrite:
        # A rename would replace what another process has written since the check; a link does not.
        try:
            os.link(temporary, target)
            return
        except FileExistsError:
            raise FileExistsError(f"{str(target)!r} exists already") from None
        except (OSError, AttributeError, NotImplementedError):
            pass  # a file system without links
    os.replace(temporary, target)


def remove_leftovers(path: Path) -> None:
    """Removes the temporary files that a `write` of this path left when its process was killed. No other process may be
    writing the path."""
    target = _target(path)
    length = len(_prefix(target)) + 2 * _TOKEN_BYTES + len(_SUFFIX)
    for name in os.listdir(target.parent):
        if name.startswith(_prefix(target)) and name.endswith(_SUFFIX) and len(name) == length:
            (target.parent / name).unlink(missing_ok=True)


def remove_all_leftovers(folder: Path) -> None:
    """Removes such temporary files of all paths in a folder. No other process may be writing there."""
    for path in folder.glob(f".*{_SUFFIX}"):
        path.unlink(missing_ok=True)


def _prefix(target: Path) -> str:
    """The start of the names of a target's temporary files."""
    return f".{target.name[:100]}."


def _check_replaceable(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder")
    if path.exists() and not path.is_file():
        raise OSError(f"{str(path)!r} is not a regular file and is not replaced")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{str(path)!r} exists already")


def _target(path: Path) -> Path:
    """The path that is written: of a symbolic link, the file that it points to, so that the link stays."""
    return Path(os.path.realpath(path))


@contextmanager
def _temporary(path: Path) -> Iterator[tuple[Path, FileIO]]:
    """A new temporary file beside the target, open for writing. It is removed at the end unless it was renamed."""
    target = _target(path)
    temporary = target.with_name(f"{_prefix(target)}{secrets.token_hex(_TOKEN_BYTES)}{_SUFFIX}")
    # Not tempfile.mkstemp, whose files only their owner can read: a new file shall have the permissions of the user's
    # umask.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666)
    except OSError as exc:  # name the target, not the temporary file
        raise OSError(exc.errno, f"cannot write: {exc.strerror}", str(path)) from exc
    try:
        # Unbuffered: closing the file writes nothing, so it cannot fail a second time.
        with open(descriptor, "wb", buffering=0) as file:
            yield temporary, file
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
