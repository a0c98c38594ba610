"""The best file of another codec within a number of bytes: of JPEG over all settings, of WebP and AVIF by bisection."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourcodec.bench import baselines
from fourcodec.bench.baselines import BASELINES, PeerSetting
from fourcodec.bench.matching import PeerFiles, Point, best_within
from fourcodec.errors import one_line

NAMES = {"jpeg": "JPEG", "webp": "WebP", "avif": "AVIF"}  # by their names in BASELINES


@dataclass(frozen=True)
class PeerFile:
    """The settings and the size of a file, and its decoded pixels, uint8 (H, W) or (H, W, 3)."""

    codec: str  # one of NAMES
    quality: int
    variant: str  # name of the options beside the quality
    size_bytes: int
    pixels: npt.NDArray[np.uint8]

    @property
    def setting(self) -> str:
        """The codec and its settings in words."""
        return f"{NAMES[self.codec]} q={self.quality} {self.variant}"


@dataclass(frozen=True)
class NoPeerFile:
    """The reason why there is no file to compare with, a sentence without a full stop."""

    codec: str
    reason: str


def best_files(pixels: npt.NDArray[np.uint8], limit_bytes: int) -> list[PeerFile | NoPeerFile]:
    """The best file of each codec of NAMES that this machine has. `pixels` are uint8 (H, W) or (H, W, 3)."""
    return [best_file(codec, pixels, limit_bytes) for codec in NAMES if BASELINES[codec].available()]


def best_file(codec: str, pixels: npt.NDArray[np.uint8], limit_bytes: int) -> PeerFile | NoPeerFile:
    """The file with the highest PSNR among those of at most `limit_bytes`: of JPEG among all files, of the others,
    which are slow, among the largest ones."""
    files, name = PeerFiles(pixels, BASELINES[codec]), NAMES[codec]
    try:
        if codec == "jpeg":
            best = best_within(files, limit_bytes)
            smallest = 0 if best else min(point.size_bytes for point in files.not_much_larger(limit_bytes))
        else:
            best, smallest = _by_bisection(files, limit_bytes)
        if best is None:
            return NoPeerFile(codec, f"{name}'s smallest file of this picture has {smallest:,} bytes")
        data = baselines.make(files.baseline, files.image, best.setting)
    except (OSError, ValueError, SystemError) as exc:  # for instance a side above 65,500 pixels
        return NoPeerFile(codec, f"{name} cannot hold this picture ({one_line(exc)})")
    decoded = baselines.decode(data)
    if pixels.ndim == 2:
        decoded = np.ascontiguousarray(decoded[:, :, 0])
    return PeerFile(codec, best.setting.quality, best.setting.variant.name, len(data), decoded)


def _by_bisection(files: PeerFiles, limit_bytes: int) -> tuple[Point | None, int]:
    """The best file that was met on the way to the highest quality that fits, and the bytes of the smallest one.

    Files nearly always grow with the quality (bench/matching.py), so that a better one is seldom missed, and then not
    by much.
    """
    (variant,), qualities = files.baseline.variants, files.baseline.qualities
    seen = [files.point(PeerSetting(variant, qualities[0]))]
    low, high = 0, len(qualities)  # the first is taken to fit, the last not
    while high - low > 1:
        middle = (low + high) // 2
        seen.append(files.point(PeerSetting(variant, qualities[middle])))
        low, high = (middle, high) if seen[-1].size_bytes <= limit_bytes else (low, middle)
    fitting = [point for point in seen if point.size_bytes <= limit_bytes]
    best = min(fitting, key=lambda point: (-point.psnr_db, point.size_bytes), default=None)
    return best, min(point.size_bytes for point in seen)
