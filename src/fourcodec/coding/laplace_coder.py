"""Integers <-> bytes, each under a Laplace distribution of its own: a binary range coder over fixed integer tables.

A distribution is given by two integers: the mean in units of 1/MEAN_STEPS, and the index of the scale, 2^(index /
SCALE_STEPS + LOG_SCALE_MIN). An integer q becomes binary decisions: whether it is the rounded mean; whether it is
above; then its distance from there, less 1. Beyond the mean's bin a Laplace distribution is geometric. So the low bits
of this rest are independent, with one decision each, and the number of whole 2^bits in it is coded in unary. FORMAT.md,
"The coding of a latent", specifies the same, before the adaptive maps that grid/kernels/latent_decisions.py adds.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fourcodec.coding.distributions import LOG_SCALE_MAX, LOG_SCALE_MIN, MEAN_STEPS, SCALE_STEPS
from fourcodec.coding.range_coder import decode_decision, decode_even, encode_decision, encode_even
from fourcodec.compiling import integer_kernel

SCALES = (LOG_SCALE_MAX - LOG_SCALE_MIN) * SCALE_STEPS + 1
_LEAST = 4  # probabilities lie in [4, 65532] / 65536: the likeliest decision costs a ten-thousandth of a bit
RUN = 24  # unary decisions at most; what is left follows as an Elias gamma code
_LOW_BITS = 8  # low bits at most: log2 of the largest scale
_GAMMA_BITS = 20  # bits at most of a gamma code's number: integers and means of 15 bits need 17
BYTES_PER_INTEGER = 64  # at most: 34 decisions of 14 bits and 35 bits of even odds


class Tables(NamedTuple):
    """Probabilities in units of 1/65536, int64, by index of the scale.

    same, above: (SCALES, MEAN_STEPS), of the first two decisions, by the mean's fraction + MEAN_STEPS / 2. bits:
    (SCALES,), the number of low bits. low: (SCALES, _LOW_BITS), that each of them is 1. more: (SCALES,), that another
    2^bits follows.
    """

    same: NDArray[np.int64]
    above: NDArray[np.int64]
    bits: NDArray[np.int64]
    low: NDArray[np.int64]
    more: NDArray[np.int64]


@functools.cache
def tables() -> Tables:
    """The tables of all distributions, the same on every machine.

    No exact probability lies so near a rounding edge that an error in the last place of exp() could change an integer:
    a test compares them with decimal arithmetic.
    """
    scale = 2.0 ** (np.arange(SCALES) / SCALE_STEPS + LOG_SCALE_MIN)[:, None]
    fraction = (np.arange(MEAN_STEPS) - MEAN_STEPS / 2) / MEAN_STEPS
    below = 0.5 * np.exp(-(0.5 + fraction) / scale)  # the mass under -1/2, for a mean at `fraction`
    above = 0.5 * np.exp(-(0.5 - fraction) / scale)
    same = 1 - below - above
    # The floor of log2 of the scale, so that about one 2^bits follows.
    bits = np.maximum(np.arange(SCALES) // SCALE_STEPS + LOG_SCALE_MIN, 0)
    ratio = np.exp(-(2.0 ** np.arange(_LOW_BITS)) / scale)
    low = ratio / (1 + ratio)  # a geometric variable's bit j: r^(2^j) / (1 + r^(2^j))
    more = np.exp(-(2.0**bits) / scale[:, 0])
    return Tables(_integers(same), _integers(above / (above + below)), bits, _integers(low), _integers(more))


def _integers(probability: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.rint(65536 * probability), _LEAST, 65536 - _LEAST).astype(np.int64)


def bits_of(
    q: NDArray[np.int64], means: NDArray[np.int64], scales: NDArray[np.int64], given: Tables
) -> NDArray[np.float64]:
    """The cost of each integer in bits, of the shape of q, float64: minus log2 of the probabilities of the decisions
    that encode_rows makes."""
    whole = (means + MEAN_STEPS // 2) // MEAN_STEPS
    fraction, d = means - whole * MEAN_STEPS + MEAN_STEPS // 2, q - whole
    same, above, more = given.same[scales, fraction], given.above[scales, fraction], given.more[scales]
    bits = _cost(same, d == 0)
    rest = np.abs(d) - 1
    others = _cost(above, d > 0)
    for j in range(_LOW_BITS):
        others += np.where(j < given.bits[scales], _cost(given.low[scales, j], (rest >> j) & 1 > 0), 0.0)
    rest = np.maximum(rest, 0) >> given.bits[scales]
    others += np.minimum(rest, RUN) * _cost(more, True) + np.where(rest < RUN, _cost(more, False), 0.0)
    gamma = 2 * np.floor(np.log2(np.maximum(rest - RUN + 1, 1))) + 1
    return bits + np.where(d == 0, 0.0, others + np.where(rest < RUN, 0.0, gamma))


def _cost(probability: NDArray[np.int64], bit: NDArray[np.bool_] | bool) -> NDArray[np.float64]:
    """The cost of decisions `bit`, in bits; `probability` is that of a 1, in units of 1/65536."""
    return 16 - np.log2(np.where(bit, probability, 65536 - probability))


@integer_kernel
def encode_gamma(state: Any, out: Any, number: int) -> None:
    """Appends a number from 1 on to `out`: an Elias gamma code, in bits of even odds."""
    length = 0
    while number >> (length + 1):
        length += 1
    for _ in range(length):
        encode_even(state, out, 1)
    encode_even(state, out, 0)
    for n in range(length - 1, -1, -1):
        encode_even(state, out, (number >> n) & 1)


@integer_kernel
def decode_gamma(state: Any, data: Any) -> int:
    """The inverse of encode_gamma."""
    length = 0
    while length < _GAMMA_BITS and decode_even(state, data):
        length += 1
    number = 1
    for _ in range(length):
        number = 2 * number + decode_even(state, data)
    return number


@integer_kernel
def encode_rows(
    state: Any, out: Any, q: Any, means: Any, scales: Any, same: Any, above: Any, bits: Any, low: Any, more: Any
) -> None:
    """Appends the integers q (rows, n) under means and scales (rows, n) int64 to `out`, which must have
    BYTES_PER_INTEGER bytes left for each. `same` to `more` are the fields of Tables."""
    for r in range(q.shape[0]):
        for i in range(q.shape[1]):
            whole = (means[r, i] + MEAN_STEPS // 2) // MEAN_STEPS
            fraction = means[r, i] - whole * MEAN_STEPS + MEAN_STEPS // 2
            s = scales[r, i]
            d = np.int64(q[r, i]) - whole
            encode_decision(state, out, same[s, fraction], 1 if d == 0 else 0)
            if d == 0:
                continue
            encode_decision(state, out, above[s, fraction], 1 if d > 0 else 0)
            rest = abs(d) - 1
            for j in range(bits[s]):
                encode_decision(state, out, low[s, j], (rest >> j) & 1)
            rest >>= bits[s]
            for n in range(min(rest + 1, RUN)):
                encode_decision(state, out, more[s], 1 if rest > n else 0)
            if rest >= RUN:
                encode_gamma(state, out, rest - RUN + 1)


@integer_kernel
def decode_rows(
    state: Any, data: Any, q: Any, means: Any, scales: Any, same: Any, above: Any, bits: Any, low: Any, more: Any
) -> int:
    """The inverse of encode_rows: fills q (rows, n) under means and scales (rows, n). Returns the largest magnitude,
    exact even where it does not fit the type of q."""
    largest = 0
    for r in range(q.shape[0]):
        for i in range(q.shape[1]):
            value = (means[r, i] + MEAN_STEPS // 2) // MEAN_STEPS
            fraction = means[r, i] - value * MEAN_STEPS + MEAN_STEPS // 2
            s = scales[r, i]
            if not decode_decision(state, data, same[s, fraction]):
                up = decode_decision(state, data, above[s, fraction])
                fine = 0
                for j in range(bits[s]):
                    fine += decode_decision(state, data, low[s, j]) << j
                rest = 0
                while rest < RUN and decode_decision(state, data, more[s]):
                    rest += 1
                if rest == RUN:
                    rest = RUN - 1 + decode_gamma(state, data)
                distance = (rest << bits[s]) + fine + 1
                value += distance if up else -distance
            largest = max(largest, abs(value))
            q[r, i] = value
    return largest
