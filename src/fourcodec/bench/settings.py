"""The settings of a run that decide its table. Those that do not (jobs, scheduler, quiet) are in batch.engine."""

from dataclasses import asdict, dataclass
from typing import Any

from fourcodec.batch.engine import changes, refuse_changes

OUR_NAME = "fourcodec"  # the codec column of our own rows
OUR_MODULE = "fourcodec.codec"  # makes them


@dataclass(frozen=True)
class OurSetting:
    """One way to make our file: a size of the network, a quality, or both; and the tuning, None for the usual one."""

    width: int | None = None
    depth: int | None = None
    quality: float | None = None
    tune: str | None = None

    @property
    def label(self) -> str:
        """The setting's name in tables: 8x6, q50, 8x6 q50, or q50 visual."""
        size = "" if self.width is None else f"{self.width}x{self.depth}"
        quality = "" if self.quality is None else f"q{self.quality:g}"
        return " ".join(filter(None, (size, quality, self.tune)))


@dataclass(frozen=True)
class BenchSettings:
    """All that the numbers of a run depend on, beside the pictures and the versions of libraries."""

    folder: str  # absolute
    peers: tuple[str, ...]
    ours: tuple[OurSetting, ...]  # none: only the peers are measured
    profile: str | None = None
    device: str = "auto"
    effort: int = 1
    iterations: int | None = None
    limit: int | None = None  # pictures; None: all
    seed: int = 0
    codec: str = OUR_MODULE  # the module whose `encode` and `decode` are measured

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON types, for settings.json: tuples are lists, our settings are labels."""
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
}


def check_same(stored: dict[str, Any], now: dict[str, Any]) -> None:
    """Raises RunError that names every difference between two contents of settings.json."""
    changed = changes(_named(stored), _named(now))
    if stored.get("pictures") != now.get("pictures"):
        changed.append("the list of pictures in the folder has changed")
    refuse_changes(changed)


def _named(stored: dict[str, Any]) -> dict[str, Any]:
    """Settings and versions by the names that people know."""
    versions = {f"the version of {name}": version for name, version in (stored.get("versions") or {}).items()}
    return {option: stored.get(name) for name, option in _OPTIONS.items()} | versions
