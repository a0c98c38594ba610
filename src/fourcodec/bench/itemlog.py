"""The item log: the outcomes of a bench run, in a journal and a folder of our own files beside it.

Only the place of each line is held in memory.
"""

import json
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from fourcodec.batch.journal import Journal
from fourcodec.bench.items import Outcome
from fourcodec.bench.rows import from_json
from fourcodec.files import remove_all_leftovers, write

_NOT_DONE = -1


class ItemLog:
    """The outcomes of a run, by number of the item. Iterating gives those that are there, in that order."""

    def __init__(self, journal: Journal, files: Path, count: int) -> None:
        """Reads where each finished item of `count` stands in the journal, and cleans up the folder `files`.

        Raises RunError for a journal that is damaged or of a longer run.
        """
        self.files = files
        self._journal = journal
        self._places = array("q", [_NOT_DONE]) * count
        self._done = 0
        journal.read(lambda line, place: self._note(line["index"], place))
        files.mkdir(exist_ok=True)
        remove_all_leftovers(files)  # of a run that was killed: the journal is locked, so that no other one writes here

    def __len__(self) -> int:
        return self._done

    def __contains__(self, index: int) -> bool:
        return self._places[index] != _NOT_DONE

    def append(self, outcome: Outcome) -> None:
        """Writes an outcome, and our file with it; returns when both are on the disk."""
        if outcome.data is not None:
            write(self.file_of(outcome.index), outcome.data, overwrite=True)
        self._note(outcome.index, self._journal.append(_to_json(outcome)))

    def __iter__(self) -> Iterator[Outcome]:
        """The finished items by number, in whatever order they were finished; without their `data`."""
        with self._journal.path.open("rb") as file:
            for place in self._places:
                if place != _NOT_DONE:
                    file.seek(place)
                    yield _from_json(json.loads(file.readline()))

    def __getitem__(self, index: int) -> Outcome:
        """A finished item, without its `data`."""
        with self._journal.path.open("rb") as file:
            file.seek(self._places[index])
            return _from_json(json.loads(file.readline()))

    def file_of(self, index: int) -> Path:
        """The path of our file of an item."""
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
