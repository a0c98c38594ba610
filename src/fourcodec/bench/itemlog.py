"""The outcomes of a run, in a journal and a folder of our own files beside it.

Nothing but the place of each line is held in memory.
"""

import json
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from fourcodec.batch.journal import Journal
from fourcodec.bench.items import Outcome
from fourcodec.bench.rows import from_json
from fourcodec.files import remove_all_leftovers, write

_NOT_DONE = -1


class ItemLog:
    """The outcomes of a run of `count` items, in a file and a folder of our own files beside it."""

    def __init__(self, path: Path, files: Path, count: int) -> None:
        """Opens or creates the log and reads where each finished item stands. Raises JournalError for a foreign
        file."""
        self.files = files
        self._path = path
        self._places = array("q", [_NOT_DONE]) * count
        self._done = 0
        files.mkdir(exist_ok=True)
        remove_all_leftovers(files)
        self._journal = Journal(path, lambda line, place: self._note(line["index"], place))

    def __enter__(self) -> "ItemLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()

    def __len__(self) -> int:
        return self._done

    def __contains__(self, index: int) -> bool:
        return self._places[index] != _NOT_DONE

    def append(self, outcome: Outcome) -> None:
        """Returns when the outcome, and our file with it, is on the disk."""
        if outcome.data is not None:
            write(self.file_of(outcome.index), outcome.data, overwrite=True)
        self._note(outcome.index, self._journal.append(_to_json(outcome)))

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
