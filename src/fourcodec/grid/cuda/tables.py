"""The matrices and lookup tables with which the network in torch filters, upsamples and finds taps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.kernels.layout import PAD, PASS_COLUMN, PASS_ROW, PASSES, SMOOTHING_REACH, TAPS
from fourcodec.grid.pyramid import GRANDPARENT, PARENT, PLANES, Pyramid, taps_of

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


def lookups(pyramid: Pyramid) -> tuple[Lookup, Lookup, Lookup]:
    """Three lookups with their adjoints, for operations.Table.

    The first takes planes (PASSES, total) to the plain latents of all levels, as a vector; the second takes those to
    the planes of parents and grandparents (2, total); the third takes planes (PLANES, total) to taps (PASSES, TAPS,
    total).
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
    coarser = np.full((PLANES - PASSES, total), none + 1)  # 0 where there is no such level
    readers = np.full((4 + 1, none), coarser.size)  # the only parent, and four of which one is a grandparent
    positions = np.arange(PASSES * total).reshape(PASSES, total)
    for number, level in enumerate(levels):
        for p in range(PASSES):
            at = pyramid.view(positions[p], level)
            own = numbers[number][PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2]
            plain[own], unplain[0, at] = at, own
        for plane, up in ((PARENT, 1), (GRANDPARENT, 2)):
            if number + up >= len(levels):
                continue
            shift = up - 1
            rows, columns = np.arange(level.half_rows)[:, None], np.arange(level.half_columns)
            seen = numbers[number + up][rows >> shift, columns >> shift]
            pyramid.view(coarser[plane - PASSES], level)[:] = seen
            at = pyramid.view((plane - PASSES) * total + np.arange(total), level)
            readers[shift + 2 * (rows & shift) + (columns & shift), seen] = at

    taps = np.full((PASSES, TAPS, total), PLANES * total + 1)
    taps[:, 0] = PLANES * total
    untaps: list[list[NDArray[np.int64]]] = [[] for _ in range(PLANES)]
    planes_of = taps_of(levels[0])[0]
    for p, tap in zip(*np.nonzero(planes_of >= 0), strict=True):
        plane = int(planes_of[p, tap])
        back = np.full(total, taps.size)
        for level in levels:
            offset = int(taps_of(level)[1][p, tap])
            at = np.arange(level.base, level.end)
            taps[p, tap, at] = plane * total + at + offset
            back[at] = (p * TAPS + tap) * total + at - offset
        untaps[plane].append(back)
    return (
        (plain, [unplain]),
        (coarser.ravel(), [readers]),
        (taps.ravel(), [np.stack(back) if back else np.full((1, total), taps.size) for back in untaps]),
    )
