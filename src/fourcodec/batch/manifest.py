"""What of a folder is done, in a journal beside the targets: the settings first, then two lines for each file, one
before it is written, so that after a kill between the two it is known to be ours, and one when it is whole.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from fourcodec.batch.journal import Journal
from fourcodec.batch.tasks import Stamp, stamp_of
from fourcodec.errors import FourcodecError


class FolderError(FourcodecError):
    """A folder that cannot be worked on, or not like this; one line for a person."""


@dataclass(frozen=True)
class Entry:
    """A finished file."""

    source: str
    target: str
    target_bytes: int
    stamp: Stamp


class Manifest:
    """Of one output folder and one direction."""

    def __init__(self, path: Path) -> None:
        """Opens or creates it. Raises JournalError where it is damaged or in use."""
        self.settings: dict[str, Any] | None = None
        self.entries: dict[str, Entry] = {}
        self.targets: dict[str, str] = {}  # by source: what may be replaced, since this manifest's runs made it
        self._journal = Journal(path, self._note)

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()

    def begin(self, settings: dict[str, Any]) -> None:
        """Notes the settings, or raises FolderError where they are not those that the folder was begun with."""
        wanted = {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
        if self.settings is None:
            self._journal.append({"settings": wanted})
            return
        changes = [
            f"{name} was {_shown(self.settings.get(name))} and is now {_shown(wanted.get(name))}"
            for name in sorted(self.settings.keys() | wanted.keys())
            if self.settings.get(name) != wanted.get(name)
        ]
        if changes:
            raise FolderError(f"cannot resume: {'; '.join(changes)}. Repeat the first command, or begin anew with -f")

    def claim(self, source: str, target: str) -> None:
        """Notes, before it is written, that a target is ours."""
        if self.targets.get(source) != target:
            self._journal.append({"source": source, "target": target})
            self.targets[source] = target

    def append(self, entry: Entry) -> None:
        """Returns when it is on the disk."""
        self._journal.append(asdict(entry))
        self.entries[entry.source] = entry

    def is_done(self, source: str, folder: Path, out: Path) -> bool:
        """Whether the target is there and the source is still what it was made from. Its contents are read only where
        its time has changed and its size has not."""
        entry = self.entries.get(source)
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
            self.settings = dict(line["settings"])
            return
        self.targets[line["source"]] = line["target"]
        if "stamp" in line:
            entry = Entry(**{**line, "stamp": Stamp(**line["stamp"])})
            self.entries[entry.source] = entry


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)
