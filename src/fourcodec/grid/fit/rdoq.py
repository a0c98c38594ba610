"""Descent of rounded latents: one is moved by 1 where that makes the file better, thousands tried at a time.

Of integers a slope says which way to go, not whether a whole step pays. So steps are taken on trial: in each cell of a
level the latent that promises most moves, the picture and the bits are computed once for all cells, and every cell
keeps its move if its own cost has fallen. It is rate-distortion optimised quantisation, with what each decision really
costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.fit.backend import GridBackend
from fourcodec.grid.kernels.layout import PASSES
from fourcodec.grid.pyramid import Pyramid
from fourcodec.grid.weights import GridWeights

CORE = 4  # latents a side of what is searched in a cell for the one that moves
CELL = 8  # and of the cell, by which its cost is judged: most of what a move changes is within two latents of it
_OFFSETS = [(row, column) for row in range(0, CELL, CORE) for column in range(0, CELL, CORE)]
_CHILDREN = 2  # finer levels whose contexts see a latent


@dataclass(frozen=True)
class _Cells:
    """The cells of a level whose first core begins at `offset`; the outermost reach to the edges. Sides of latents are
    even, so that planes of one in 2 x 2 divide as the level does."""

    rows: int
    columns: int
    offset: tuple[int, int]

    @cached_property
    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where cells begin, in rows and in columns, and where the last one ends."""
        found = []
        for offset, count in zip(self.offset, (self.rows, self.columns), strict=True):
            starts = np.arange(offset, count, CELL) - (CELL - CORE) // 2
            starts[0] = 0
            found.append(np.append(starts, count))
        return found[0], found[1]

    def sums(self, plane: Floats, scale: float) -> NDArray[np.float64]:
        """(cells down, cells across) of a plane that covers the level with `scale` rows for each of its own."""
        padded = np.pad(plane, ((0, 1), (0, 1)))  # cells may begin beyond the plane: levels cover a little more
        down, across = self._scaled(plane, scale)
        rows = np.add.reduceat(padded, down[:-1], axis=0, dtype=np.float64)
        return np.add.reduceat(rows, across[:-1], axis=1)

    def spread(self, values: NDArray[np.bool_], plane: Floats, scale: float) -> NDArray[np.bool_]:
        """Each cell's value in all of its places in such a plane: the adjoint of sums."""
        down, across = self._scaled(plane, scale)
        return np.repeat(np.repeat(values, np.diff(down), axis=0), np.diff(across), axis=1)

    def steepest(self, promised: Floats) -> tuple[tuple[NDArray[np.int64], ...], Floats]:
        """Of (PASSES, rows / 2, columns / 2) the place of each core's largest value, and that, (cells down, across)."""
        half, core = CELL // 2, CORE // 2
        row, column = self.offset[0] // 2, self.offset[1] // 2
        down, across = (len(edges) - 1 for edges in self.edges)
        padded = np.full((PASSES, row + down * half, column + across * half), -np.inf, np.float32)
        padded[:, : promised.shape[1], : promised.shape[2]] = promised[:, : padded.shape[1], : padded.shape[2]]
        cells = padded[:, row:, column:].reshape(PASSES, down, half, across, half)
        cores = cells[:, :, :core, :, :core].transpose(1, 3, 0, 2, 4).reshape(down, across, -1)
        best = cores.argmax(axis=2)
        p, r, c = np.unravel_index(best, (PASSES, core, core))
        place = p, r + row + half * np.arange(down)[:, None], c + column + half * np.arange(across)
        return place, np.take_along_axis(cores, best[..., None], axis=2)[..., 0]

    def _scaled(self, plane: Floats, scale: float) -> list[NDArray[np.int64]]:
        """The edges in such a plane, whose end is the last one."""
        found = []
        for edges, count in zip(self.edges, plane.shape, strict=True):
            found.append(np.minimum((edges * scale).astype(np.int64), count))
            found[-1][-1] = count
        return found


class Descent:
    """Of one pyramid's latents (PASSES, total), integers that are changed in place. Squared errors against `target`
    (channels, height, width) count `weight` bits each."""

    def __init__(self, network: GridBackend, latents: Floats, target: Any, weight: float) -> None:
        self._network, self._pyramid = network, network.pyramid
        self._latents, self._target, self._weight = latents, target, weight
        self._missed = np.zeros_like(latents)  # by how much a move that was tried cost more than its slope had promised

    def sweep(self, weights: GridWeights, number: int) -> None:
        """Tries one move in every core of level `number`, given the slopes of everything in the network. Cells that
        meet see a little of each other's moves, so a few keep one that does not pay."""
        level = self._pyramid.levels[number]
        slopes = Pyramid.view(self._network.slopes[:PASSES], level).copy()
        latents, missed = Pyramid.view(self._latents, level), Pyramid.view(self._missed, level)
        # Levels whose bits change, and how many rows of a plane of costs go with one of latents.
        seeing = range(max(0, number - _CHILDREN), number + 1)
        scales = [2.0**number, *(2.0 ** (number - finer - 1) for finer in seeing)]
        costs = self._costs(weights, seeing)
        for offset in _OFFSETS:
            if offset[0] >= level.rows or offset[1] >= level.columns:
                continue
            cells = _Cells(level.rows, level.columns, offset)
            places, promised = cells.steepest(np.abs(slopes) - missed)
            moving = promised > 0
            at = tuple(index[moving] for index in places)
            before, slope = latents[at], slopes[at]
            latents[at] = before - np.sign(slope)
            after = self._costs(weights, seeing)
            change = np.zeros(moving.shape)
            for new, old, scale in zip(after, costs, scales, strict=True):
                change += cells.sums(new - old, scale)
            better = moving & (change < 0)
            latents[at] = np.where(better[moving], latents[at], before)
            missed[at] = np.where(better[moving], 0, change[moving] + np.abs(slope))
            costs = [
                np.where(cells.spread(better, new, scale), new, old)
                for new, old, scale in zip(after, costs, scales, strict=True)
            ]

    def _costs(self, weights: GridWeights, seeing: range) -> list[Floats]:
        """In bits: (height, width) of the squared errors, and for each of these levels (rows / 2, columns / 2) of its
        latents in 2 x 2."""
        self._network.planes[:PASSES] = self._latents
        errors, bits = self._network.costs(weights, self._target, self._weight, seeing)
        levels = [self._pyramid.levels[number] for number in seeing]
        return [errors, *(Pyramid.view(bits, level).sum(axis=0) for level in levels)]
