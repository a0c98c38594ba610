"""The journal of a run: what it has finished, on the disk, and the lock that keeps a second run out of its folder.

A journal has one line of JSON for each piece of work, synced before the next piece begins. A process that is killed
while it writes leaves at most one torn line at the end. It is cut off when the journal is read again, and its work is
done anew.
"""

import json
import os
import sys
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any

from fourcodec.errors import FourcodecError

if sys.platform != "win32":
    import fcntl


class RunError(FourcodecError):
    """A run that cannot start in its folder, or has nothing to do; the message is one line for a person."""


def open_locked(path: Path) -> FileIO:
    """Opens or creates a file for reading and appending, and locks it until it is closed or its process ends.

    A run calls this before it reads or changes anything else in its folder. Raises RunError where another run holds the
    lock, and OSError where the file cannot be opened. Windows, and file systems that know no locks, have none.
    """
    file = path.open("a+b", buffering=0)  # unbuffered: a line that a full disk refuses must not be written later
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
        except OSError:
            self._file.truncate(place)  # half a line with another one behind it would be damage
            raise
        return place

    def read(self, note: Callable[[dict[str, Any], int], None]) -> None:
        """Calls note(object, its place in bytes) for each line, and cuts off a torn last line.

        Raises RunError for a damaged line, also where `note` raises KeyError, TypeError or IndexError for it.
        """
        place = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                try:
                    note(json.loads(line), place)
                except (ValueError, KeyError, TypeError, IndexError) as exc:
                    raise RunError(f"{str(self.path)!r} is damaged at byte {place}: begin anew with -f") from exc
                place += len(line)
        self._file.truncate(place)
