"""The range coder under both coders of integers: binary decisions of given probabilities <-> bytes.

It is the range coder of LZMA (I. Pavlov), with 16-bit probabilities. All arithmetic is in integers, so the bytes are
the same on every machine. FORMAT.md, "Profile 1", The range coder, specifies it. A state is one int64 array, so that
compiled functions can change it in place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fourcodec.compiling import integer_kernel

_TOP = 1 << 24
_MASK = 0xFFFFFFFF
LOW, RANGE, CACHE, PENDING, AT = range(5)  # entries of an encoder's state
CODE, WIDTH, POSITION = range(3)  # entries of a decoder's state


@integer_kernel
def _shift(state: Any, out: Any) -> None:
    """Moves the top byte of LOW to `out`. A byte of 255 waits, since a carry may still change it."""
    if state[LOW] < 0xFF000000 or state[LOW] > _MASK:
        carry = state[LOW] >> 32
        if state[CACHE] >= 0:
            out[state[AT]] = (state[CACHE] + carry) & 255
            state[AT] += 1
        for _ in range(state[PENDING]):
            out[state[AT]] = (255 + carry) & 255
            state[AT] += 1
        state[PENDING] = 0
        state[CACHE] = (state[LOW] >> 24) & 255
    else:
        state[PENDING] += 1
    state[LOW] = (state[LOW] & 0x00FFFFFF) << 8


@integer_kernel
def _refill(state: Any, data: Any) -> None:
    """Reads bytes until WIDTH has at least 24 bits. Beyond the end of the data bytes are 0."""
    while state[WIDTH] < _TOP:
        byte = data[state[POSITION]] if state[POSITION] < data.shape[0] else 0
        state[CODE] = ((state[CODE] << 8) | byte) & _MASK
        state[WIDTH] = (state[WIDTH] << 8) & _MASK
        state[POSITION] += 1


@integer_kernel
def encode_decision(state: Any, out: Any, probability: int, bit: int) -> None:
    """Codes `bit` into `out`; `probability` is that of a 1, in units of 1/65536, 1 to 65535."""
    bound = (state[RANGE] >> 16) * probability
    if bit:
        state[RANGE] = bound
    else:
        state[LOW] += bound
        state[RANGE] -= bound
    while state[RANGE] < _TOP:
        state[RANGE] = (state[RANGE] << 8) & _MASK
        _shift(state, out)


@integer_kernel
def decode_decision(state: Any, data: Any, probability: int) -> int:
    """The inverse of encode_decision, given the same probability."""
    bound = (state[WIDTH] >> 16) * probability
    if state[CODE] < bound:
        state[WIDTH] = bound
        bit = 1
    else:
        state[CODE] -= bound
        state[WIDTH] -= bound
        bit = 0
    if state[WIDTH] < _TOP:
        _refill(state, data)
    return bit


@integer_kernel
def encode_even(state: Any, out: Any, bit: int) -> None:
    """Codes a bit of even odds into `out`."""
    state[RANGE] >>= 1
    if bit:
        state[LOW] += state[RANGE]
    while state[RANGE] < _TOP:
        state[RANGE] = (state[RANGE] << 8) & _MASK
        _shift(state, out)


@integer_kernel
def decode_even(state: Any, data: Any) -> int:
    """The inverse of encode_even."""
    state[WIDTH] >>= 1
    bit = 0
    if state[CODE] >= state[WIDTH]:
        state[CODE] -= state[WIDTH]
        bit = 1
    _refill(state, data)
    return bit


@integer_kernel
def start_encoder() -> Any:
    """The state of an encoder that has written nothing."""
    return np.array([0, _MASK, -1, 0, 0])


@integer_kernel
def finish_encoder(state: Any, out: Any) -> int:
    """Writes what the state still holds, and returns the number of bytes in `out` without trailing zero bytes."""
    # Any number in [LOW, LOW + RANGE) decodes right. The one with the most zero bits at its end ends in the most zero
    # bytes, which are not stored.
    for zeros in range(32, 0, -1):
        rounded = ((state[LOW] + (1 << zeros) - 1) >> zeros) << zeros
        if rounded < state[LOW] + state[RANGE]:
            state[LOW] = rounded
            break
    for _ in range(5):
        _shift(state, out)
    end = state[AT]
    while end > 0 and out[end - 1] == 0:
        end -= 1
    return end


@integer_kernel
def bits_written(state: Any) -> float:
    """The bits that an encoder has used up: those of the bytes written or waiting, less log2 of the width still
    open."""
    waiting = state[PENDING] + (1 if state[CACHE] >= 0 else 0)
    return 8.0 * (state[AT] + waiting) - math.log2(state[RANGE])


@integer_kernel
def start_decoder(data: Any) -> Any:
    """The state of a decoder at the start of `data` (bytes,) uint8."""
    state = np.array([0, 0, 0])
    for _ in range(4):
        state[WIDTH] = 1 << 16  # makes _refill read one byte
        _refill(state, data)
    state[WIDTH] = _MASK
    return state


def bits_read(state: Any) -> float:
    """The bits that a decoder has used up: those of the bytes read, less log2 of the width still open."""
    return float(8 * state[POSITION] - math.log2(state[WIDTH]))
