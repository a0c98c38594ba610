"""Rate-distortion optimised quantisation (RDOQ) of latents: an integer latent moves by 1 where that lowers the measured
cost; thousands of moves are tried at once.

The gradient by an integer says in which direction the cost falls, not whether a whole unit lowers it. So moves are
tried: a level is divided into cells, and in each cell the latent whose gradient predicts the largest gain moves. The
picture and the bits are computed once for all cells, and a cell keeps its move if its own cost has fallen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.fit.backend import GridBackend
from fourcodec.grid.kernels.layout import PASSES
from fourcodec.grid.pyramid import Pyramid, finer_levels_that_see
from fourcodec.grid.weights import GridWeights

# Sides in latents. The latent that moves is in the core of its cell: most of what it changes lies within two latents.
CORE = 4
CELL = 8
_OFFSETS = [(row, column) for row in range(0, CELL, CORE) for column in range(0, CELL, CORE)]


@dataclass(frozen=True)
class _Cells:
    """The cells of a level of rows x columns latents, whose first core begins at `offset`. The outermost cells reach to
    the edges. All sides are even, so that planes of one in 2 x 2 latents divide as the level does."""

    rows: int
    columns: int
    offset: tuple[int, int]

    @cached_property
    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The starts of the cells, and the end of the last one, in rows and in columns."""
        found = []
        for offset, count in zip(self.offset, (self.rows, self.columns), strict=True):
            starts = np.arange(offset, count, CELL) - (CELL - CORE) // 2
            starts[0] = 0
            found.append(np.append(starts, count))
        return found[0], found[1]

    def sums(self, plane: Floats, scale: float) -> NDArray[np.float64]:
        """The sum of `plane` over each cell, (cells down, cells across) float64. The plane covers the level at `scale`
        rows and columns for each of the level's."""
        padded = np.pad(plane, ((0, 1), (0, 1)))  # a level may cover more than the plane, and a cell begin beyond it
        down, across = self._scaled(plane, scale)
        rows = np.add.reduceat(padded, down[:-1], axis=0, dtype=np.float64)
        return np.add.reduceat(rows, across[:-1], axis=1)

    def spread(self, values: NDArray[np.bool_], plane: Floats, scale: float) -> NDArray[np.bool_]:
        """Each cell's value at all of its places in such a plane: the adjoint of `sums`."""
        down, across = self._scaled(plane, scale)
        return np.repeat(np.repeat(values, np.diff(down), axis=0), np.diff(across), axis=1)

    def largest_gain(self, predicted_gain: Floats) -> tuple[tuple[NDArray[np.int64], ...], Floats]:
        """The place and the value of the largest entry of predicted_gain (PASSES, rows / 2, columns / 2) in each core.

        A place is three index arrays; they and the values are (cells down, cells across).
        """
        half, core = CELL // 2, CORE // 2
        row, column = self.offset[0] // 2, self.offset[1] // 2
        down, across = (len(edges) - 1 for edges in self.edges)
        padded = np.full((PASSES, row + down * half, column + across * half), -np.inf, np.float32)
        padded[:, : predicted_gain.shape[1], : predicted_gain.shape[2]] = predicted_gain[
            :, : padded.shape[1], : padded.shape[2]
        ]
        cells = padded[:, row:, column:].reshape(PASSES, down, half, across, half)
        cores = cells[:, :, :core, :, :core].transpose(1, 3, 0, 2, 4).reshape(down, across, -1)
        best = cores.argmax(axis=2)
        p, r, c = np.unravel_index(best, (PASSES, core, core))
        place = p, r + row + half * np.arange(down)[:, None], c + column + half * np.arange(across)
        return place, np.take_along_axis(cores, best[..., None], axis=2)[..., 0]

    def _scaled(self, plane: Floats, scale: float) -> list[NDArray[np.int64]]:
        """The edges at the scale of such a plane. The last cell ends with the plane."""
        found = []
        for edges, count in zip(self.edges, plane.shape, strict=True):
            found.append(np.minimum((edges * scale).astype(np.int64), count))
            found[-1][-1] = count
        return found


class Rdoq:
    """RDOQ of one pyramid's latents (PASSES, total) float32, integers that are changed in place. The cost is weight *
    (sum of squared errors against `target`) + bits; target is (channels, height, width)."""

    def __init__(self, network: GridBackend, latents: Floats, target: Any, weight: float) -> None:
        self._network, self._pyramid = network, network.pyramid
        self._latents, self._target, self._weight = latents, target, weight
        # By how much the cost of a move that was tried exceeded its prediction: such a latent is tried less soon again.
        self._overestimated = np.zeros_like(latents)

    def improve_level(self, weights: GridWeights, number: int) -> None:
        """Tries one move in every core of level `number`. The network holds the gradients by all latents.

        Cells that touch share some of the change that their moves make, so a few moves that do not pay are kept.
        """
        level = self._pyramid.levels[number]
        gradients = Pyramid.view(self._network.latent_gradients[:PASSES], level).copy()
        latents, overestimated = Pyramid.view(self._latents, level), Pyramid.view(self._overestimated, level)
        # The levels whose bits change, and how many rows of each plane of costs belong to a row of latents.
        affected_levels = [*finer_levels_that_see(number), number]
        scales = [2.0**number, *(2.0 ** (number - finer - 1) for finer in affected_levels)]
        costs = self._costs(weights, affected_levels)
        for offset in _OFFSETS:
            if offset[0] >= level.rows or offset[1] >= level.columns:
                continue
            cells = _Cells(level.rows, level.columns, offset)
            places, predicted_gain = cells.largest_gain(np.abs(gradients) - overestimated)
            moving = predicted_gain > 0
            at = tuple(index[moving] for index in places)
            before, gradient = latents[at], gradients[at]
            latents[at] = before - np.sign(gradient)
            after = self._costs(weights, affected_levels)
            change = np.zeros(moving.shape)
            for new, old, scale in zip(after, costs, scales, strict=True):
                change += cells.sums(new - old, scale)
            better = moving & (change < 0)
            latents[at] = np.where(better[moving], latents[at], before)
            overestimated[at] = np.where(better[moving], 0, change[moving] + np.abs(gradient))
            costs = [
                np.where(cells.spread(better, new, scale), new, old)
                for new, old, scale in zip(after, costs, scales, strict=True)
            ]

    def _costs(self, weights: GridWeights, affected_levels: Sequence[int]) -> list[Floats]:
        """The costs in bits: of the squared errors, (height, width), and for each of `affected_levels` of its cells of
        2 x 2 latents, (rows / 2, columns / 2)."""
        self._network.planes[:PASSES] = self._latents
        errors, bits = self._network.costs(weights, self._target, self._weight, affected_levels)
        levels = [self._pyramid.levels[number] for number in affected_levels]
        return [errors, *(Pyramid.view(bits, level).sum(axis=0) for level in levels)]
