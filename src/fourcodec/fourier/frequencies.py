"""The frequencies of a Fourier layer, in the order of a file's coefficients and of the rows of coefficient matrices.

A frequency k is a vector of {0,1}^m. Its order is its number of non-zero components; a layer of order n has all
frequencies of order n or less. They are sorted by order, then lexicographically by the indices of their non-zero
components. Where n is m, all 2^m frequencies are there and stand in the order of the integer k, bit j being k_j.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray


def subsets(m: int, order: int) -> list[tuple[int, ...]]:
    """The indices of the non-zero components of each frequency of order <= `order`."""
    return [chosen for count in range(order + 1) for chosen in itertools.combinations(range(m), count)]


def product_table(m: int, order: int) -> NDArray[np.int64]:
    """The product that makes each feature from an earlier one, (K, 2) int64: feature k is feature table[k, 0] times
    phasor table[k, 1], as complex numbers. Entry 0 is the constant feature, (-1, -1)."""
    chosen = subsets(m, order)
    number = {subset: index for index, subset in enumerate(chosen)}
    return np.array([(-1, -1)] + [(number[subset[:-1]], subset[-1]) for subset in chosen[1:]], np.int64)


def phasors_held(m: int, order: int) -> NDArray[np.int64]:
    """The phasors that are factors of each feature of `product_table`: (K, m) int64 of 0 and 1."""
    return np.array([[j in chosen for j in range(m)] for chosen in subsets(m, order)], np.int64)


def frequency_bits(m: int, order: int) -> NDArray[np.int64]:
    """The frequencies of order <= `order`, one a row: (K, m) int64 of 0 and 1, in the order of a file."""
    if order == m:
        return np.arange(1 << m)[:, None] >> np.arange(m) & 1
    return phasors_held(m, order)
