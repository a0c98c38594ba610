"""Matching: a peer's file that is as large as ours or as good, found among files that it really makes.

Within a variant of a codec files nearly always grow with the quality. The largest fall seen, from one quality to any
higher one, was by a quarter (WebP on an almost empty screenshot; on photographs 2%). So qualities are tried from the
lowest upwards until a file is SIZE_SLACK times larger than what can still matter, and all of these files are decoded
and measured. PSNR need not rise with the quality: on flat colours it jumps, and a picture that was a JPEG file before
has its best PSNR at the quality of that file.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from fourcodec.arrays import Samples
from fourcodec.bench.baselines import Baseline, PeerSetting, decode, make
from fourcodec.metrics import psnr_db

SIZE_SLACK = 1.5
SMALL_PIXELS = 128 * 128  # smaller pictures: headers outweigh the rest of the file, and every quality is tried


@dataclass(frozen=True)
class Point:
    """A file that a peer makes: its setting, its bytes and its PSNR in dB, infinite for an exact copy."""

    setting: PeerSetting
    size_bytes: int
    psnr_db: float


class PeerFiles:
    """All files that a peer can make of one picture, each made when it is first asked for and kept as a Point."""

    def __init__(self, pixels: Samples, baseline: Baseline) -> None:
        """`pixels`: uint8 (H, W) or (H, W, 3). PSNR is over RGB, grey being three equal channels."""
        self.image = Image.fromarray(pixels)
        self.baseline = baseline
        self._rgb = np.asarray(self.image.convert("RGB"))
        self._slack = SIZE_SLACK if pixels.shape[0] * pixels.shape[1] >= SMALL_PIXELS else math.inf
        self._points: dict[PeerSetting, Point] = {}

    def point(self, setting: PeerSetting) -> Point:
        """The file of one setting. Raises whatever the codec raises for a picture that it cannot hold."""
        if setting not in self._points:
            data = make(self.baseline, self.image, setting)
            self._points[setting] = Point(setting, len(data), psnr_db(self._rgb, decode(data)))
        return self._points[setting]

    def not_much_larger(self, size_bytes: float) -> list[Point]:
        """All files of at most `size_bytes`, and of each variant at least the next larger one where there is one."""
        found: list[Point] = []
        for variant in self.baseline.variants:
            for quality in self.baseline.qualities:
                found.append(self.point(PeerSetting(variant, quality)))
                if found[-1].size_bytes > self._slack * size_bytes:
                    break
        return found

    def until_reached(self, wanted_psnr_db: float) -> list[Point]:
        """All files that may be the smallest one of at least this PSNR, and some others."""
        found: list[Point] = []
        reached = math.inf  # bytes of the smallest file so far that is good enough
        for variant in self.baseline.variants:
            for quality in self.baseline.qualities:
                point = self.point(PeerSetting(variant, quality))
                found.append(point)
                if point.psnr_db >= wanted_psnr_db:
                    reached = min(reached, point.size_bytes)
                if point.size_bytes > self._slack * reached:
                    break
        return found


def best_within(files: PeerFiles, size_bytes: int) -> Point | None:
    """The file of the best PSNR among those of at most `size_bytes`; the smaller of equals. None if all are larger."""
    fitting = [point for point in files.not_much_larger(size_bytes) if point.size_bytes <= size_bytes]
    return min(fitting, key=lambda point: (-point.psnr_db, point.size_bytes), default=None)


def smallest_reaching(files: PeerFiles, wanted_psnr_db: float) -> Point | None:
    """The smallest file of at least this PSNR; the better of equals. None if no quality reaches it."""
    reaching = [point for point in files.until_reached(wanted_psnr_db) if point.psnr_db >= wanted_psnr_db]
    return min(reaching, key=lambda point: (point.size_bytes, -point.psnr_db), default=None)


def interpolated_psnr_db(files: PeerFiles, size_bytes: int) -> float | None:
    """The PSNR at exactly `size_bytes`, linear in log-rate between the best smaller file and the next that is better.

    None outside of the sizes that the codec makes: nothing is extrapolated.
    """
    previous: Point | None = None
    for point in _improving(files.not_much_larger(size_bytes)):
        if point.size_bytes == size_bytes:
            return point.psnr_db
        if point.size_bytes > size_bytes:
            return None if previous is None else _between(previous, point, size_bytes)
        previous = point
    return None


def _improving(points: list[Point]) -> Iterator[Point]:
    """The points by rising size, without those that have more bytes and no better PSNR than another."""
    best = -math.inf
    for point in sorted(points, key=lambda point: (point.size_bytes, -point.psnr_db)):
        if point.psnr_db > best:
            best = point.psnr_db
            yield point


def _between(below: Point, above: Point, size_bytes: int) -> float | None:
    if math.isinf(above.psnr_db):
        return None  # between a lossy and an exact file there is no line
    share = math.log(size_bytes / below.size_bytes) / math.log(above.size_bytes / below.size_bytes)
    return below.psnr_db + share * (above.psnr_db - below.psnr_db)
