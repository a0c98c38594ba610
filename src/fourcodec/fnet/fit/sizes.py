"""Which size of pure network is best at which lambda: a measured table (fnet_sizes.tsv, made by
tools/fnet_sizes.py).

A size is width, depth and, where frequencies of more ones are left out, the order. A picture of more pixels pays less
MSE for each bit and affords a larger network: what counts is lambda per pixel. So does a longer fit: after few steps a
small network is ahead of a large one that would pass it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

from fourcodec.fnet.fit.fit import FEWEST_PIXELS
from fourcodec.fnet.profile import FnetConfig

TABLE = "fnet_sizes.tsv"
BEST_BITS = 5.8  # of a coefficient, of a network whose bytes are given


@dataclass(frozen=True)
class Row:
    """The best size for a number of steps, of pixels and a lambda."""

    steps: int
    pixels: int
    rate_weight: float
    size: tuple[int, ...]


def size_for(rate_weight: float, pixels: int, steps: int) -> tuple[int, ...]:
    """The size of the network for a picture of so many pixels at lambda `rate_weight`, fitted in so many steps.

    By the rows of the nearest number of steps (ratios count), among them those of the nearest number of pixels, and
    there the row of the nearest lambda per pixel.
    """
    pixels = max(pixels, FEWEST_PIXELS)
    found = _rows_near(pixels, steps)
    return min(found, key=lambda row: _distance(row.rate_weight / row.pixels, rate_weight / pixels)).size


def size_for_bytes(size_bytes: int, pixels: int, steps: int) -> tuple[int, ...]:
    """The size for a file of so many bytes: of those in the rows of the nearest number of steps and pixels the one
    whose coefficients would take the nearest to BEST_BITS each.

    Where two sizes come to the same bytes and PSNR, they spend about these bits a coefficient on average, whatever the
    picture: a textured one has them at a much higher lambda than a smooth one.
    """
    wanted = 8 * size_bytes / BEST_BITS
    sizes = {row.size for row in _rows_near(max(pixels, FEWEST_PIXELS), steps)}
    return min(sorted(sizes), key=lambda size: _distance(coefficient_count(size), wanted))


def _rows_near(pixels: int, steps: int) -> list[Row]:
    nearest = min(_distance(row.steps, steps) for row in rows())
    found = [row for row in rows() if _distance(row.steps, steps) == nearest]
    nearest = min(_distance(row.pixels, pixels) for row in found)
    return [row for row in found if _distance(row.pixels, pixels) == nearest]


def next_size(size: tuple[int, ...], *, larger: bool) -> tuple[int, ...] | None:
    """The next larger or smaller of the table's sizes, by coefficients; None where there is none."""
    sizes = sorted({row.size for row in rows()}, key=coefficient_count, reverse=not larger)
    beyond = [other for other in sizes if (coefficient_count(other) > coefficient_count(size)) == larger]
    return next((other for other in beyond if other != size), None)


def coefficient_count(size: tuple[int, ...]) -> int:
    """Of a network for colours."""
    return FnetConfig.of_size(size, channels=3).coefficient_count


@cache
def rows() -> tuple[Row, ...]:
    """The table."""
    lines = resources.files("fourcodec.fnet.fit").joinpath(TABLE).read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t") for line in lines if not line.startswith("#")][1:]
    return tuple(Row(int(row[0]), int(row[1]), float(row[2]), size_named(row[3])) for row in fields)


def size_named(name: str) -> tuple[int, ...]:
    """ "8x6x3" -> (8, 6, 3)."""
    return tuple(int(number) for number in name.split("x"))


def _distance(first: float, second: float) -> float:
    return abs(math.log(first / second))
