"""Frequencies k of {0,1}^m with at most `order` ones, in their order in files and in the rows of coefficients.

They go by their number of ones, those of one number lexicographically by which are one. Where order is m they stand in
the order of the number k instead, bit j being k_j.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray


def subsets(m: int, order: int) -> list[tuple[int, ...]]:
    """Which of the m are one, for each frequency."""
    return [chosen for ones in range(order + 1) for chosen in itertools.combinations(range(m), ones)]


def product_table(m: int, order: int) -> NDArray[np.int64]:
    """(K, 2): feature k is feature[parent] times phasor[factor]; entry 0 is the constant (parent and factor -1)."""
    chosen = subsets(m, order)
    number = {subset: index for index, subset in enumerate(chosen)}
    return np.array([(-1, -1)] + [(number[subset[:-1]], subset[-1]) for subset in chosen[1:]], np.int64)


def phasors_held(m: int, order: int) -> NDArray[np.int64]:
    """(K, m) of 0 and 1: which phasors feature k of `product_table` is the product of."""
    return np.array([[j in chosen for j in range(m)] for chosen in subsets(m, order)], np.int64)


def frequency_bits(m: int, order: int) -> NDArray[np.int64]:
    """(K, m) of 0 and 1: k itself, row by row; all 2^m of them where order is m."""
    if order == m:
        return np.arange(1 << m)[:, None] >> np.arange(m) & 1
    return phasors_held(m, order)
