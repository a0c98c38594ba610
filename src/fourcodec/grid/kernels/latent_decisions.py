"""Latents <-> decisions of the range coder, with probabilities that learn from the latents before.

The entropy model gives each latent a Laplace distribution, and coding/laplace_coder.py says which decisions a latent
becomes. The probabilities of three kinds of them are corrected by adaptive maps (coding/probability_maps.py): the model
is small, it does not see latents of its own pass, and no Laplace distribution is quite right. The maps of each kind
have these contexts:

    same    "it is the rounded mean": level and pass; and, where that is not SURE, the lines of surprises to the left
            and above, the sizes of the latents there, and the level
    above   "it is above the mean": signs of the differences from the mean to the left and above, and the level
    more    "another 2^bits follows": which of these it is and the level; which it is and the scale

The surprise of a latent is 1 - p where it is not the mean and -p where it is, p the model's probability that it is not.
Neighbours are latents of the same pass: left, above, above left, above right and, for surprises, two steps away.

Arrays are those of one pass of one level, (half_rows, half_columns).
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fourcodec.coding import laplace_coder
from fourcodec.coding.laplace_coder import RUN, decode_gamma, encode_gamma
from fourcodec.coding.probability_maps import adapt, places, probability, read
from fourcodec.coding.range_coder import bits_written, decode_decision, encode_decision
from fourcodec.compiling import integer_kernel
from fourcodec.grid.kernels.layout import PASSES

SURE = 10 << 5  # the place of the model's probability from which on one map is asked: it is 65442 / 65536 there
_HALF, _FRACTION_BITS, _FRACTION_MASK = 32, 6, 63  # of means, in units of 1/64
_SURPRISE_SHIFT = 6  # surprises are in units of 1/1024
_MARGIN = 2  # surprises beyond the sides, which are 0
_LEVELS = 9
# Numbers of lines of surprises, sizes and levels that are told apart; of signs and levels; of scales.
_LINES, _SIZES, _FINE_LEVELS = 20, 9, 3
_SIGNS, _SIGN_LEVELS = 13, 4
_SCALES, _RUNS = 25, 4
# The first context of each kind.
_SAME = 0
_SAME_BESIDE = _SAME + _LEVELS * PASSES
_ABOVE = _SAME_BESIDE + _LINES * _SIZES * _FINE_LEVELS
_MORE = _ABOVE + _SIGNS * _SIGN_LEVELS
_MORE_BY_SCALE = _MORE + _RUNS * _LEVELS
CONTEXTS = _MORE_BY_SCALE + _RUNS * _SCALES


class Tables(NamedTuple):
    """The tables of laplace_coder that latents need, and the places of three of its probabilities on the curves of
    maps."""

    same: NDArray[np.int64]
    bits: NDArray[np.int64]
    low: NDArray[np.int64]
    same_place: NDArray[np.int64]
    above_place: NDArray[np.int64]
    more_place: NDArray[np.int64]


class Room(NamedTuple):
    """Work space: the surprises of three rows with their margins, and the sums over what is above one row."""

    surprises: NDArray[np.int32]
    lines: NDArray[np.int32]
    sizes: NDArray[np.int32]


@functools.cache
def tables() -> Tables:
    """The tables of all distributions, the same on every machine."""
    given = laplace_coder.tables()
    return Tables(given.same, given.bits, given.low, places(given.same), places(given.above), places(given.more))


def room_for(half_columns: int) -> Room:
    """The work space of a pass at its beginning."""
    row = np.zeros(half_columns, np.int32)
    return Room(np.zeros((3, half_columns + 2 * _MARGIN), np.int32), row, row.copy())


@integer_kernel
def _look_up(q: Any, r: int, room: Any) -> Any:
    """Fills room.lines and room.sizes with the sums over what is above row r. Returns the surprises of that row, 0."""
    columns, last = q.shape[1], q.shape[1] - 1
    own, above, third = room.surprises[r % 3], room.surprises[(r + 2) % 3], room.surprises[(r + 1) % 3]
    lines, sizes = room.lines, room.sizes
    for c in range(columns):
        lines[c] = 2 * above[c + 2] + above[c + 1] + above[c + 3] + above[c] + above[c + 4] + third[c + 2]
        sizes[c] = 0
    own[:] = 0
    if r > 0:
        before, after, behind = q[r - 1], sizes[1:], sizes[:-1]
        for c in range(columns):
            sizes[c] = min(abs(np.int32(before[c])), 3)
        for c in range(last):
            after[c] += min(abs(np.int32(before[c])), 1)
        for c in range(last):
            behind[c] += min(abs(np.int32(before[c + 1])), 1)
    return own


@integer_kernel
def _beside(level: int, line: Any, size: Any) -> Any:
    """The second context of "same", from the sums of surprises and of sizes."""
    at = min(max((line >> 10) + 7, 0), _LINES - 1)
    return _SAME_BESIDE + (at * _SIZES + size) * _FINE_LEVELS + min(level, _FINE_LEVELS - 1)


@integer_kernel
def _sign(q: Any, means: Any, r: int, c: int) -> int:
    """The sign of a latent's difference from the rounded mean; 0 outside."""
    if r < 0 or c < 0 or c >= q.shape[1]:
        return 0
    difference = np.int64(q[r, c]) - ((means[r, c] + _HALF) >> _FRACTION_BITS)
    return 1 if difference > 0 else -1 if difference < 0 else 0


