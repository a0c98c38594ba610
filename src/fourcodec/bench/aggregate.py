"""Means over pictures, in one pass over the item log.

Memory does not grow with the number of pictures, but for 24 bytes each, by which the best, the median and the worst
are found at the end.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from fourcodec.bench.bdrate import BdRate, bd_rate, rising
from fourcodec.bench.items import Outcome
from fourcodec.bench.rows import MEASURED, Row
from fourcodec.bench.settings import OUR_NAME, BenchSettings

Quality = Callable[[Row], float | None]
# The metrics of the extra `bench`, rising with quality, over which there are BD-rates beside those over PSNR.
SEEN: Mapping[str, Quality] = {
    "ssimulacra2": lambda row: row.ssimulacra2,
    "flip": lambda row: None if row.flip is None else -row.flip,
}
NAMED = 100  # problems of each kind that the summary lists; results.csv has all


@dataclass
class Mean:
    """A running mean."""

    count: int = 0
    total: float = 0.0

    def add(self, value: float | None) -> None:
        """Adds a value; None is skipped."""
        if value is not None:
            self.count += 1
            self.total += value

    @property
    def value(self) -> float | None:
        """The mean; None where no value was added."""
        return self.total / self.count if self.count else None


@dataclass
class Average:
    """Means over the rows of one codec and setting."""

    means: dict[str, Mean] = field(default_factory=lambda: {name: Mean() for name in MEASURED})
    files: int = 0

    def add(self, row: Row) -> None:
        """Adds the values of a row."""
        self.files += 1
        for name, mean in self.means.items():
            mean.add(getattr(row, name))

    def __getitem__(self, name: str) -> float | None:
        return self.means[name].value

    def as_json(self) -> dict[str, float]:
        """The means by name, without those of no values."""
        return {name: mean.value for name, mean in self.means.items() if mean.value is not None}


@dataclass
class Match:
    """Means over a peer's files matched to one of our settings, and over ours of the same pictures."""

    peer: Average = field(default_factory=Average)
    ours: Average = field(default_factory=Average)
    interpolated_db: Mean = field(default_factory=Mean)
    gain_over_interpolated_db: Mean = field(default_factory=Mean)
    gain_db: Mean = field(default_factory=Mean)
    log_size_ratio: Mean = field(default_factory=Mean)  # ln(our bytes / theirs)
    wins: int = 0
    out_of_reach: int = 0

    def add(self, ours: Row, peer: Row) -> None:
        """Adds one of our files and the peer's file matched to it, or counts it as out of reach where there is no such
        file."""
        if peer.size_bytes is None or ours.size_bytes is None:
            self.out_of_reach += 1
            return
        self.peer.add(peer)
        self.ours.add(ours)
        self.log_size_ratio.add(math.log(ours.size_bytes / peer.size_bytes))
        if ours.psnr_db is not None and peer.psnr_db is not None:
            self.gain_db.add(ours.psnr_db - peer.psnr_db)
            self.wins += ours.psnr_db > peer.psnr_db
            if peer.interpolated_psnr_db is not None:
                self.interpolated_db.add(peer.interpolated_psnr_db)
                self.gain_over_interpolated_db.add(ours.psnr_db - peer.interpolated_psnr_db)

    @property
    def size_percent(self) -> float | None:
        """Our bytes against the peer's, as a geometric mean in percent: -20 is a fifth fewer."""
        mean = self.log_size_ratio.value
        return None if mean is None else 100 * (math.exp(mean) - 1)

    def as_json(self) -> dict[str, Any]:
        """The counts and means as JSON types."""
        return {
            "in_reach": self.peer.files,
            "out_of_reach": self.out_of_reach,
            "wins": self.wins,
            "gain_db": self.gain_db.value,
            "interpolated_psnr_db": self.interpolated_db.value,
            "gain_over_interpolated_db": self.gain_over_interpolated_db.value,
            "size_percent": self.size_percent,
            "ours": self.ours.as_json(),
            "peer": self.peer.as_json(),
        }


@dataclass
class BdAverage:
    """Means over the BD-rates of a codec against a reference."""

    percent: Mean = field(default_factory=Mean)
    overlap: Mean = field(default_factory=Mean)
    least_overlap: float = 1.0
    without: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, rate: BdRate) -> None:
        """Adds the BD-rate of a picture, or counts the reason why it has none."""
        self.percent.add(rate.percent)
        if rate.percent is None:
            self.without += 1
            self.reasons[rate.why_not] = self.reasons.get(rate.why_not, 0) + 1
        else:
            self.overlap.add(rate.overlap)
            self.least_overlap = min(self.least_overlap, rate.overlap)


@dataclass
class Problems:
    """The number of problems of one kind, and the first NAMED of them with their pictures."""

    count: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)

    def add(self, image: str, what: str) -> None:
        """Counts a problem, and keeps it if it is among the first NAMED."""
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append((image, what))


