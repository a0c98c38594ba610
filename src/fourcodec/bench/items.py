"""One piece of work: a picture's peers, or one of our settings on it together with the peers matched to that file.

Items are numbered picture by picture: first the peers' curves (where there are peers), then our settings in their
order. Whatever goes wrong within an item becomes part of its outcome, so that one bad picture does not end a run of
50,000.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from fourcodec.batch.work import Work
from fourcodec.bench import ours, sources
from fourcodec.bench.measuring import measure
from fourcodec.bench.peer_rows import Peers
from fourcodec.bench.rows import Row
from fourcodec.bench.settings import OUR_NAME, BenchSettings, OurSetting
from fourcodec.errors import one_line


@dataclass(frozen=True)
class Item:
    """`our` is None for the item that measures the peers' curves."""

    index: int
    image: str  # relative to the folder
    our: OurSetting | None


@dataclass(frozen=True)
class Outcome:
    """What an item came to; `data` is our file, kept beside the log and not in it."""

    index: int
    image: str
    rows: tuple[Row, ...] = ()
    problem: str = ""  # why there are no rows: the file is no picture
    is_jpeg: bool = False
    data: bytes | None = field(default=None, repr=False)


def items_per_image(settings: BenchSettings) -> int:
    """Peers first, if any, then one item for each of our settings."""
    return len(_kinds(settings))


def enumerate_items(images: Sequence[str], settings: BenchSettings) -> Iterator[Item]:
    """All items in the order of the table, made as they are asked for."""
    kinds = _kinds(settings)
    for position, image in enumerate(images):
        for offset, our in enumerate(kinds):
            yield Item(position * len(kinds) + offset, image, our)


def work_of(settings: BenchSettings) -> Work[Item, Outcome]:
    """For the engines of fourcodec.batch."""
    return Work(partial(run_item, settings=settings), failed_outcome)


def run_item(item: Item, settings: BenchSettings) -> Outcome:
    """Does the work, in whatever process or machine it is called."""
    try:
        source = sources.load(Path(settings.folder), item.image)
    except sources.SourceProblem as exc:
        return Outcome(item.index, item.image, problem=str(exc))
    peers = _peers_of(item.image, source, settings)
    try:
        rows, data = _measure_ours(item, item.our, source, peers, settings) if item.our else (peers.sweep_rows(), None)
    except Exception as exc:
        rows, data = [failed_row(item, one_line(exc))], None
    return Outcome(item.index, item.image, tuple(rows), is_jpeg=source.is_jpeg, data=data)


def failed_outcome(item: Item, reason: str) -> Outcome:
    """Of an item that took its worker with it."""
    return Outcome(item.index, item.image, (failed_row(item, reason),))


def failed_row(item: Item, reason: str) -> Row:
    """Stands for an item that came to nothing."""
    return Row(item.image, OUR_NAME, item.our.label if item.our else "", note=f"failed: {reason}")


def _measure_ours(
    item: Item, our: OurSetting, source: sources.Source, peers: Peers, settings: BenchSettings
) -> tuple[list[Row], bytes]:
    codec, arguments = ours.codec_of(settings), ours.encode_arguments(settings, our)
    encoded = []

    def encode() -> bytes:
        encoded.append(codec.encode(source.pixels, **arguments))
        return encoded[0].data

    measured = measure(source.pixels, encode, codec.decode)
    # Its own clock leaves out that `encode` decodes the file once more to check it.
    measured = replace(measured, encode_seconds=encoded[0].encode_seconds)
    channels = 1 if source.pixels.ndim == 2 else source.pixels.shape[2]
    blank = Row(item.image, OUR_NAME, our.label, coefficients=ours.coefficient_count(our, channels))
    row = measured.fill(replace(blank, note="; ".join(source.notes)), source.pixels)
    return [row, *peers.matched_rows(row)], measured.data


def _kinds(settings: BenchSettings) -> list[OurSetting | None]:
    return [None, *settings.ours] if settings.peers else [*settings.ours]


_last_peers: tuple[tuple[str, str, tuple[str, ...]], Peers] | None = None


def _peers_of(image: str, source: sources.Source, settings: BenchSettings) -> Peers:
    """Items come picture by picture, so that only the last picture's peers are worth keeping."""
    global _last_peers
    key = (settings.folder, image, settings.peers)
    if _last_peers is None or _last_peers[0] != key:
        _last_peers = (key, Peers(image, source.pixels, settings.peers))
    return _last_peers[1]
