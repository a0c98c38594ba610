"""Coarse to fine: a picture is fitted at 1:4 first, then at 1:2, then whole, each time from the fit before.

An iteration at 1:2 takes a quarter of the time, and the networks learn as much from it. The pyramid of the picture at
1:2 is that of the whole without its finest level, so latents stay as they are, and a network gets the inputs of one
more level.

Short fits gain by it, the shorter the more. Where a fit is long, or most bits are in the finest level, textured
pictures are better fitted whole from the start (docs/research.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fourcodec.arrays import Floats
from fourcodec.fourier.frequencies import subsets
from fourcodec.grid.config import GridConfig
from fourcodec.grid.entropy_model import split
from fourcodec.grid.weights import GridShape, GridWeights

HALVINGS = 2  # of the smallest picture that is fitted
SHARES = (0.2, 0.2)  # of the schedule, for the fits at 1:2 and at 1:4
_FIXED_PIXELS = 22_000  # what an iteration costs at any size, as the pixels that take as long
# A fit begins on smaller pictures if it has at most MOST_ITERATIONS iterations, or at most MOST_FINE_ITERATIONS where
# lambda is below FINE_RATE_WEIGHT (a quality above 61).
MOST_ITERATIONS, FINE_RATE_WEIGHT, MOST_FINE_ITERATIONS = 500, 8e-4, 300
_LEAST_SIDE, _LEAST_LEVELS = 32, 3  # of a picture that is worth a fit of its own


@dataclass(frozen=True)
class Stage:
    """A fit at 1:2^halvings, from share `begin` of the whole schedule to share `end`. work: the time of an iteration,
    relative to one over the whole picture."""

    halvings: int = 0
    begin: float = 0.0
    end: float = 1.0
    work: float = 1.0

    @property
    def name(self) -> str:
        """The name that a progress line gives it, empty for the whole picture."""
        return f"at 1:{2**self.halvings}" if self.halvings else ""


WHOLE_PICTURE = Stage()


def stages_for(config: GridConfig, iterations: float, rate_weight: float) -> list[Stage]:
    """The stages of a fit, coarsest first. Small and thin pictures, long fits and low lambda have one stage."""
    if iterations > (MOST_ITERATIONS if rate_weight >= FINE_RATE_WEIGHT else MOST_FINE_ITERATIONS):
        return [WHOLE_PICTURE]
    tile = config.of_tile(0)
    side = min(tile.height, tile.width)
    most = 0
    while most < HALVINGS and side >> most + 1 >= _LEAST_SIDE and config.levels - most > _LEAST_LEVELS:
        most += 1
    begins = [sum(SHARES[n:most]) for n in range(most + 1)]
    times = [tile.height * tile.width / 4**n + _FIXED_PIXELS for n in range(most + 1)]
    return [Stage(n, begins[n], begins[n - 1] if n else 1.0, times[n] / times[0]) for n in range(most, -1, -1)]


def halved(planes: Floats, visible: Floats | None, times: int) -> tuple[Floats, Floats | None]:
    """The means of 2 x 2 pixels of planes (channels, H, W), and of their weights (H, W), so many times. A side of odd
    length repeats its last pixel. Colours are weighted means; where no pixel counts, plain ones."""
    for _ in range(times):
        if visible is None:
            planes = _means(planes)
        else:
            weights, plain = _means(visible), _means(planes)
            seen = weights > 0
            planes = np.where(seen, _means(planes * visible) / np.where(seen, weights, 1), plain)
            visible = weights
    return planes, visible


def _means(planes: Floats) -> Floats:
    height, width = planes.shape[-2:]
    beside = [(0, 0)] * (planes.ndim - 2)
    padded = np.pad(planes, [*beside, (0, height % 2), (0, width % 2)], mode="edge")
    rows = padded[..., ::2, :] + padded[..., 1::2, :]
    return np.float32(0.25) * (rows[..., ::2] + rows[..., 1::2])


def enlarge(coarser: GridWeights, its: GridShape, weights: GridWeights, shape: GridShape) -> None:
    """Overwrites `weights`, the start of a fit of `shape`, by those of a fit without its finest level.

    What belongs to level l there belongs to level l + 1 here. The finest level begins with the filters and the features
    of the next one, and with what the start has in the Fourier layers; its linear path is that of the next level,
    smaller by as much as that one is smaller than the one after.
    """
    here = {chosen: n for n, chosen in enumerate(subsets(shape.levels, shape.order))}
    for number, chosen in enumerate(subsets(its.levels, its.order)):
        row, source = 2 * here[tuple(level + 1 for level in chosen)], 2 * number
        weights.first[row : row + 2, 1:] = coarser.first[source : source + 2]
        weights.last[row : row + 2] = coarser.last[source : source + 2]
    linear, next_ = weights.last[shape.rows :][: shape.levels], coarser.last[its.rows :][: its.levels]
    linear[1:] = next_
    sizes = np.abs(next_[:2]).max(axis=1)
    if sizes.min() > 0:
        linear[0] *= min(sizes[0] / sizes[1], 1) * sizes[0] / np.abs(linear[0]).max()
    weights.filters[1:], weights.filters[0] = coarser.filters, coarser.filters[0]
    if shape.smooth:
        weights.smoothing[1:], weights.smoothing[0] = coarser.smoothing, coarser.smoothing[0]
    weights.kernel[:] = coarser.kernel
    weights.entropy_model[:] = coarser.entropy_model
    maps, theirs = split(weights.entropy_model).maps, split(coarser.entropy_model).maps
    maps[1:] = theirs[:-1]
