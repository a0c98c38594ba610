"""Which size of pure network is best at which lambda: a measured table (fnet_sizes.tsv, made by
benchmarks/fnet_sizes.py).

A size is width, depth and, where frequencies of more ones are left out, the order. A picture of more pixels pays less
MSE for each bit and affords a larger network: what counts is lambda per pixel. So does a longer fit: after few steps a
small network is ahead of a large one that would pass it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

from fourcodec.fitting.fnet import FEWEST_PIXELS
from fourcodec.profiles.fnet import FnetConfig

TABLE = "fnet_sizes.tsv"


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
    nearest = min(_distance(row.steps, steps) for row in rows())
    found = [row for row in rows() if _distance(row.steps, steps) == nearest]
    nearest = min(_distance(row.pixels, pixels) for row in found)
    found = [row for row in found if _distance(row.pixels, pixels) == nearest]
    best = min(found, key=lambda row: _distance(row.rate_weight / row.pixels, rate_weight / pixels))
    return best.size


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
    lines = resources.files("fourcodec.fitting").joinpath(TABLE).read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t") for line in lines if not line.startswith("#")][1:]
    return tuple(Row(int(row[0]), int(row[1]), float(row[2]), size_named(row[3])) for row in fields)


def size_named(name: str) -> tuple[int, ...]:
    """ "8x6x3" -> (8, 6, 3)."""
    return tuple(int(number) for number in name.split("x"))


def _distance(first: float, second: float) -> float:
    return abs(math.log(first / second))
