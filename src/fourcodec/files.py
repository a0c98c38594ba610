"""Reading and writing whole files, all or nothing.

A new file appears under its name only when it is complete and on the disk: it is written to a temporary file in the
same folder, flushed and renamed. An interruption, by Ctrl-C for one, leaves neither a partial file nor the temporary
one. A file that replaces another one keeps its access rights (docs/trust.md).
"""

import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, TextIO

from fourcodec.errors import LimitError

_PIECE_BYTES = 1 << 20
_INPUT = "standard input"  # in place of a path
_TOKEN_BYTES, _SUFFIX = 6, ".tmp"  # random bytes in the name of a temporary file, and its ending
_PREFIX_BYTES = 100  # of the target's name; with the rest, a temporary name is shorter than any system's 255 bytes
_TAIL_LENGTH = 2 * _TOKEN_BYTES + len(_SUFFIX)
_LEFTOVER = re.compile(rf"\..+\.[0-9a-f]{{{2 * _TOKEN_BYTES}}}{re.escape(_SUFFIX)}", re.DOTALL)
_NO_ROOM = tuple(getattr(errno, name, 0) for name in ("ENOSPC", "EDQUOT", "EROFS"))
_ACL = "system.posix_acl_access"  # Linux: the extended attribute with a file's access control list


def read(path: Path, limit_bytes: int, remedy: str = "") -> bytes:
    """The bytes of a file.

    Raises OSError as open() does, and LimitError, whose message ends with `remedy`, for more than `limit_bytes`, before
    much more has been read.
    """
    with path.open("rb") as file:
        return _read_whole(file, limit_bytes, str(path), repr(str(path)), remedy)


def read_open(file: BinaryIO, limit_bytes: int, remedy: str = "") -> bytes:
    """The bytes of an open file, from where it is to its end. Raises LimitError as `read` does, and ValueError for a
    file of text."""
    return _read_whole(file, limit_bytes, "the open file", "the open file", remedy)


def read_standard_input(limit_bytes: int, remedy: str = "") -> bytes:
    """The bytes of standard input. Raises OSError, also where it is closed, and LimitError as `read` does."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "closed", _INPUT)
    return _read_whole(sys.stdin.buffer, limit_bytes, _INPUT, _INPUT, remedy)


def _read_whole(file: BinaryIO | TextIO, limit_bytes: int, path: str, name: str, remedy: str) -> bytes:
    """The bytes of an open file, read piece by piece: for one read of `limit_bytes`, Python would allocate them all."""
    data = bytearray()
    while piece := _piece(file, path):
        if isinstance(piece, str):
            raise ValueError(f"{name} is open for text: open it for bytes, with mode 'rb'")
        data += piece
        if len(data) > limit_bytes:
            raise LimitError(f"{name} is larger than the limit of {limit_bytes} bytes{remedy and ': ' + remedy}")
    return bytes(data)


def _piece(file: BinaryIO | TextIO, path: str) -> bytes | str:
    try:
        return file.read(_PIECE_BYTES)
    except OSError as exc:  # a disk with a fault, say: reading does not name the file as opening does
        raise OSError(exc.errno, f"cannot read: {exc.strerror or exc}", path) from exc


def standard_output() -> BinaryIO:
    """Standard output, open for bytes. Raises OSError where it is closed."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, "closed", "standard output")
    return sys.stdout.buffer


def write_standard_output(data: bytes) -> None:
    """Writes all of `data` to standard output. Raises OSError, also where it is closed."""
    output = standard_output()
    output.write(data)
    output.flush()


def is_disk_full(exc: OSError) -> bool:
    """True where no other file can be written either: no space, no quota, or a file system that is read-only."""
    return exc.errno in _NO_ROOM


