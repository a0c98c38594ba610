"""Rate-distortion curves of other codecs, the cost J, and cells of tables."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fourcodec.bench.baselines import BASELINES, sweep_settings
from fourcodec.bench.bdrate import Curve, rising
from fourcodec.bench.matching import PeerFiles

PEERS: Mapping[str, str] = {"jpeg": "JPEG", "webp": "WebP", "avif": "AVIF"}  # as in BASELINES, as in tables


def peer_files(pixels: npt.NDArray[np.uint8]) -> dict[str, PeerFiles]:
    """The files of every peer for an image, uint8 (H, W) or (H, W, 3)."""
    return {peer: PeerFiles(pixels, BASELINES[peer]) for peer in PEERS}


def curve_of(peer: PeerFiles) -> Curve:
    """The published curve of a codec for one image: its best points over all variants."""
    pixels = peer.image.width * peer.image.height
    points = [peer.point(setting) for setting in sweep_settings(peer.baseline)]
    return rising((8 * point.size_bytes / pixels, point.psnr_db) for point in points)


def cost(rate_bpp: float, psnr_db: float, rate_weight: float) -> float:
    """1000 J = 1000 (MSE + lambda bpp), MSE of samples in [0, 1]."""
    return 1000 * (10 ** (-psnr_db / 10) + rate_weight * rate_bpp)


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def shown(value: float | None, kind: str, unit: str = "") -> str:
    """A number by its format and unit; "none" for None."""
    return "none" if value is None else f"{value:{kind}}{unit}"


def cells(values: Sequence[str]) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(values) + " |"
