"""Which size of pure network is best at which lambda: a measured table (fnet_sizes.tsv, made by
benchmarks/fnet_sizes.py).

A picture of more pixels pays less MSE for each bit, and affords a larger network: what counts is lambda per pixel.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import resources

from fourcodec.fitting.fnet import FEWEST_PIXELS

TABLE = "fnet_sizes.tsv"


def size_for(rate_weight: float, pixels: int) -> tuple[int, int]:
    """Width and depth of the network for a picture of so many pixels at lambda `rate_weight`.

    The row of the nearest number of pixels (ratios count), and there of the nearest lambda per pixel.
    """
    pixels = max(pixels, FEWEST_PIXELS)
    counts = {row[0] for row in _rows()}
    nearest = min(counts, key=lambda count: abs(math.log(count / pixels)))
    price = math.log(rate_weight * nearest / pixels)
    rows = [row for row in _rows() if row[0] == nearest]
    _, _, width, depth = min(rows, key=lambda row: abs(math.log(row[1]) - price))
    return width, depth


@cache
def _rows() -> tuple[tuple[int, float, int, int], ...]:
    """(pixels, lambda, width, depth) of every row."""
    lines = resources.files(__package__).joinpath(TABLE).read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t") for line in lines if not line.startswith("#")][1:]
    return tuple((int(row[0]), float(row[1]), int(row[2]), int(row[3])) for row in fields)
