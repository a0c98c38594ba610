"""Integers <-> bytes under Laplace distributions given one by one: a binary range coder over fixed integer tables.

A distribution is two integers: the mean in 1/MEAN_STEPS, and an index of the scale, 2^(index / SCALE_STEPS +
LOG_SCALE_MIN). An integer q becomes binary decisions: is it the mean, rounded; is it above; then, since a Laplace
distribution has no memory beyond the mean's bin, one decision of the same probability per further step. FORMAT.md,
"Profile 2", describes the same. The coder is that of binary_coder.py.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fourcodec.kernels.binary_coder import _decode_even, _encode_even, _refill, _shift
from fourcodec.kernels.layout import LOG_SCALE_MAX, LOG_SCALE_MIN, MEAN_STEPS, SCALE_STEPS

SCALES = (LOG_SCALE_MAX - LOG_SCALE_MIN) * SCALE_STEPS + 1
_LEAST = 4  # probabilities lie in [4, 65532] / 65536: a sure zero costs a ten-thousandth of a bit
_RUN = 24  # decisions of the tail; what is left follows in plain bits
_TOP = 1 << 24
_MASK = 0xFFFFFFFF
# See binary_coder.py for the states.
_LOW, _RANGE, _CACHE, _PENDING, _AT = range(5)
_CODE, _WIDTH, _POSITION = range(3)


class Tables(NamedTuple):
    """Probabilities in 1/65536: `same` and `above` (SCALES, MEAN_STEPS) by the mean's fraction + MEAN_STEPS / 2, `more`
    (SCALES,)."""

    same: NDArray[np.int64]
    above: NDArray[np.int64]
    more: NDArray[np.int64]


@functools.cache
def tables() -> Tables:
    """None of the exact values lies near enough to a rounding edge for the last place of exp() to matter: a test
    compares with decimal arithmetic."""
    scale = 2.0 ** (np.arange(SCALES) / SCALE_STEPS + LOG_SCALE_MIN)[:, None]
    fraction = (np.arange(MEAN_STEPS) - MEAN_STEPS / 2) / MEAN_STEPS
    below = 0.5 * np.exp(-(0.5 + fraction) / scale)  # the mass under -1/2, for a mean at `fraction`
    above = 0.5 * np.exp(-(0.5 - fraction) / scale)
    same = 1 - below - above
    return Tables(_integers(same), _integers(above / (above + below)), _integers(np.exp(-1 / scale[:, 0])))


def _integers(probability: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.rint(65536 * probability), _LEAST, 65536 - _LEAST).astype(np.int64)


@njit(nogil=True, cache=True)
def _encode_decision(state: Any, out: Any, probability: int, bit: int) -> None:
    bound = (state[_RANGE] >> 16) * probability
    if bit:
        state[_RANGE] = bound
    else:
        state[_LOW] += bound
        state[_RANGE] -= bound
    while state[_RANGE] < _TOP:
        state[_RANGE] = (state[_RANGE] << 8) & _MASK
        _shift(state, out)


@njit(nogil=True, cache=True)
def _decode_decision(state: Any, data: Any, probability: int) -> int:
    bound = (state[_WIDTH] >> 16) * probability
    if state[_CODE] < bound:
        state[_WIDTH] = bound
        bit = 1
    else:
        state[_CODE] -= bound
        state[_WIDTH] -= bound
        bit = 0
    if state[_WIDTH] < _TOP:
        _refill(state, data)
    return bit


@njit(nogil=True, cache=True)
def encode_rows(state: Any, out: Any, q: Any, means: Any, scales: Any, same: Any, above: Any, more: Any) -> None:
    """Appends the integers q (n,) int64 under means and scales (n,) int64. out must have 16 bytes for each left."""
    for i in range(q.shape[0]):
        whole = (means[i] + MEAN_STEPS // 2) // MEAN_STEPS
        fraction = means[i] - whole * MEAN_STEPS + MEAN_STEPS // 2
        s = scales[i]
        d = q[i] - whole
        _encode_decision(state, out, same[s, fraction], 1 if d == 0 else 0)
        if d == 0:
            continue
        _encode_decision(state, out, above[s, fraction], 1 if d > 0 else 0)
        rest = abs(d) - 1
        for n in range(min(rest + 1, _RUN)):
            _encode_decision(state, out, more[s], 1 if rest > n else 0)
        if rest >= _RUN:
            rest -= _RUN - 1  # at least 1: Elias' gamma code
            bits = 0
            while rest >> (bits + 1):
                bits += 1
            for _ in range(bits):
                _encode_even(state, out, 1)
            _encode_even(state, out, 0)
            for n in range(bits - 1, -1, -1):
                _encode_even(state, out, (rest >> n) & 1)


@njit(nogil=True, cache=True)
def decode_rows(state: Any, data: Any, q: Any, means: Any, scales: Any, same: Any, above: Any, more: Any) -> None:
    """The inverse of encode_rows: fills q."""
    for i in range(q.shape[0]):
        whole = (means[i] + MEAN_STEPS // 2) // MEAN_STEPS
        fraction = means[i] - whole * MEAN_STEPS + MEAN_STEPS // 2
        s = scales[i]
        if _decode_decision(state, data, same[s, fraction]):
            q[i] = whole
            continue
        up = _decode_decision(state, data, above[s, fraction])
        rest = 0
        while rest < _RUN and _decode_decision(state, data, more[s]):
            rest += 1
        if rest == _RUN:
            bits = 0
            while bits < 20 and _decode_even(state, data):
                bits += 1
            value = 1
            for _ in range(bits):
                value = 2 * value + _decode_even(state, data)
            rest = _RUN - 1 + value
        q[i] = whole + rest + 1 if up else whole - rest - 1


@njit(nogil=True, cache=True)
def start_encoder() -> Any:
    return np.array([0, _MASK, -1, 0, 0])


@njit(nogil=True, cache=True)
def finish_encoder(state: Any, out: Any) -> int:
    """The number of bytes in out; trailing zero bytes are left out."""
    for zeros in range(32, 0, -1):
        rounded = ((state[_LOW] + (1 << zeros) - 1) >> zeros) << zeros
        if rounded < state[_LOW] + state[_RANGE]:
            state[_LOW] = rounded
            break
    for _ in range(5):
        _shift(state, out)
    end = state[_AT]
    while end > 0 and out[end - 1] == 0:
        end -= 1
    return end


@njit(nogil=True, cache=True)
def start_decoder(data: Any) -> Any:
    state = np.array([0, 0, 0])
    for _ in range(4):
        state[_WIDTH] = 1 << 16  # makes _refill read one byte
        _refill(state, data)
    state[_WIDTH] = _MASK
    return state
