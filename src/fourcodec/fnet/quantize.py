"""Coefficients <-> integers: uniform quantisers whose steps come from a fixed table.

A file states a step by its index i in 0..255: step = MANTISSAS[i % 8] * 2^-(i // 8), which is 2^(-i / 8) in float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# 2^(-j / 8) in float32, as literals because powers may differ in the last place between machines.
MANTISSAS = np.array(
    [1.0, 0.917004048, 0.840896428, 0.771105409, 0.707106769, 0.648419797, 0.594603539, 0.545253873], np.float32
)
STEP_COUNT = 256
MAX_SYMBOL = (1 << 20) - 1  # the largest integer of both coders; float32 phases resolve nothing finer


def step_index(step: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The index of the step in the table that is nearest by ratio to each step > 0, uint8, clipped to the table."""
    return np.clip(np.rint(-8 * np.log2(step)), 0, STEP_COUNT - 1).astype(np.uint8)


def step_size(index: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The steps of these indices, float32, exact on every machine: the inverse of step_index."""
    whole, part = np.divmod(index.astype(np.int32), len(MANTISSAS))
    return np.ldexp(MANTISSAS[part], -whole)


def quantize(values: NDArray[np.float32], steps: NDArray[np.float32]) -> NDArray[np.int32]:
    """values / steps rounded to int32, clipped to -MAX_SYMBOL..MAX_SYMBOL."""
    return np.clip(np.rint(values / steps), -MAX_SYMBOL, MAX_SYMBOL).astype(np.int32)


def dequantize(symbols: NDArray[np.int32], steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """symbols * steps in float32, rounded once and so equal on every machine."""
    return symbols.astype(np.float32) * steps
