"""Targets for a file: a number of bytes, a PSNR or a SSIMULACRA 2, and the distance of a file from it.

A target allows a range. The distance, `miss`, is 0 in the middle of the range and between -1 and 1 within it. It rises
with bytes and with quality, so it falls as lambda rises, where ln lambda rises by 1 usually by `slope`. The search for
lambda (target_search.py) sees only this number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

BYTES_BELOW = 0.03  # a file may be smaller than its target by this share
PSNR_ABOVE_DB = 0.1  # a file may be better than its target by so much
SCORE_ABOVE = 1.0  # and by so much in SSIMULACRA 2


@dataclass(frozen=True)
class SizeTarget:
    """A file of at most size_bytes, and at most BYTES_BELOW smaller."""

    size_bytes: int
    slope = -0.4 / -math.log(1 - BYTES_BELOW) * 2

    def short_of(self, share: float) -> float:
        """The usual rise of `miss` from a fit of this share of the iterations to the whole fit: none, as the size is
        taken as independent of the iterations."""
        return 0.0

    def miss(self, size_bytes: int, quality: float) -> float:
        """The distance of a file from the middle of the range, in half widths of it on a logarithmic scale of bytes."""
        window = -math.log(1 - BYTES_BELOW)
        return 2 * math.log(size_bytes / self.size_bytes) / window + 1

    def met(self, size_bytes: int, quality: float) -> bool:
        """True if a file lies in the range."""
        return math.ceil((1 - BYTES_BELOW) * self.size_bytes) <= size_bytes <= self.size_bytes

    def guess(self, pixels: int) -> float:
        """A lambda to begin with, by a power law in bits per pixel: the one that meets the target on an average Kodak
        image."""
        rate_bpp = 8 * self.size_bytes / pixels
        return float(2.3e-3 * (rate_bpp / 0.25) ** -1.7)

    def shown(self, size_bytes: int, quality: float) -> str:
        """The size of a file as text, in bytes."""
        return f"{size_bytes} bytes"

    def __str__(self) -> str:
        return f"{self.size_bytes} bytes"


def rate_target(rate_bpp: float, width: int, height: int) -> SizeTarget:
    """The target of at most `rate_bpp` bits per pixel of a picture, rounded down to whole bytes, at least one."""
    return SizeTarget(max(1, math.floor(rate_bpp * width * height / 8)))


@dataclass(frozen=True)
class _QualityTarget:
    """A file whose quality is at least `least`, and at most `above` better."""

    least: float
    above: ClassVar[float]
    best: ClassVar[float]  # the number that stands for an exact copy
    rise: ClassVar[float]  # of the quality, with e times the iterations

    def short_of(self, share: float) -> float:
        """The usual rise of `miss` from a fit of this share of the iterations to the whole fit; the quality rises with
        the logarithm of the iterations."""
        return -self.rise * math.log(share) / self.above * 2

    def miss(self, size_bytes: int, quality: float) -> float:
        """The distance of a file from the middle of the range, in half widths of it on a linear scale."""
        return 2 * (min(quality, self.best) - self.least) / self.above - 1

    def met(self, size_bytes: int, quality: float) -> bool:
        """True if a file lies in the range."""
        return self.least <= quality <= self.least + self.above


class QualityTarget(_QualityTarget):
    """A file whose PSNR in dB is at least `least`, and at most PSNR_ABOVE_DB better."""

    above, best, rise = PSNR_ABOVE_DB, 100.0, 0.65
    slope = -1.5 / PSNR_ABOVE_DB * 2

    def guess(self, pixels: int) -> float:
        """A lambda to begin with, exponential in the PSNR: the one that meets the target on an average Kodak image."""
        return float(2.3e-3 * 10 ** (0.18 * (31.5 - self.least)))

    def shown(self, size_bytes: int, quality: float) -> str:
        """The PSNR of a file as text, in dB."""
        return "an exact copy" if math.isinf(quality) else f"{quality:.2f} dB"

    def __str__(self) -> str:
        return f"{self.least:g} dB"


class ScoreTarget(_QualityTarget):
    """A file whose SSIMULACRA 2 is at least `least`, and at most SCORE_ABOVE better."""

    above, best, rise = SCORE_ABOVE, 100.0, 6.0
    slope = -11 / SCORE_ABOVE * 2

    def guess(self, pixels: int) -> float:
        """A lambda to begin with, exponential in the score."""
        return float(2.3e-3 * math.exp((55 - self.least) / 11))

    def shown(self, size_bytes: int, quality: float) -> str:
        """The score of a file as text."""
        return f"SSIMULACRA 2 {quality:.1f}"

    def __str__(self) -> str:
        return f"SSIMULACRA 2 {self.least:g}"


Target = SizeTarget | QualityTarget | ScoreTarget  # as the search for lambda sees them: a range of sizes or qualities