@integer_kernel
def _signs(level: int, q: Any, means: Any, r: int, c: int) -> int:
    """The context of "above"."""
    signs = 2 * (_sign(q, means, r, c - 1) + _sign(q, means, r - 1, c))
    signs += _sign(q, means, r - 1, c - 1) + _sign(q, means, r - 1, c + 1)
    return _ABOVE + (signs + _SIGNS // 2) * _SIGN_LEVELS + min(level, _SIGN_LEVELS - 1)


@integer_kernel
def _surprise(same: Any, expected: Any) -> Any:
    """The surprise of a latent, from whether it is the mean and the model's probability of that."""
    return (expected - 65536 if same else expected) >> _SURPRISE_SHIFT


@integer_kernel
def encode_rows(
    state: Any, out: Any, q: Any, means: Any, scales: Any, first: int, last: int,
    level: int, p: int, tables: Any, points: Any, room: Any, costs: Any,
) -> None:  # fmt: skip
    """Appends rows first..last-1 of pass p, the integers q under means and scales, int64, to `out`, which must have
    laplace_coder.BYTES_PER_INTEGER bytes left for each. The rows before were coded with the same `room`.

    points (CONTEXTS, KNOTS) int32: the maps. costs (half_rows, half_columns) float32: becomes the bits that each takes;
    or empty.
    """
    one = _SAME + level * PASSES + p
    for r in range(first, last):
        own = _look_up(q, r, room)
        size: Any = 0  # of the latent to the left
        for c in range(q.shape[1]):
            spent = bits_written(state) if costs.size else 0.0
            mean, s = means[r, c] + _HALF, scales[r, c]
            fraction, d = mean & _FRACTION_MASK, np.int64(q[r, c]) - (mean >> _FRACTION_BITS)
            place, same = tables.same_place[s, fraction], 1 if d == 0 else 0
            said = read(points, one, place)
            if place >= SURE:
                encode_decision(state, out, probability(said, 0), same)
            else:
                two = _beside(level, room.lines[c] + 2 * own[c + 1] + own[c], room.sizes[c] + size)
                other = read(points, two, place)
                encode_decision(state, out, probability(said + other, 1), same)
                adapt(points, two, place, other, same)
            adapt(points, one, place, said, same)
            own[c + _MARGIN] = _surprise(same, tables.same[s, fraction])
            size = min(abs(np.int64(q[r, c])), 3)
            if not same:
                place, two, above = tables.above_place[s, fraction], _signs(level, q, means, r, c), 1 if d > 0 else 0
                said = read(points, two, place)
                encode_decision(state, out, probability(said, 0), above)
                adapt(points, two, place, said, above)
                rest = abs(d) - 1
                for j in range(tables.bits[s]):
                    encode_decision(state, out, tables.low[s, j], (rest >> j) & 1)
                rest >>= tables.bits[s]
                place = tables.more_place[s]
                for n in range(min(rest + 1, RUN)):
                    run, more = min(n, _RUNS - 1), 1 if rest > n else 0
                    two, three = _MORE + run * _LEVELS + level, _MORE_BY_SCALE + (s >> 2) * _RUNS + run
                    said, other = read(points, two, place), read(points, three, place)
                    encode_decision(state, out, probability(said + other, 1), more)
                    adapt(points, two, place, said, more)
                    adapt(points, three, place, other, more)
                if rest >= RUN:
                    encode_gamma(state, out, rest - RUN + 1)
            if costs.size:
                costs[r, c] = bits_written(state) - spent


@integer_kernel
def decode_rows(
    state: Any, data: Any, q: Any, means: Any, scales: Any, level: int, p: int, tables: Any, points: Any, room: Any
) -> int:
    """The inverse of encode_rows for all rows: fills q. Returns the largest magnitude, exact even where it does not fit
    the type of q."""
    one, largest = _SAME + level * PASSES + p, 0
    for r in range(q.shape[0]):
        own = _look_up(q, r, room)
        size: Any = 0
        for c in range(q.shape[1]):
            mean, s = means[r, c] + _HALF, scales[r, c]
            fraction, value = mean & _FRACTION_MASK, mean >> _FRACTION_BITS
            place = tables.same_place[s, fraction]
            said = read(points, one, place)
            if place >= SURE:
                same = decode_decision(state, data, probability(said, 0))
            else:
                two = _beside(level, room.lines[c] + 2 * own[c + 1] + own[c], room.sizes[c] + size)
                other = read(points, two, place)
                same = decode_decision(state, data, probability(said + other, 1))
                adapt(points, two, place, other, same)
            adapt(points, one, place, said, same)
            own[c + _MARGIN] = _surprise(same, tables.same[s, fraction])
            if not same:
                place, two = tables.above_place[s, fraction], _signs(level, q, means, r, c)
                said = read(points, two, place)
                above = decode_decision(state, data, probability(said, 0))
                adapt(points, two, place, said, above)
                fine = 0
                for j in range(tables.bits[s]):
                    fine += decode_decision(state, data, tables.low[s, j]) << j
                place, rest, more = tables.more_place[s], 0, 1
                while more and rest < RUN:
                    run = min(rest, _RUNS - 1)
                    two, three = _MORE + run * _LEVELS + level, _MORE_BY_SCALE + (s >> 2) * _RUNS + run
                    said, other = read(points, two, place), read(points, three, place)
                    more = decode_decision(state, data, probability(said + other, 1))
                    adapt(points, two, place, said, more)
                    adapt(points, three, place, other, more)
                    rest += more
                if rest == RUN:
                    rest = RUN - 1 + decode_gamma(state, data)
                distance = (rest << tables.bits[s]) + fine + 1
                value += distance if above else -distance
            size = min(abs(value), 3)
            largest = max(largest, abs(value))
            q[r, c] = value
    return largest
