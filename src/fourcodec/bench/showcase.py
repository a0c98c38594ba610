"""The exhibits of the page: the best, the median and the worst picture, our copy beside a peer's of as many bytes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from fourcodec.arrays import Samples
from fourcodec.bench import baselines, ours, sources
from fourcodec.bench.aggregate import Aggregate
from fourcodec.bench.baselines import BASELINES
from fourcodec.bench.itemlog import ItemLog
from fourcodec.bench.measuring import as_rgb
from fourcodec.bench.rows import Row
from fourcodec.bench.settings import OUR_MODULE, OUR_NAME, BenchSettings
from fourcodec.fnc import File
from fourcodec.images import saved
from fourcodec.web.pages import Shown

SHOWN_SIDE = 1024  # pixels; larger pictures are cropped, not scaled, which would hide the codecs' errors


@dataclass(frozen=True)
class Exhibit:
    """One picture: our copy, a peer's copy and the original as PNG files of one size, with the rows of the copies.

    Where the picture is shown whole, our copy is the .fnc file itself.
    """

    rank: str  # "best", "median", "worst"
    ours: Row
    peer: Row
    our_copy: bytes | Shown
    peer_png: bytes
    original_png: bytes
    size: tuple[int, int]  # (width, height) of the PNG files
    cropped: bool


def exhibits(aggregate: Aggregate, log: ItemLog) -> list[Exhibit]:
    """The exhibits, by our gain in dB over the first peer at the same bytes; fewer than three of fewer pictures."""
    order = np.argsort(np.asarray(aggregate.gains_db), kind="stable")
    if not len(order):
        return []
    ranks = {int(order[-1]): "best", int(order[0]): "worst"}
    ranks.setdefault(int(order[len(order) // 2]), "median")
    wanted = sorted(ranks.items(), key=lambda pair: ("best", "median", "worst").index(pair[1]))
    shown = (_exhibit(rank, int(aggregate.items[place]), aggregate.settings, log) for place, rank in wanted)
    return [exhibit for exhibit in shown if exhibit is not None]


def _exhibit(rank: str, index: int, settings: BenchSettings, log: ItemLog) -> Exhibit | None:
    """The exhibit of an item; None where a file of it is gone, since the page is made all the same."""
    outcome = log[index]
    our_row = next(row for row in outcome.rows if row.codec == OUR_NAME)
    peer_row = next(row for row in outcome.rows if row.codec == settings.peers[0] and row.match == "bytes")
    baseline = BASELINES[peer_row.codec]
    try:
        pixels = sources.load(Path(settings.folder), outcome.image).pixels
        data = log.file_of(index).read_bytes()
        cropped = max(pixels.shape[:2]) > SHOWN_SIDE
        if cropped or settings.codec != OUR_MODULE:
            own: bytes | Shown = _png(ours.codec_of(settings).decode(data))
        else:
            own = Shown("ours", data, File(data).header)
    except (sources.SourceProblem, OSError):
        return None
    file = baselines.make(baseline, Image.fromarray(pixels), baselines.setting_of(baseline, peer_row.setting))
    height, width = _middle(pixels).shape[:2]
    return Exhibit(rank, our_row, peer_row, own, _png(baselines.decode(file)), _png(pixels), (width, height), cropped)


def _png(pixels: Samples) -> bytes:
    """The shown part of a picture as a PNG file."""
    return saved(Image.fromarray(_middle(as_rgb(pixels))), "PNG", optimize=True)


def _middle(pixels: Samples) -> Samples:
    height, width = (min(side, SHOWN_SIDE) for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]
