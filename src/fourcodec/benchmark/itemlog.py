"""What is finished, on the disk: one line of JSON per item, appended and synced before the next item begins.

A process killed while it writes leaves at most one torn line at the end, which is cut off when the log is opened
again; its item is done anew. Nothing but the place of each line is held in memory.
"""

import json
import os
import sys
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from fourcodec.benchmark.items import Outcome
from fourcodec.benchmark.rows import from_json
from fourcodec.benchmark.settings import BenchError

if sys.platform != "win32":
    import fcntl

_NOT_DONE = -1


class ItemLog:
    """The outcomes of a run of `count` items, in a file and a folder of our own files beside it."""

    def __init__(self, path: Path, files: Path, count: int) -> None:
        """Opens or creates the log and reads where each finished item stands. Raises BenchError for a foreign file."""
        self.files = files
        self._path = path
        self._places = array("q", [_NOT_DONE]) * count
        self._done = 0
        files.mkdir(exist_ok=True)
        self._file = path.open("a+b")
        self._lock()
        self._recover()

    def __enter__(self) -> "ItemLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._done

    def __contains__(self, index: int) -> bool:
        return self._places[index] != _NOT_DONE

    def append(self, outcome: Outcome) -> None:
        """Returns when the outcome, and our file with it, is on the disk."""
        if outcome.data is not None:
            _write_synced(self.file_of(outcome.index), outcome.data)
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(_to_json(outcome), separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._note(outcome.index, place)

    def __iter__(self) -> Iterator[Outcome]:
        """The finished items by number, whatever the order they were finished in; without `data`."""
        with self._path.open("rb") as file:
            for place in self._places:
                if place != _NOT_DONE:
                    file.seek(place)
                    yield _from_json(json.loads(file.readline()))

    def __getitem__(self, index: int) -> Outcome:
        """A finished item, without its `data`."""
        with self._path.open("rb") as file:
            file.seek(self._places[index])
            return _from_json(json.loads(file.readline()))

    def file_of(self, index: int) -> Path:
        """Where our file of an item is kept."""
        return self.files / f"{index:06}.fnc"

    def _lock(self) -> None:
        """Two runs in one folder would tear each other's lines; a killed one leaves no lock."""
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            self._file.close()
            raise BenchError(f"another run is writing to {str(self._path)!r}") from exc

    def _recover(self) -> None:
        place = 0
        self._file.seek(0)
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            try:
                self._note(json.loads(line)["index"], place)
            except (ValueError, KeyError, TypeError, IndexError) as exc:
                raise BenchError(f"{str(self._path)!r} is damaged at byte {place}: begin anew with -f") from exc
            place += len(line)
        self._file.truncate(place)

    def _note(self, index: int, place: int) -> None:
        self._done += index not in self
        self._places[index] = place


def _to_json(outcome: Outcome) -> dict[str, Any]:
    values: dict[str, Any] = {"index": outcome.index, "image": outcome.image}
    if outcome.problem:
        values["problem"] = outcome.problem
    return {**values, "is_jpeg": outcome.is_jpeg, "rows": [row.as_json() for row in outcome.rows]}


def _from_json(values: dict[str, Any]) -> Outcome:
    rows = tuple(from_json(row) for row in values.pop("rows"))
    return replace(Outcome(**values), rows=rows)


def _write_synced(path: Path, data: bytes) -> None:
    """Not atomic: the log's line, which is written after it, says that the file is whole."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
