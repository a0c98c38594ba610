"""The item log: the outcomes of a bench run, in a journal and a folder of our own files beside it.

Only the place of each line is held in memory.
"""

import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from fourcodec.batch.journal import Journal, RunError
from fourcodec.bench.items import Outcome
from fourcodec.bench.rows import from_json
from fourcodec.files import remove_all_leftovers, write

_NOT_DONE = -1


class ItemLog:
    """The outcomes of a run, by number of the item. Iterating gives those that are there, in that order."""

    def __init__(
        self, journal: Journal, files: Path, count: int, belongs: Callable[[Outcome], bool] = lambda _: True
    ) -> None:
        """Reads where each finished item of `count` stands in the journal, and cleans up the folder `files`.

        Raises RunError for a journal that is damaged or of a longer run, or has an outcome that does not belong to it:
        the journal may be a stranger's, and the pictures that it names are shown in the report.
        """
        self.files = files
        self._journal, self._belongs = journal, belongs
        self._places = array("q", [_NOT_DONE]) * count
        self._done = 0
        journal.read(self._read)
        files.mkdir(exist_ok=True)
        if files.is_symlink():
            raise RunError(f"{str(files)!r} is a link: remove it")
        remove_all_leftovers(files)  # of a run that was killed: the journal is locked, so that no other one writes here

    def __len__(self) -> int:
        return self._done

    def __contains__(self, index: int) -> bool:
        return self._places[index] != _NOT_DONE

    def append(self, outcome: Outcome) -> None:
        """Writes an outcome, and our file with it; returns when both are on the disk."""
        if outcome.data is not None:
            write(self.file_of(outcome.index), outcome.data, overwrite=True, within=self.files.parent)
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

    def _read(self, line: dict[str, Any], place: int) -> None:
        outcome = _from_json(line)
        if not 0 <= outcome.index < len(self._places):
            raise IndexError("the run is longer")
        if not self._belongs(outcome):
            raise ValueError("another run's outcome")
        self._note(outcome.index, place)

    def _note(self, index: int, place: int) -> None:
        self._done += index not in self
        self._places[index] = place


def _to_json(outcome: Outcome) -> dict[str, Any]:
    values: dict[str, Any] = {"index": outcome.index, "image": outcome.image}
    if outcome.problem:
        values["problem"] = outcome.problem
    return {**values, "is_jpeg": outcome.is_jpeg, "rows": [row.as_json() for row in outcome.rows]}


def _from_json(values: dict[str, Any]) -> Outcome:
    """The inverse of `_to_json`. Raises KeyError, TypeError and ValueError for anything else."""
    rows = tuple(from_json(row) for row in values.pop("rows"))
    outcome = Outcome(**values)
    kinds = {"index": int, "image": str, "problem": str, "is_jpeg": bool}
    if outcome.data is not None or any(type(getattr(outcome, name)) is not kind for name, kind in kinds.items()):
        raise TypeError("a value of another type")
    return replace(outcome, rows=rows)
