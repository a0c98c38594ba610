"""The best size of the pure network, or of several side by side, by lambda or by bytes: a measured table
(fnet_sizes.tsv, made by tools/fnet_sizes.py), and a rule of bits a coefficient.

A size is width, depth and, where frequencies are limited, the order; for a picture of several cells also their rows and
columns, which depend on the picture's form (`laid_out`). A picture of more pixels pays less MSE for each
bit and affords a larger network, so what counts is lambda per pixel. The number of iterations counts too: after few of
them a small network is ahead of a large one that would overtake it later.

Where width and depth are given, only the order is chosen (`with_order`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

from fourcodec.fnet.config import FnetConfig
from fourcodec.fnet.fit.fit import FEWEST_PIXELS

TABLE = "fnet_sizes.tsv"
# Networks side by side, for more coefficients than one network can make use of: 5,000 iterations of 9 x 6 x 4 come to
# 0.5 to 0.9 dB less than 3,750 of 2 x 2 of 8 x 6 x 3, in as many bytes (research.md, "several networks, side by side").
# Rows and columns are those for 3 : 2.
LARGEST_ALONE = (10, 6, 3)
SIDE_BY_SIDE = ((9, 6, 3, 1, 2), (8, 6, 3, 2, 2), (8, 6, 3, 2, 3), (8, 6, 3, 3, 4), (8, 6, 3, 4, 6))
BEST_BITS = 4.9  # bits per coefficient of the best network for a given number of bytes
# The same for fewer than FEW_BYTES: 2 kB of 7 x 6 x 3 have 0.4 dB more than of 6 x 6 x 3 (the same entry).
BEST_BITS_OF_FEW, FEW_BYTES = 3.9, 3000

# Most frequencies of a wide layer have more than three non-zero components. At the price of a bit that a fit without a
# lambda has, they are not worth their bytes: without them 8 x 6 takes 30 to 45% fewer, at 0 to 1 dB less PSNR. They are
# worth them where one bit for each coefficient of the whole network costs less than this MSE (research.md, "Which
# frequencies, where width and depth are given?").
LIMIT = 3
NARROWEST_LIMITED = 6  # width; below it, hardly any frequency is beyond the limit
LEAST_LIMITED_MSE = 1e-4


@dataclass(frozen=True)
class Row:
    """A row of the table: the best size at a number of iterations, a number of pixels and a lambda."""

    iterations: int
    pixels: int
    rate_weight: float
    size: tuple[int, ...]


def with_order(size: tuple[int, ...], rate_weight: float | None, pixels: int) -> tuple[int, ...]:
    """The size of a network of given (width, depth) at lambda `rate_weight`, None where the fit chooses lambda: with
    the order LIMIT where the frequencies beyond are not worth their bytes, else with all frequencies."""
    width, depth = size
    if width < NARROWEST_LIMITED:
        return size
    if rate_weight is not None:
        mse = rate_weight / max(pixels, FEWEST_PIXELS) * coefficient_count(size)
        if mse < LEAST_LIMITED_MSE:
            return size
    return width, depth, LIMIT


def size_for(rate_weight: float, pixels: int, iterations: int) -> tuple[int, ...]:
    """The best size at lambda `rate_weight` for a picture of so many pixels, fitted in so many iterations.

    It is that of the row with the nearest number of iterations, among those the nearest number of pixels, and there the
    nearest lambda per pixel, all by ratio.
    """
    pixels = max(pixels, FEWEST_PIXELS)
    found = _rows_near(pixels, iterations)
    return min(found, key=lambda row: _distance(row.rate_weight / row.pixels, rate_weight / pixels)).size


def size_for_bytes(size_bytes: int, pixels: int, iterations: int) -> tuple[int, ...]:
    """The best size for a file of so many bytes.

    Among the sizes in rows with the nearest numbers of iterations and pixels, and several cells in place of larger
    ones, it is the one whose coefficients would take nearest to BEST_BITS each (BEST_BITS_OF_FEW in a very small file).
    Where two sizes give the same PSNR at the same bytes, they spend about so many bits a coefficient on average, on any
    picture; the lambda differs, and is much higher for a textured picture than for a smooth one.
    """
    wanted = 8 * size_bytes / (BEST_BITS_OF_FEW if size_bytes < FEW_BYTES else BEST_BITS)
    alone = {row.size for row in _rows_near(max(pixels, FEWEST_PIXELS), iterations)}
    return min(_with_cells(alone, pixels), key=lambda size: _distance(coefficient_count(size), wanted))


def _rows_near(pixels: int, iterations: int) -> list[Row]:
    nearest = min(_distance(row.iterations, iterations) for row in rows())
    found = [row for row in rows() if _distance(row.iterations, iterations) == nearest]
    nearest = min(_distance(row.pixels, pixels) for row in found)
    return [row for row in found if _distance(row.pixels, pixels) == nearest]


def next_size(size: tuple[int, ...], pixels: int, *, larger: bool) -> tuple[int, ...] | None:
    """The next larger or smaller of all sizes for so many pixels, by number of coefficients, with several cells in
    place of larger networks; None where there is none."""
    count, sizes = coefficient_count(size), _with_cells({row.size for row in rows()}, pixels)
    if larger:
        return min((other for other in sizes if coefficient_count(other) > count), key=coefficient_count, default=None)
    return max((other for other in sizes if coefficient_count(other) < count), key=coefficient_count, default=None)


def _with_cells(alone: set[tuple[int, ...]], pixels: int) -> list[tuple[int, ...]]:
    """The sizes with one cell, and those of SIDE_BY_SIDE in place of larger ones, of which there are none with more
    than three coefficients a pixel."""
    cells = [size for size in SIDE_BY_SIDE if coefficient_count(size) <= 3 * pixels]
    most = coefficient_count(LARGEST_ALONE) if cells else math.inf
    return [*(size for size in sorted(alone) if coefficient_count(size) <= most), *cells]


def laid_out(size: tuple[int, ...], height: int, width: int) -> tuple[int, ...]:
    """The size with as many cells, laid out so that they are nearest to square in a picture of height x width."""
    if len(size) <= 3:
        return size
    count = size[-2] * size[-1]
    layouts = [(rows, count // rows) for rows in range(1, count + 1) if count % rows == 0]
    return *size[:-2], *min(layouts, key=lambda layout: _distance(height * layout[1], width * layout[0]))


def coefficient_count(size: tuple[int, ...]) -> int:
    """The number of coefficients of networks of this size with three channels, of all cells."""
    return FnetConfig.of_size(size, channels=3).coefficient_count


@cache
def rows() -> tuple[Row, ...]:
    """The rows of the table."""
    lines = resources.files("fourcodec.fnet.fit").joinpath(TABLE).read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t") for line in lines if not line.startswith("#")][1:]
    return tuple(Row(int(row[0]), int(row[1]), float(row[2]), size_named(row[3])) for row in fields)


def size_named(name: str) -> tuple[int, ...]:
    """The size that a name stands for: "8x6x3" is (8, 6, 3)."""
    return tuple(int(number) for number in name.split("x"))


def _distance(first: float, second: float) -> float:
    return abs(math.log(first / second))
