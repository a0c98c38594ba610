"""Copies between rows of all pixels (m, N) and blocks (m, BLOCK) of some of them, float32, inside compiled kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from fourcodec.compiling import inline_kernel

_ZERO = np.float32(0.0)


@inline_kernel
def load_block(rows: Any, start: int, size: int, scale: Any, block: Any) -> None:
    """block (m, BLOCK) = `scale` times `size` pixels of rows (m, N) from `start`, then zeros."""
    for j in range(block.shape[0]):
        row = rows[j, start : start + size]  # a view, as in layer.py: it lets the loop be vectorised
        for p in range(size):
            block[j, p] = row[p] * scale
        for p in range(size, block.shape[1]):
            block[j, p] = _ZERO


@inline_kernel
def store_block(block: Any, start: int, size: int, rows: Any) -> None:
    """Writes `size` pixels of block (m, BLOCK) to rows (m, N) from `start`: the inverse of load_block at scale 1."""
    for j in range(block.shape[0]):
        row = rows[j, start : start + size]
        for p in range(size):
            row[p] = block[j, p]


@inline_kernel
def add_block(rows: Any, start: int, size: int, block: Any) -> None:
    """block (m, BLOCK) += `size` pixels of rows (m, N) from `start`."""
    for j in range(block.shape[0]):
        row = rows[j, start : start + size]
        for p in range(size):
            block[j, p] += row[p]
