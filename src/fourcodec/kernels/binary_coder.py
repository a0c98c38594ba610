"""Signed integers <-> bytes by an adaptive binary range coder; integers only, so the same on every machine.

Each integer v becomes binary decisions: the bit length n of |v| in unary (MAX_BITS at most), the two bits below the
leading one, both adaptive; the remaining bits and the sign, all equally likely. Each adaptive decision has a 16-bit
probability that starts at a half and moves to what was seen: fast at first, by 1/LIMIT later. Each context has
probabilities of its own. FORMAT.md, "Coder 2", describes the same. The coder is the range coder of LZMA (I. Pavlov),
with 16-bit probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fourcodec.errors import CorruptFileError
from fourcodec.kernels.compiling import announce_compilation

MAX_BITS = 20  # |v| < 2^20: a coefficient of 1 in steps of 2^-20 is finer than float32 phases resolve
_SLOTS = 96  # decisions per context: 20 unary, then two below the leading bit for each length
_SECOND, _THIRD = 24, 48  # where the slots for those two begin
_LIMIT = 256  # decisions after which a probability moves by no less than 1/256 of its error
_LEAST = 64  # probabilities stay in [64, 65536 - 64] / 65536
_TOP = 1 << 24
_MASK = 0xFFFFFFFF

# Encoder state, in one int64 array so that helpers can change it: low, range, cache, pending, position.
_LOW, _RANGE, _CACHE, _PENDING, _AT = range(5)
# Decoder state: code, range, position.
_CODE, _WIDTH, _POSITION = range(3)


@njit(nogil=True, cache=True)
def _adapt(model: Any, slot: int, bit: int) -> None:
    seen = model[slot, 1]
    error = (bit << 16) - model[slot, 0]
    moved = model[slot, 0] + (error * 2) // (2 * seen + 3)
    model[slot, 0] = min(max(moved, _LEAST), 65536 - _LEAST)
    if 2 * seen + 3 < 2 * _LIMIT:
        model[slot, 1] = seen + 1


@njit(nogil=True, cache=True)
def _shift(state: Any, out: Any) -> None:
    """Moves the top byte out; a byte of 255 may still change by a carry and waits."""
    if state[_LOW] < 0xFF000000 or state[_LOW] > _MASK:
        carry = state[_LOW] >> 32
        if state[_CACHE] >= 0:
            out[state[_AT]] = (state[_CACHE] + carry) & 255
            state[_AT] += 1
        for _ in range(state[_PENDING]):
            out[state[_AT]] = (255 + carry) & 255
            state[_AT] += 1
        state[_PENDING] = 0
        state[_CACHE] = (state[_LOW] >> 24) & 255
    else:
        state[_PENDING] += 1
    state[_LOW] = (state[_LOW] & 0x00FFFFFF) << 8


@njit(nogil=True, cache=True)
def _encode_bit(state: Any, out: Any, model: Any, slot: int, bit: int) -> None:
    bound = (state[_RANGE] >> 16) * model[slot, 0]
    if bit:
        state[_RANGE] = bound
    else:
        state[_LOW] += bound
        state[_RANGE] -= bound
    _adapt(model, slot, bit)
    while state[_RANGE] < _TOP:
        state[_RANGE] = (state[_RANGE] << 8) & _MASK
        _shift(state, out)


@njit(nogil=True, cache=True)
def _decode_bit(state: Any, data: Any, model: Any, slot: int) -> int:
    bound = (state[_WIDTH] >> 16) * model[slot, 0]
    if state[_CODE] < bound:
        state[_WIDTH] = bound
        bit = 1
    else:
        state[_CODE] -= bound
        state[_WIDTH] -= bound
        bit = 0
    _adapt(model, slot, bit)
    _refill(state, data)
    return bit


@njit(nogil=True, cache=True)
def _encode_even(state: Any, out: Any, bit: int) -> None:
    state[_RANGE] >>= 1
    if bit:
        state[_LOW] += state[_RANGE]
    while state[_RANGE] < _TOP:
        state[_RANGE] = (state[_RANGE] << 8) & _MASK
        _shift(state, out)


@njit(nogil=True, cache=True)
def _decode_even(state: Any, data: Any) -> int:
    state[_WIDTH] >>= 1
    bit = 0
    if state[_CODE] >= state[_WIDTH]:
        state[_CODE] -= state[_WIDTH]
        bit = 1
    _refill(state, data)
    return bit


@njit(nogil=True, cache=True)
def _refill(state: Any, data: Any) -> None:
    """Behind the end the bytes are 0, as many as it takes."""
    while state[_WIDTH] < _TOP:
        byte = data[state[_POSITION]] if state[_POSITION] < data.shape[0] else 0
        state[_CODE] = ((state[_CODE] << 8) | byte) & _MASK
        state[_WIDTH] = (state[_WIDTH] << 8) & _MASK
        state[_POSITION] += 1


@njit(nogil=True, cache=True)
def _new_model(contexts: int) -> Any:
    model = np.zeros((contexts * _SLOTS, 2), np.int64)
    model[:, 0] = 1 << 15
    return model


@njit(nogil=True, cache=True)
def _encode(values: Any, contexts: Any, count: int, out: Any) -> int:
    model = _new_model(count)
    state = np.array([0, _MASK, -1, 0, 0])
    for i in range(values.shape[0]):
        base = contexts[i] * _SLOTS
        size = abs(values[i])
        bits = 0
        while size >> bits:
            bits += 1
        for n in range(min(bits + 1, MAX_BITS)):
            _encode_bit(state, out, model, base + n, 1 if bits > n else 0)
        if bits >= 2:
            second = (size >> (bits - 2)) & 1
            _encode_bit(state, out, model, base + _SECOND + bits, second)
            if bits >= 3:
                third = (size >> (bits - 3)) & 1
                _encode_bit(state, out, model, base + _THIRD + 2 * bits + second, third)
        for n in range(bits - 4, -1, -1):
            _encode_even(state, out, (size >> n) & 1)
        if bits:
            _encode_even(state, out, 1 if values[i] < 0 else 0)
    # Any number in [low, low + range) will do: take the one with the most zero bytes at its end, which are not stored.
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
def _decode(data: Any, contexts: Any, count: int, values: Any) -> int:
    model = _new_model(count)
    state = np.array([0, 0, 0])
    for _ in range(4):
        state[_WIDTH] = 1 << 16  # makes _refill read one byte
        _refill(state, data)
    state[_WIDTH] = _MASK
    for i in range(values.shape[0]):
        base = contexts[i] * _SLOTS
        bits = 0
        while bits < MAX_BITS and _decode_bit(state, data, model, base + bits):
            bits += 1
        size = 1 if bits else 0
        if bits >= 2:
            second = _decode_bit(state, data, model, base + _SECOND + bits)
            size = 2 + second
            if bits >= 3:
                size = 2 * size + _decode_bit(state, data, model, base + _THIRD + 2 * bits + second)
        for _ in range(bits - 3):
            size = 2 * size + _decode_even(state, data)
        values[i] = -size if bits and _decode_even(state, data) else size
    return state[_POSITION]


def encode(values: NDArray[np.int32], contexts: NDArray[np.uint8]) -> bytes:
    """Bytes for `values` (n,), each under its own context 0..255. Raises ValueError where one has more than
    MAX_BITS bits."""
    if values.size and int(np.abs(values.astype(np.int64)).max()) >= 1 << MAX_BITS:
        raise ValueError(f"integers to be coded have at most {MAX_BITS} bits")
    announce_compilation()
    out = np.empty(40 * values.size + 16, np.uint8)  # at most 22 adaptive decisions of 10 bits and 18 plain bits each
    end = _encode(values.astype(np.int64), contexts.astype(np.int64), int(contexts.max(initial=0)) + 1, out)
    return out[:end].tobytes()


def decode(data: bytes, contexts: NDArray[np.uint8]) -> NDArray[np.int32]:
    """What `encode` was given: as many integers as there are contexts, int32.

    Raises CorruptFileError where the bytes are not what `encode` would write, as far as can be told from their number.
    """
    if data.endswith(b"\0"):
        raise CorruptFileError("range-coded data ends in a zero byte")
    announce_compilation()
    values = np.empty(contexts.size, np.int64)
    used = _decode(np.frombuffer(data, np.uint8), contexts.astype(np.int64), int(contexts.max(initial=0)) + 1, values)
    if used < len(data):
        raise CorruptFileError(f"range-coded data: {len(data) - used} bytes are left over")
    return values.astype(np.int32)
