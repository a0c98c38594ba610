"""The journal of a run: what it has finished, on the disk, and the lock that keeps a second run out of its folder.

A journal has one line of JSON for each piece of work, synced before the next piece begins. A process that is killed
while it writes leaves at most one torn line at the end. It is cut off when the journal is read again, and its work is
done anew.
"""

import errno
import json
import os
import stat
import sys
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any

from fourcodec.errors import FourcodecError
from fourcodec.json_text import read_object

if sys.platform != "win32":
    import fcntl


_LINE_BYTES = 1 << 24  # of the longest line: a picture has a few rows in a bench


class RunError(FourcodecError):
    """A run that cannot start in its folder, or has nothing to do; the message is one line for a person."""


def open_locked(path: Path) -> FileIO:
    """Opens or creates a file for reading and appending, and locks it until it is closed or its process ends.

    A run calls this before it reads or changes anything else in its folder. Raises RunError where another run holds the
    lock, and where the file is a link or a special file: the folder may be a stranger's, and the file is emptied by -f.
    Raises OSError where it cannot be opened. Windows, and file systems that know no locks, have none.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise RunError(f"{str(path)!r} is a link: remove it") from exc
        raise
    # unbuffered: a line that a full disk refuses must not be written later
    file = open(descriptor, "a+b", buffering=0)  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise RunError(f"{str(path)!r} is not a regular file: remove it")
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            file.close()
            raise RunError(f"another run is writing to {str(path.parent)!r}") from exc
        except OSError:  # some network file systems: better a run without a lock than none
            pass
    return file


class Journal:
    """A journal that is open for appending and locked against other runs."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file and locks it; nothing is read yet. Raises as `open_locked`."""
        self.path = path
        self._file = open_locked(path)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def clear(self) -> None:
        """Removes all lines, also damaged ones."""
        self._file.truncate(0)

    def is_empty(self) -> bool:
        """Tells whether the file has no bytes."""
        return self._file.seek(0, os.SEEK_END) == 0

    def append(self, value: dict[str, Any]) -> int:
        """Writes one line and returns its place in bytes once it is on the disk.

        Raises OSError, and the line is then not in the file.
        """
        place = self._file.seek(0, os.SEEK_END)
        left = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as exc:
            self._file.truncate(place)  # half a line with another one behind it would be damage
            raise OSError(exc.errno, f"cannot write: {exc.strerror}", str(self.path)) from exc
        return place

    def read(self, note: Callable[[dict[str, Any], int], None]) -> None:
        """Calls note(object, its place in bytes) for each line, and cuts off a torn last line.

        Raises RunError for a damaged line, also where `note` raises ValueError, KeyError, TypeError or IndexError for
        it.
        """
        place = 0
        with self.path.open("rb") as lines:
            while (line := lines.readline(_LINE_BYTES)).endswith(b"\n"):
                try:
                    note(read_object(line), place)
                except (ValueError, KeyError, TypeError, IndexError) as exc:
                    raise self.damaged(place) from exc
                place += len(line)
            if len(line) == _LINE_BYTES:
                raise self.damaged(place)
        self._file.truncate(place)

    def damaged(self, place: int) -> RunError:
        """The error of a journal whose line at byte `place` cannot be one of ours."""
        return RunError(f"{str(self.path)!r} is damaged at byte {place}: begin anew with -f")
