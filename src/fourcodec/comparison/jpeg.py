"""The best JPEG within a number of bytes, over all qualities, subsamplings and kinds of scan."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourcodec.bench import baselines
from fourcodec.bench.baselines import BASELINES
from fourcodec.bench.matching import PeerFiles, best_within
from fourcodec.errors import one_line


@dataclass(frozen=True)
class Jpeg:
    """The settings and the size of a JPEG file, and its decoded pixels, uint8 (H, W) or (H, W, 3)."""

    quality: int
    variant: str  # name of the subsampling and the kind of scan
    size_bytes: int
    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class NoJpeg:
    """The reason why there is no JPEG to compare with, a sentence without a full stop."""

    reason: str


def best_jpeg(pixels: npt.NDArray[np.uint8], limit_bytes: int) -> Jpeg | NoJpeg:
    """The JPEG file with the highest PSNR among those of at most `limit_bytes`. `pixels` are uint8 (H, W) or (H, W,
    3)."""
    files = PeerFiles(pixels, BASELINES["jpeg"])
    try:
        best = best_within(files, limit_bytes)
        if best is None:
            smallest = min(point.size_bytes for point in files.not_much_larger(limit_bytes))
            return NoJpeg(f"JPEG's smallest file of this picture has {smallest:,} bytes")
        data = baselines.make(files.baseline, files.image, best.setting)
    except (OSError, ValueError, SystemError) as exc:  # for instance a side above 65,500 pixels
        return NoJpeg(f"JPEG cannot hold this picture ({one_line(exc)})")
    decoded = baselines.decode(data)
    if pixels.ndim == 2:
        decoded = np.ascontiguousarray(decoded[:, :, 0])
    return Jpeg(best.setting.quality, best.setting.variant.name, len(data), decoded)
