"""Which size of pure network is best at which lambda: a measured table (fnet_sizes.tsv, made by
benchmarks/fnet_sizes.py).

A picture of more pixels pays less MSE for each bit and affords a larger network: what counts is lambda per pixel. So
does a longer fit: after few steps a small network is ahead of a large one that would pass it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

from fourcodec.fitting.fnet import FEWEST_PIXELS

TABLE = "fnet_sizes.tsv"


@dataclass(frozen=True)
class Row:
    """The best size for a number of steps, of pixels and a lambda."""

    steps: int
    pixels: int
    rate_weight: float
    width: int
    depth: int


def size_for(rate_weight: float, pixels: int, steps: int) -> tuple[int, int]:
    """Width and depth of the network for a picture of so many pixels at lambda `rate_weight`, fitted in so many steps.

    By the rows of the nearest number of steps (ratios count), among them those of the nearest number of pixels, and
    there the row of the nearest lambda per pixel.
    """
    pixels = max(pixels, FEWEST_PIXELS)
    nearest = min(_distance(row.steps, steps) for row in rows())
    found = [row for row in rows() if _distance(row.steps, steps) == nearest]
    nearest = min(_distance(row.pixels, pixels) for row in found)
    found = [row for row in found if _distance(row.pixels, pixels) == nearest]
    best = min(found, key=lambda row: _distance(row.rate_weight / row.pixels, rate_weight / pixels))
    return best.width, best.depth


def next_size(size: tuple[int, int], *, larger: bool) -> tuple[int, int] | None:
    """The next larger or smaller of the table's sizes, by coefficients; None where there is none."""
    sizes = sorted({(row.width, row.depth) for row in rows()}, key=_coefficients, reverse=not larger)
    beyond = [other for other in sizes if (_coefficients(other) > _coefficients(size)) == larger and other != size]
    return beyond[0] if beyond else None


def _coefficients(size: tuple[int, int]) -> int:
    """About as many, of layers as wide as the network."""
    width, depth = size
    return width * depth << width


@cache
def rows() -> tuple[Row, ...]:
    """The table."""
    lines = resources.files("fourcodec.fitting").joinpath(TABLE).read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t") for line in lines if not line.startswith("#")][1:]
    return tuple(Row(int(row[0]), int(row[1]), float(row[2]), int(row[3]), int(row[4])) for row in fields)


def _distance(first: float, second: float) -> float:
    return abs(math.log(first / second))