def check_regular(path: Path) -> None:
    """Raises OSError for anything but a regular file or a link to one: opening a FIFO would wait, perhaps for ever.

    For files that were found by listing a folder. A FIFO that the user names may be meant.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))


def leads_out(path: Path, folder: Path) -> bool:
    """True where links lead from the folder to another place above the file `path`, which is named as one below it."""
    return not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(folder))


def check_target(path: Path, *, overwrite: bool) -> None:
    """Raises the OSError now that `write` would raise after minutes of work.

    That is FileExistsError where the file exists and not `overwrite`, another OSError for folders and devices, which
    are never replaced, and for folders that cannot be written to.
    """
    _check_replaceable(path, overwrite)
    with _temporary(_followed(path), path):
        pass


def write(path: Path, data: bytes, *, overwrite: bool, within: Path | None = None) -> None:
    """Writes all of `data` or nothing. Raises an OSError that names the file; FileExistsError as `check_target`
    does.

    A link is followed: the file that it points to is written. `within` is the folder of a run, which may be a
    stranger's: a link in it is replaced, and one that leads out of it above the file is an OSError.
    """
    with replacing(path, overwrite=overwrite, within=within) as file:
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]


@contextmanager
def replacing(path: Path, *, overwrite: bool, within: Path | None = None) -> Iterator[FileIO]:
    """A file, open for writing, that appears under its name when the context ends without an exception.

    It is unbuffered: a write may take fewer bytes than it is given. Links, and what is raised, are as for `write`.
    """
    if within is not None and leads_out(path, within):
        raise OSError(errno.ELOOP, "cannot write: leads out of the folder through a link", str(path))
    target = _followed(path) if within is None else path
    with _temporary(target, path) as (temporary, file):
        try:
            yield file
            os.fsync(file.fileno())
            file.close()  # Windows renames no open file
        except OSError as exc:  # a full disk, say
            if exc.filename is not None:  # of another file
                raise
            raise OSError(exc.errno, f"cannot write: {exc.strerror or exc}", str(path)) from exc
        if within is None or not path.is_symlink():
            _check_replaceable(path, overwrite)
        _rename(temporary, target, overwrite)


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
    prefix = _prefix(path)
    _remove(path.parent, lambda name: name.startswith(prefix) and len(name) == len(prefix) + _TAIL_LENGTH)


def remove_all_leftovers(folder: Path) -> None:
    """Removes such temporary files of all paths in a folder, if there is one. No other process may be writing there."""
    if folder.is_dir():
        _remove(folder, lambda name: True)


def _remove(folder: Path, chosen: Callable[[str], bool]) -> None:
    for name in os.listdir(folder):
        if _LEFTOVER.fullmatch(name) and chosen(name):
            (folder / name).unlink(missing_ok=True)


def _prefix(target: Path) -> str:
    """The start of the names of a target's temporary files. Names are limited in bytes; no character is cut in two."""
    return f".{os.fsencode(target.name)[:_PREFIX_BYTES].decode(errors='ignore')}."


def _check_replaceable(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder")
    if path.exists() and not path.is_file():
        raise OSError(f"{str(path)!r} is not a regular file and is not replaced")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{str(path)!r} exists already")


def _followed(path: Path) -> Path:
    """The path that is written: of a symbolic link, the file that it points to, so that the link stays."""
    return Path(os.path.realpath(path))


@contextmanager
def _temporary(target: Path, named: Path) -> Iterator[tuple[Path, FileIO]]:
    """A new temporary file beside the target, open for writing. It is removed at the end unless it was renamed.

    `named` is the target as the user knows it, for errors.
    """
    temporary = target.with_name(f"{_prefix(target)}{os.urandom(_TOKEN_BYTES).hex()}{_SUFFIX}")
    # Not tempfile.mkstemp, whose files only their owner can read: a new file shall have the permissions of the user's
    # umask. One that replaces another begins without rights for others, and gets those of the old file.
    old = _regular(target)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666 if old is None else 0o600)
    except OSError as exc:  # name the target, not the temporary file
        raise OSError(exc.errno, f"cannot write: {exc.strerror}", str(named)) from exc
    try:
        # Unbuffered: closing the file writes nothing, so it cannot fail a second time.
        with open(descriptor, "wb", buffering=0) as file:
            if old is not None and sys.platform != "win32":
                _keep_access(descriptor, target, old)
            yield temporary, file
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _regular(path: Path) -> os.stat_result | None:
    """The facts about a regular file; None where there is none, and for a link."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _keep_access(descriptor: int, target: Path, old: os.stat_result) -> None:
    """Gives a new file the owner, group, mode and, on Linux, the ACL of the target that it will replace.

    Only root gives files away: elsewhere the new file may have another owner. Where the group or the ACL cannot be
    kept, its group gets no more rights than everybody has, so that nobody gets a right that the old file did not give.
    """
    for owner in (old.st_uid, -1):
        with suppress(OSError):
            os.fchown(descriptor, owner, old.st_gid)
            break
    mode = stat.S_IMODE(old.st_mode) & 0o777
    same_group = os.fstat(descriptor).st_gid == old.st_gid
    if not (_set_acl(descriptor, _acl_of(target)) and same_group):
        mode &= ~0o070 | (mode << 3)
    with suppress(OSError):  # file systems without modes
        os.fchmod(descriptor, mode)


def _acl_of(path: Path) -> bytes:
    """The ACL of a file; empty where it has none beside its mode."""
    try:
        return os.getxattr(path, _ACL)
    except (OSError, AttributeError):  # no ACL, or no such system call
        return b""


def _set_acl(descriptor: int, acl: bytes) -> bool:
    """Gives a new file this ACL, or takes that away which a folder with a default ACL gave it. Returns False where that
    cannot be done."""
    try:
        if acl:
            os.setxattr(descriptor, _ACL, acl)
        else:
            os.removexattr(descriptor, _ACL)
    except OSError as exc:
        return not acl and exc.errno in (errno.ENODATA, errno.ENOTSUP)  # there was none
    except AttributeError:  # no such system call
        return not acl
    return True
