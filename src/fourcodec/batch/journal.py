"""What is finished, on the disk: one line of JSON for each piece of work, synced before the next begins.

A process killed while it writes leaves at most one torn line at the end, which is cut off when the journal is opened
again; its work is done anew.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from fourcodec.errors import FourcodecError

if sys.platform != "win32":
    import fcntl


class JournalError(FourcodecError):
    """A journal that is damaged, or in use by another run."""


class Journal:
    """Open for appending, locked against other runs."""

    def __init__(self, path: Path, note: Callable[[dict[str, Any], int], None]) -> None:
        """Opens or creates the file and calls note(object, its place in bytes) for every line that is there. Raises
        JournalError; a KeyError, TypeError or IndexError of `note` says that a line is not of this kind."""
        self.path = path
        self._file = path.open("a+b", buffering=0)  # what a full disk refuses must not be written later
        self._lock()
        self._recover(note)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, value: dict[str, Any]) -> int:
        """Returns, when the line is on the disk, its place. Raises OSError, and the line is then not there."""
        place = self._file.seek(0, os.SEEK_END)
        left = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(place)  # of a full disk: half a line, and the next behind it, would be damage
            raise
        return place

    def close(self) -> None:
        self._file.close()

    def _lock(self) -> None:
        """Two runs would tear each other's lines; a killed one leaves no lock."""
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            self._file.close()
            raise JournalError(f"another run is writing to {str(self.path)!r}") from exc

    def _recover(self, note: Callable[[dict[str, Any], int], None]) -> None:
        place = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                try:
                    note(json.loads(line), place)
                except (ValueError, KeyError, TypeError, IndexError) as exc:
                    self._file.close()
                    raise JournalError(f"{str(self.path)!r} is damaged at byte {place}: begin anew with -f") from exc
                place += len(line)
        self._file.truncate(place)
