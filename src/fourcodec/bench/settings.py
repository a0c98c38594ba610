"""What a run measures. Everything here decides the table; what does not (jobs, scheduler, quiet) is elsewhere."""

from dataclasses import asdict, dataclass
from typing import Any

from fourcodec.errors import FourcodecError

OUR_NAME = "fourcodec"  # the codec column of our own rows


class BenchError(FourcodecError):
    """A run that cannot start, or cannot go on; one line for a person."""


@dataclass(frozen=True)
class OurSetting:
    """One way of making our file: a size of network, a quality, or both."""

    width: int | None = None
    depth: int | None = None
    quality: float | None = None

    @property
    def label(self) -> str:
        """As in the tables: 8x6, q50, or 8x6 q50."""
        size = "" if self.width is None else f"{self.width}x{self.depth}"
        quality = "" if self.quality is None else f"q{self.quality:g}"
        return " ".join(filter(None, (size, quality)))


@dataclass(frozen=True)
class BenchSettings:
    """All that the numbers of a run depend on, beside the pictures and the versions of the libraries."""

    folder: str  # absolute
    peers: tuple[str, ...]
    ours: tuple[OurSetting, ...]  # none: only the peers are measured
    profile: str | None = None
    device: str = "auto"
    effort: int = 1
    iterations: int | None = None
    limit: int | None = None  # pictures; None: all
    seed: int = 0
    codec: str = "fourcodec.codec"  # the module whose `encode` and `decode` are measured

    def as_json(self) -> dict[str, Any]:
        """For settings.json: lists and labels in place of tuples and objects."""
        return {**asdict(self), "peers": list(self.peers), "ours": [our.label for our in self.ours]}


_OPTIONS = {
    "folder": "the folder",
    "peers": "--codecs",
    "ours": "the sizes or qualities (--width, --depth, -q, --peers-only)",
    "profile": "--profile",
    "device": "--device",
    "effort": "--effort",
    "iterations": "--iterations",
    "limit": "--limit",
    "seed": "--seed",
    "codec": "the measured codec",
    "pictures": "the list of pictures in the folder",
    "versions": "the version of",
}


def refuse_changes(stored: dict[str, Any], now: dict[str, Any]) -> None:
    """Raises BenchError naming every setting that differs: rows made under two settings do not belong in one table."""
    changes = []
    for name, option in _OPTIONS.items():
        before, after = stored.get(name), now.get(name)
        if name == "versions":
            changes += _version_changes(before or {}, after or {})
        elif name == "pictures" and before != after:
            changes.append(f"{option} has changed")
        elif before != after:
            changes.append(f"{option} was {_shown(before)} and is now {_shown(after)}")
    if changes:
        raise BenchError(
            f"cannot resume: {'; '.join(changes)}. Repeat the first command, or begin anew with -f or another -o"
        )


def _version_changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [
        f"the version of {name} was {before.get(name)} and is now {after.get(name)}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return "not given" if value is None else str(value)
