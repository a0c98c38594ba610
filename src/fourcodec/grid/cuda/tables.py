"""The matrices and lookup tables with which the network in torch filters, upsamples and finds taps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.kernels.layout import PAD, PASS_COLUMN, PASS_ROW, PASSES, SMOOTHING_REACH
from fourcodec.grid.pyramid import GRANDPARENT, OWN_COUNT, Pyramid, taps_of

Lookup = tuple[NDArray[np.int64], list[NDArray[np.int64]]]  # index and backs of operations.Table


def doubling(fine: int, coarse: int) -> Floats:
    """The linear map of each tap of upsampling, (4, fine, coarse) float32, see grid/kernels/upsampling.py."""
    at = np.arange(fine)
    found = np.zeros((4, fine, coarse), np.float32)
    for tap in range(4):
        source = at // 2 + np.where(at % 2 == 0, tap - PAD, PAD - tap)
        np.add.at(found[tap], (at, source.clip(0, coarse - 1)), 1)
    return found


def smoothing(side: int) -> Floats:
    """The linear map of each tap of smoothing, (4, side, side) float32, see grid/kernels/smoothing.py."""
    at = np.arange(side)
    found = np.zeros((4, side, side), np.float32)
    for shift in range(-SMOOTHING_REACH, SMOOTHING_REACH + 1):
        np.add.at(found[SMOOTHING_REACH - abs(shift)], (at, (at + shift).clip(0, side - 1)), 1)
    return found


def lookups(pyramid: Pyramid) -> tuple[Lookup, Lookup, Lookup, Lookup]:
    """Four lookups with their adjoints, for operations.Table.

    The first takes planes (PASSES, total) to the plain latents of all levels, as a vector; the second takes those to
    the plane of parents (total,); the third takes a plane of coarser levels to that of the next coarser ones; the
    fourth takes planes (GRANDPARENT + 1, total) to the taps of every level (PASSES, OWN_COUNT, total).
    """
    total, levels = pyramid.total, pyramid.levels
    ends = np.cumsum([0] + [level.rows * level.columns for level in levels])
    numbers = [
        np.arange(start, stop).reshape(level.rows, level.columns)
        for start, stop, level in zip(ends[:-1], ends[1:], levels, strict=True)
    ]
    none = int(ends[-1])

    plain = np.zeros(none, np.int64)
    unplain = np.full((1, PASSES * total), none)
    parents = np.full(total, none + 1)  # 0 where there is no coarser level
    readers = np.full((1, none), total)
    # The k-th coarser level of a cell is the (k - 1)-th of the cell of the next level that covers it.
    upwards = np.full(total, total + 1)
    covered = np.full((4, total), total)
    positions = np.arange(PASSES * total).reshape(PASSES, total)
    for number, level in enumerate(levels):
        for p in range(PASSES):
            at = pyramid.view(positions[p], level)
            own = numbers[number][PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2]
            plain[own], unplain[0, at] = at, own
        if number + 1 == len(levels):
            break
        at = pyramid.view(positions[0], level)
        rows, columns = np.arange(level.half_rows)[:, None], np.arange(level.half_columns)
        seen = numbers[number + 1][rows, columns]
        pyramid.view(parents, level)[:], readers[0, seen] = seen, at
        cell = pyramid.view(positions[0], levels[number + 1])[rows >> 1, columns >> 1]
        pyramid.view(upwards, level)[:], covered[2 * (rows & 1) + (columns & 1), cell] = cell, at

    planes = GRANDPARENT + 1
    taps = np.full((PASSES, OWN_COUNT, total), planes * total + 1)
    taps[:, 0] = planes * total
    untaps: list[list[NDArray[np.int64]]] = [[] for _ in range(planes)]
    for p, tap in np.ndindex(PASSES, OWN_COUNT):
        plane = int(taps_of(levels[0])[0][p, tap])
        if plane < 0:
            continue
        back = np.full(total, taps.size)
        for level in levels:
            offset = int(taps_of(level)[1][p, tap])
            at = np.arange(level.base, level.end)
            taps[p, tap, at] = plane * total + at + offset
            back[at] = (p * OWN_COUNT + tap) * total + at - offset
        untaps[plane].append(back)
    return (
        (plain, [unplain]),
        (parents, [readers]),
        (upwards, [covered]),
        (taps.ravel(), [np.stack(back) if back else np.full((1, total), taps.size) for back in untaps]),
    )
