"""The manifest of an output folder: which of its files are done and which are this program's, as lines of a journal.

The settings come first, then two lines for each file. One is written before the file, so that after a kill the file is
known to be ours and may be replaced; the other one is written when the file is whole.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from fourcodec.batch.engine import changes, refuse_changes
from fourcodec.batch.journal import Journal, RunError
from fourcodec.batch.plan import is_target
from fourcodec.batch.tasks import Stamp, stamp_of

Value = TypeVar("Value")


@dataclass(frozen=True)
class Entry:
    """A finished file; `source` and `target` are relative to their folders."""

    source: str
    target: str
    target_bytes: int
    stamp: Stamp


class Manifest:
    """The manifest of one output folder and one direction, encoding or decoding."""

    def __init__(self, journal: Journal) -> None:
        """Reads the journal. Raises RunError where it is damaged."""
        self.targets: dict[str, str] = {}  # by source: the files that may be replaced
        self._settings: dict[str, Any] | None = None
        self._entries: dict[str, Entry] = {}  # by source
        self._sources: dict[str, str] = {}  # by target
        self._journal = journal
        journal.read(self._note)

    def begin(self, settings: dict[str, Any], suffix: str) -> None:
        """Notes the settings. Raises RunError where the folder was begun with others, or has targets that a run with
        this suffix does not make: the folder may be a stranger's, and its targets are replaced."""
        settings = json.loads(json.dumps(settings))  # as the journal will give them back: tuples are lists
        if self._settings is None:
            self._journal.append({"settings": settings})
        else:
            refuse_changes(changes(self._settings, settings))
        for source, target in self.targets.items():
            if not is_target(source, target, suffix):
                raise RunError(f"{str(self._journal.path)!r} names {target!r} for {source!r}: begin anew with -f")

    def claim(self, source: str, target: str) -> None:
        """Notes, before it is written, that a target is ours."""
        if self.targets.get(source) != target:
            self._journal.append({"source": source, "target": target})
            self.targets[source] = target
            self._sources[target] = source

    def append(self, entry: Entry) -> None:
        """Notes that a file is whole; returns when that is on the disk."""
        self._journal.append(asdict(entry))
        self._entries[entry.source] = entry

    def is_done(self, source: str, folder: Path, out: Path) -> bool:
        """Tells whether the target is there and the source is still the one that it was made from.

        The source is read only where its time has changed and its size has not.
        """
        entry = self._entries.get(source)
        if entry is None:
            return False
        try:
            target, found = (out / entry.target).stat(), (folder / source).stat()
            if target.st_size != entry.target_bytes or found.st_size != entry.stamp.size_bytes:
                return False
            same_time = found.st_mtime_ns == entry.stamp.mtime_ns
            return same_time or stamp_of(folder / source).sha256 == entry.stamp.sha256
        except OSError:
            return False

    def _note(self, line: dict[str, Any], _: int) -> None:
        if "settings" in line:
            self._settings = _of_type(dict, line["settings"])
            return
        source, target = _of_type(str, line["source"]), _of_type(str, line["target"])
        if not PurePosixPath(source).name or "\0" in source:
            raise ValueError("the source is no file")
        if self._sources.setdefault(target, source) != source:
            raise ValueError("two sources have one target")
        self.targets[source] = target
        if "stamp" in line:
            stamp = Stamp(**line["stamp"])
            for number in (line["target_bytes"], stamp.size_bytes, stamp.mtime_ns):
                _of_type(int, number)
            self._entries[source] = Entry(source, target, line["target_bytes"], stamp)


def _of_type(kind: type[Value], value: Any) -> Value:
    """The value, which must be of this very type. Raises TypeError."""
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
