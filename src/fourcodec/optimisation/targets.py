"""What a file may be asked to come to, and how far one is from it.

`miss` is 0 in the middle of what is allowed, between -1 and 1 within, and rises with bytes and with PSNR: it falls as
lambda rises, which is all that the search (target_search.py) knows of a target.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

BYTES_BELOW = 0.03  # of a target in bytes: how far below it a file may end
PSNR_ABOVE_DB = 0.1  # of a target in dB: how far above it
_BEST_DB = 100.0  # stands for an exact copy


class Target(Protocol):
    """What the search for a lambda needs to know."""

    @property
    def slope(self) -> float:
        """About how much `miss` changes as ln lambda rises by 1: negative."""

    def short_of(self, share: float) -> float:
        """About how much `miss` rises from a fit of this share of the steps to the whole one."""

    def miss(self, size_bytes: int, psnr_db: float) -> float: ...

    def met(self, size_bytes: int, psnr_db: float) -> bool: ...

    def guess(self, pixels: int) -> float:
        """A lambda to begin with, as for Kodak's pictures."""

    def shown(self, size_bytes: int, psnr_db: float) -> str:
        """What a file came to, in the units of the target."""


@dataclass(frozen=True)
class SizeTarget:
    """At most size_bytes, and no more than BYTES_BELOW less."""

    size_bytes: int
    slope = -0.4 / -math.log(1 - BYTES_BELOW) * 2

    def short_of(self, share: float) -> float:
        return 0.0

    def miss(self, size_bytes: int, psnr_db: float) -> float:
        window = -math.log(1 - BYTES_BELOW)
        return 2 * math.log(size_bytes / self.size_bytes) / window + 1

    def met(self, size_bytes: int, psnr_db: float) -> bool:
        return math.ceil((1 - BYTES_BELOW) * self.size_bytes) <= size_bytes <= self.size_bytes

    def guess(self, pixels: int) -> float:
        rate_bpp = 8 * self.size_bytes / pixels
        return float(2.3e-3 * (rate_bpp / 0.25) ** -1.7)

    def shown(self, size_bytes: int, psnr_db: float) -> str:
        return f"{size_bytes} bytes"

    def __str__(self) -> str:
        return f"{self.size_bytes} bytes"


def rate_target(rate_bpp: float, width: int, height: int) -> SizeTarget:
    """At most so many bits per pixel of a picture, in whole bytes and at least one."""
    return SizeTarget(max(1, math.floor(rate_bpp * width * height / 8)))


@dataclass(frozen=True)
class QualityTarget:
    """At least psnr_db, and no more than PSNR_ABOVE_DB better."""

    psnr_db: float
    slope = -1.5 / PSNR_ABOVE_DB * 2

    def short_of(self, share: float) -> float:
        return -0.65 * math.log(share) / PSNR_ABOVE_DB * 2  # 0.65 dB for e times the steps

    def miss(self, size_bytes: int, psnr_db: float) -> float:
        return 2 * (min(psnr_db, _BEST_DB) - self.psnr_db) / PSNR_ABOVE_DB - 1

    def met(self, size_bytes: int, psnr_db: float) -> bool:
        return self.psnr_db <= psnr_db <= self.psnr_db + PSNR_ABOVE_DB

    def guess(self, pixels: int) -> float:
        return float(2.3e-3 * 10 ** (0.18 * (31.5 - self.psnr_db)))

    def shown(self, size_bytes: int, psnr_db: float) -> str:
        return "an exact copy" if math.isinf(psnr_db) else f"{psnr_db:.2f} dB"

    def __str__(self) -> str:
        return f"{self.psnr_db:g} dB"