@dataclass
class ImageResults:
    """The outcomes of one picture. Items that are not done have none."""

    image: str
    outcomes: list[Outcome]

    @property
    def rows(self) -> list[Row]:
        """The rows of all outcomes."""
        return [row for outcome in self.outcomes for row in outcome.rows]

    @property
    def problem(self) -> str:
        """The first problem; empty where there is none."""
        return next((outcome.problem for outcome in self.outcomes if outcome.problem), "")


class Aggregate:
    """All means of a run: pictures are added one by one, in any order."""

    def __init__(self, settings: BenchSettings) -> None:
        self.settings = settings
        self.images = 0
        self.jpeg_sources = 0
        self.skipped, self.failed = Problems(), Problems()
        self.ours: dict[str, Average] = {}  # by setting
        self.sweeps: dict[tuple[str, str], Average] = {}  # by codec and setting
        self.matches: dict[tuple[str, str, str], Match] = {}  # by our setting, codec and match
        self.bd_rates: dict[tuple[str, str], BdAverage] = {}  # by codec and reference
        self.seen_bd_rates: dict[tuple[str, str, str], BdAverage] = {}  # by codec, reference and metric of SEEN
        # whose best, median and worst pictures are shown
        self.shown_setting = settings.ours[-1].label if settings.ours else ""
        self.gains_db, self.items = array("d"), array("q")  # for each picture that can be shown, and its item

    @property
    def measured_files(self) -> int:
        """The number of our files, or of those on the peers' curves where only peers are measured."""
        averages = self.ours if self.settings.ours else self.sweeps
        return sum(average.files for average in averages.values())

    def add(self, results: ImageResults) -> dict[tuple[str, str], BdRate]:
        """Adds a picture. Returns its own BD-rates by codec and reference."""
        if results.problem:
            self.skipped.add(results.image, results.problem)
            return {}
        self.images += 1
        self.jpeg_sources += any(outcome.is_jpeg for outcome in results.outcomes)
        for outcome in results.outcomes:
            self._add_rows(outcome)
        rates = dict(self._bd_rates(results.rows, lambda row: row.psnr_db))
        for pair, rate in rates.items():
            self.bd_rates.setdefault(pair, BdAverage()).add(rate)
        for metric, quality in SEEN.items():
            if any(quality(row) is not None for row in results.rows):
                for (codec, reference), rate in self._bd_rates(results.rows, quality):
                    self.seen_bd_rates.setdefault((codec, reference, metric), BdAverage()).add(rate)
        return rates

    def _add_rows(self, outcome: Outcome) -> None:
        ours = next((row for row in outcome.rows if row.codec == OUR_NAME), None)
        for row in outcome.rows:
            if row.note.startswith("failed:"):
                what = f"{row.codec} {row.setting}".strip() + (f" (match={row.match})" if row.match != "none" else "")
                self.failed.add(row.image, f"{what}: {row.note.removeprefix('failed: ')}")
            elif row is ours:
                self.ours.setdefault(row.setting, Average()).add(row)
            elif row.match == "sweep":
                self.sweeps.setdefault((row.codec, row.setting), Average()).add(row)
            elif ours is not None:
                self.matches.setdefault((ours.setting, row.codec, row.match), Match()).add(ours, row)
                self._remember(outcome.index, ours, row)

    def _remember(self, index: int, ours: Row, peer: Row) -> None:
        first_peer = self.settings.peers[0]
        shown = (ours.setting, peer.codec, peer.match) == (self.shown_setting, first_peer, "bytes")
        if shown and ours.psnr_db is not None and peer.psnr_db is not None:
            self.gains_db.append(ours.psnr_db - peer.psnr_db)
            self.items.append(index)

    def _bd_rates(self, rows: list[Row], quality: Quality) -> Iterator[tuple[tuple[str, str], BdRate]]:
        peers = self.settings.peers
        curves = {
            name: rising((row.rate_bpp, quality(row)) for row in rows if row.codec == name and row.match == "sweep")
            for name in peers
        }
        for name in peers:
            if name != "jpeg" and "jpeg" in peers:
                yield (name, "jpeg"), bd_rate(curves["jpeg"], curves[name])
        if len(self.settings.ours) > 1:
            ours = rising((row.rate_bpp, quality(row)) for row in rows if row.codec == OUR_NAME)
            for name in peers:
                yield (OUR_NAME, name), bd_rate(curves[name], ours)


def by_image(outcomes: Iterable[Outcome]) -> Iterator[ImageResults]:
    """Groups the outcomes of an item log, which come picture by picture."""
    for image, group in groupby(outcomes, key=lambda outcome: outcome.image):
        yield ImageResults(image, list(group))
