"""The micro-kernels of simd.py that decoding needs, in numpy: used with NUMBA_DISABLE_JIT=1, where kernels run as
Python.

They are slow. A test uses them to show that no decoded pixel depends on the shape of the tiles.
"""

from __future__ import annotations

from typing import Any

Rows = Any  # float32 arrays, see simd.py


def multiply_phasors(low: Rows, high: Rows, h: int, features: Rows, count: int) -> None:
    """See simd.multiply_phasors."""
    cosines, sines = low[: 2 * count : 2], low[1 : 2 * count : 2]
    features[: 2 * count : 2] = cosines * high[2 * h] - sines * high[2 * h + 1]
    features[1 : 2 * count : 2] = cosines * high[2 * h + 1] + sines * high[2 * h]


def accumulate_outputs(y: Rows, features: Rows, weights: Rows, weights_at: int, rows: int, n: int) -> None:
    """See simd.accumulate_outputs."""
    matrix = weights[weights_at : weights_at + rows * n].reshape(rows, n)
    y[:n] += matrix.T @ features[:rows]


def expand_features(cosines: Rows, sines: Rows, table: Rows, count: int, features: Rows) -> None:
    """See simd.expand_features."""
    for k in range(1, count):
        parent, factor = table[k]
        cosine, sine = features[2 * parent], features[2 * parent + 1]
        features[2 * k] = cosine * cosines[factor] - sine * sines[factor]
        features[2 * k + 1] = cosine * sines[factor] + sine * cosines[factor]
