"""The items of a run: for each picture the curves of the peers, and each of our settings with the peers matched to it.

Items are numbered picture by picture: first the peers' curves (where there are peers), then our settings in their
order. Any error within an item becomes part of its outcome, so that one bad picture does not end a run over 50,000.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
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
    """One picture and one of our settings; `our` is None for the item that measures the peers' curves."""

    index: int
    image: str  # relative to the folder
    our: OurSetting | None


@dataclass(frozen=True)
class Outcome:
    """The result of an item; `data` is our file, kept beside the log and not in it."""

    index: int
    image: str
    rows: tuple[Row, ...] = ()
    problem: str = ""  # the reason why there are no rows: the file is no picture
    is_jpeg: bool = False
    data: bytes | None = field(default=None, repr=False)


def kinds(settings: BenchSettings) -> list[OurSetting | None]:
    """The settings of the items of each picture, in their order: None for the peers' curves, then our settings."""
    return [None, *settings.ours] if settings.peers else [*settings.ours]


def enumerate_items(images: Sequence[str], settings: BenchSettings) -> Iterator[Item]:
    """Yields all items in the order of the table."""
    for index, (image, our) in enumerate(product(images, kinds(settings))):
        yield Item(index, image, our)


def work_of(settings: BenchSettings) -> Work[Item, Outcome]:
    """The work that the engine of fourcodec.batch does on each item."""
    return Work(partial(run_item, settings=settings), failed_outcome)


def run_item(item: Item, settings: BenchSettings) -> Outcome:
    """Measures one item, in the process or on the machine where it is called."""
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
    """The outcome of an item whose worker process died."""
    return Outcome(item.index, item.image, (failed_row(item, reason),))


def failed_row(item: Item, reason: str) -> Row:
    """The row that says why an item has no measured rows."""
    return Row(item.image, OUR_NAME, item.our.label if item.our else "", note=f"failed: {reason}")


def _measure_ours(
    item: Item, our: OurSetting, source: sources.Source, peers: Peers, settings: BenchSettings
) -> tuple[list[Row], bytes]:
    codec, arguments = ours.codec_of(settings), ours.encode_arguments(settings, our)
    encoded = []

    def encode() -> bytes:
        encoded.append(codec.encode(source.pixels, **arguments))
        return encoded[0].data

    channels = 1 if source.pixels.ndim == 2 else source.pixels.shape[2]
    coefficients, notes = ours.coefficient_count(our, channels), "; ".join(source.notes)
    blank = Row(item.image, OUR_NAME, our.label, coefficients=coefficients, note=notes)
    row, data = measure(blank, source.pixels, encode, codec.decode)
    # The codec's own time leaves out that `encode` decodes the file once more to check it.
    row = replace(row, encode_seconds=encoded[0].encode_seconds)
    return [row, *peers.matched_rows(row)], data


_last_peers: tuple[tuple[str, str, tuple[str, ...]], Peers] | None = None


def _peers_of(image: str, source: sources.Source, settings: BenchSettings) -> Peers:
    """The peers of a picture. Items come picture by picture: only the last picture's peers are kept."""
    global _last_peers
    key = (settings.folder, image, settings.peers)
    if _last_peers is None or _last_peers[0] != key:
        _last_peers = (key, Peers(image, source.pixels, settings.peers))
    return _last_peers[1]
