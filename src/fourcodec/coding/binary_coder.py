"""Signed integers <-> bytes by an adaptive binary range coder. All arithmetic is in integers, so the bytes are the same
on every machine.

An integer v becomes binary decisions. The bit length n of |v|, in unary (at most MAX_BITS), and the two bits below the
leading one are adaptive decisions; the remaining bits and the sign are coded with a probability of a half. An adaptive
decision has a 16-bit probability, which starts at a half and moves towards each decision: fast at first, later by
1 / _LIMIT of its error. Each context has probabilities of its own. A context may be divided into finer ones: those of a
finer context start as the context's are when they are first needed, and learn as if they had seen _HEAD_START
decisions; the context's own learn on. FORMAT.md, "Profile 1", The range coder, specifies the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.coding.range_coder import (
    POSITION,
    bits_read,
    decode_decision,
    decode_even,
    encode_decision,
    encode_even,
    finish_encoder,
    start_decoder,
    start_encoder,
)
from fourcodec.compiling import integer_kernel
from fourcodec.errors import CorruptFileError

MAX_BITS = 20  # |v| < 2^20: float32 phases do not resolve steps finer than 2^-20 of a coefficient of 1
_SLOTS = 96  # probabilities per context: 20 unary decisions, then those of the two bits, for each length
_SECOND, _THIRD = 24, 48  # first slots of the first and of the second bit below the leading one
_LIMIT = 256  # a probability always moves by 1/256 of its error or more
_HEAD_START = 2
_LEAST = 64  # probabilities stay in [64, 65536 - 64] / 65536


@integer_kernel
def _adapt(model: Any, slot: int, bit: int) -> None:
    seen = model[slot, 1]
    error = (bit << 16) - model[slot, 0]
    moved = model[slot, 0] + (error * 2) // (2 * seen + 3)
    model[slot, 0] = min(max(moved, _LEAST), 65536 - _LEAST)
    if 2 * seen + 3 < 2 * _LIMIT:
        model[slot, 1] = seen + 1


@integer_kernel
def _probability(model: Any, context: int, finer: int, decision: int) -> Any:
    """The probability of a decision in a context and a finer one, both by their first slots; finer < 0: none."""
    slot = context + decision
    if finer < 0:
        return model[slot, 0]
    own = finer + decision
    if model[own, 1] == 0:
        model[own, 0], model[own, 1] = model[slot, 0], _HEAD_START
    return model[own, 0]


@integer_kernel
def _adapt_both(model: Any, context: int, finer: int, decision: int, bit: int) -> None:
    _adapt(model, context + decision, bit)
    if finer >= 0:
        _adapt(model, finer + decision, bit)


@integer_kernel
def _encode_bit(state: Any, out: Any, model: Any, context: int, finer: int, decision: int, bit: int) -> None:
    encode_decision(state, out, _probability(model, context, finer, decision), bit)
    _adapt_both(model, context, finer, decision, bit)


@integer_kernel
def _decode_bit(state: Any, data: Any, model: Any, context: int, finer: int, decision: int) -> int:
    bit = decode_decision(state, data, _probability(model, context, finer, decision))
    _adapt_both(model, context, finer, decision, bit)
    return bit


@integer_kernel
def _new_model(contexts: int) -> Any:
    model = np.zeros((contexts * _SLOTS, 2), np.int64)
    model[:, 0] = 1 << 15
    return model


@integer_kernel
def _encode(values: Any, contexts: Any, model: Any, out: Any) -> int:
    state = start_encoder()
    for i in range(values.shape[0]):
        context, finer = contexts[i, 0] * _SLOTS, contexts[i, 1] * _SLOTS
        size = abs(values[i])
        bits = 0
        while size >> bits:
            bits += 1
        for n in range(min(bits + 1, MAX_BITS)):
            _encode_bit(state, out, model, context, finer, n, 1 if bits > n else 0)
        if bits >= 2:
            second = (size >> (bits - 2)) & 1
            _encode_bit(state, out, model, context, finer, _SECOND + bits, second)
            if bits >= 3:
                third = (size >> (bits - 3)) & 1
                _encode_bit(state, out, model, context, finer, _THIRD + 2 * bits + second, third)
        for n in range(bits - 4, -1, -1):
            encode_even(state, out, (size >> n) & 1)
        if bits:
            encode_even(state, out, 1 if values[i] < 0 else 0)
    return finish_encoder(state, out)


@integer_kernel
def _decode(state: Any, data: Any, contexts: Any, model: Any, values: Any) -> None:
    for i in range(values.shape[0]):
        context, finer = contexts[i, 0] * _SLOTS, contexts[i, 1] * _SLOTS
        bits = 0
        while bits < MAX_BITS and _decode_bit(state, data, model, context, finer, bits):
            bits += 1
        size = 1 if bits else 0
        if bits >= 2:
            second = _decode_bit(state, data, model, context, finer, _SECOND + bits)
            size = 2 + second
            if bits >= 3:
                size = 2 * size + _decode_bit(state, data, model, context, finer, _THIRD + 2 * bits + second)
        for _ in range(bits - 3):
            size = 2 * size + decode_even(state, data)
        values[i] = -size if bits and decode_even(state, data) else size


def encode(values: NDArray[np.int32], contexts: NDArray[Any]) -> bytes:
    """Codes `values` (n,) int32 under `contexts`: (n,) integers, one for each value; or (n, 2), of which the second is
    a finer context inside the first, numbered over all contexts, or -1.

    Raises ValueError where a value has more than MAX_BITS bits.
    """
    if values.size and int(np.abs(values.astype(np.int64)).max()) >= 1 << MAX_BITS:
        raise ValueError(f"integers to be coded have at most {MAX_BITS} bits")
    out = np.empty(40 * values.size + 16, np.uint8)  # at most 22 adaptive decisions of 10 bits and 18 plain bits each
    pairs = _pairs(contexts)
    end = _encode(values.astype(np.int64), pairs, _new_model(_count(pairs)), out)
    return out[:end].tobytes()


def decode(data: bytes, contexts: NDArray[Any]) -> NDArray[np.int32]:
    """The inverse of `encode`: (n,) int32 for n contexts.

    Raises CorruptFileError where bytes are left over or the last one is 0, which `encode` never writes. Other damage
    decodes to other integers.
    """
    if data.endswith(b"\0"):
        raise CorruptFileError("range-coded data ends in a zero byte")
    pairs, source = _pairs(contexts), np.frombuffer(data, np.uint8)
    values, state = np.empty(len(pairs), np.int64), start_decoder(source)
    _decode(state, source, pairs, _new_model(_count(pairs)), values)
    if state[POSITION] < len(data):
        raise CorruptFileError(f"range-coded data: {len(data) - state[POSITION]} bytes are left over")
    return values.astype(np.int32)


def spent_bits(data: bytes, contexts: NDArray[Any], ends: Sequence[int]) -> list[float]:
    """The bits that each part of the coded integers takes, where part i ends before integer ends[i].

    The sum is the size of `data` but for the last few bits. `data` must be data that `decode` accepts.
    """
    pairs, source = _pairs(contexts), np.frombuffer(data, np.uint8)
    state, model = start_decoder(source), _new_model(_count(pairs))
    spent, start, before = [], 0, bits_read(state)
    for end in ends:
        _decode(state, source, pairs[start:end], model, np.empty(end - start, np.int64))
        spent.append(bits_read(state) - before)
        start, before = end, bits_read(state)
    return spent


def _pairs(contexts: NDArray[Any]) -> NDArray[np.int64]:
    """The places of each value's models, (n, 2): those of finer contexts follow those of all others."""
    pairs = np.full((len(contexts), 2), -1, np.int64)
    if contexts.ndim == 1:
        pairs[:, 0] = contexts
    else:
        pairs[:] = contexts
        pairs[:, 1] += np.where(pairs[:, 1] < 0, 0, 1 + pairs[:, 0].max(initial=0))
    return pairs


def _count(pairs: NDArray[np.int64]) -> int:
    return 1 + int(pairs.max(initial=0))
