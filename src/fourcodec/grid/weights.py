"""The grid profile's weights: their shapes, their flat order, and the groups that share a quantiser step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid import priors as grid_priors
from fourcodec.grid.kernels import layout
from fourcodec.grid.pyramid import pass_taps

# Keys' cubic (a = -1/2) at a quarter of a cell: what the upsampling filters start at and are coded against
BICUBIC = np.array([-0.0234375, 0.2265625, 0.8671875, -0.0703125], np.float32)
IDENTITY = np.array([0, 0, 0, 1], np.float32)  # the same of the smoothing filters
UNUSED = 255  # the group of entries that are always 0: padding, taps that a pass does not have, sin(0)

# Groups of weights that share a step. The first four belong to the integer context model.
TAPS, HIDDEN, MEANS, SCALES, FIRST, LAST, CONSTANT, FILTERS, KERNEL, LINEAR = range(10)
# Then one LINEAR group for each level, and, where there is smoothing, the group of its taps.


@dataclass
class GridWeights:
    """All networks as float32: context (PASSES, PASS_WEIGHTS); first (R, m) and last (R + P, channels) of the
    synthesis, see grid/kernels/synthesis.py; filters (levels - 1, 4) of the upsampling; kernel (channels, channels, 3,
    3), the residual filter; smoothing (levels, 4) of the levels' own latents, (0, 4) without."""

    context: Floats
    first: Floats
    last: Floats
    filters: Floats
    kernel: Floats
    smoothing: Floats

    def parts(self) -> list[Floats]:
        return [self.context, self.first, self.last, self.filters, self.kernel, self.smoothing]

    def zeros(self) -> GridWeights:
        return GridWeights(*(np.zeros_like(part) for part in self.parts()))

    def flat(self) -> Floats:
        return np.concatenate([part.ravel() for part in self.parts()])


@dataclass(frozen=True)
class GridShape:
    """levels of latents; frequencies of the Fourier layers have at most `order` ones; `hidden` units are used of the
    HIDDEN in each layer of the context model; channels of the picture; the prior that the context model is coded
    against, 0 for none; whether latents are smoothed before they are used."""

    levels: int
    order: int
    hidden: int
    channels: int
    prior: int = 0
    smooth: bool = False

    @property
    def feature_count(self) -> int:
        return sum(math.comb(self.levels, ones) for ones in range(self.order + 1))

    @property
    def rows(self) -> int:
        """Of a Fourier layer's matrix: cosine and sine of every feature, rounded up for the kernels."""
        return -(-2 * self.feature_count // 4) * 4

    @property
    def linear_rows(self) -> int:
        return -(-self.levels // 4) * 4

    @property
    def group_count(self) -> int:
        return LINEAR + self.levels + self.smooth

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the parts of GridWeights, in order."""
        return (
            (layout.PASSES, layout.PASS_WEIGHTS),
            (self.rows, self.levels),
            (self.rows + self.linear_rows, self.channels),
            (self.levels - 1, len(BICUBIC)),
            (self.channels, self.channels, 3, 3),
            (self.levels if self.smooth else 0, len(IDENTITY)),
        )

    @cached_property
    def groups(self) -> NDArray[np.uint8]:
        """The group of every entry of the flat vector."""
        parts = [np.full(shape, UNUSED, np.uint8) for shape in self.shapes]
        of_context, first, last, filters, kernel, smoothing = parts
        for number, (planes, _) in enumerate(pass_taps()):
            used = np.array([True] + [plane >= 0 for plane in planes[1:]])
            w1 = np.full((layout.TAPS, layout.HIDDEN), UNUSED, np.uint8)
            w3 = np.full((layout.HIDDEN + layout.TAPS, 2), UNUSED, np.uint8)
            w1[used, : self.hidden] = TAPS
            w2 = np.full((layout.HIDDEN + 1, layout.HIDDEN), UNUSED, np.uint8)  # b2 is the last row
            w2[: self.hidden, : self.hidden] = w2[-1, : self.hidden] = HIDDEN
            w3[layout.HIDDEN :][used] = w3[: self.hidden] = MEANS, SCALES
            of_context[number] = np.concatenate([w1.ravel(), w2.ravel(), w3.ravel()])
        first[: 2 * self.feature_count] = FIRST
        first[1] = UNUSED
        last[: 2 * self.feature_count] = LAST
        last[0], last[1] = CONSTANT, UNUSED
        for level in range(self.levels):
            last[self.rows + level] = LINEAR + level
        filters[:], kernel[:], smoothing[:] = FILTERS, KERNEL, LINEAR + self.levels
        return np.concatenate([part.ravel() for part in parts])

    @cached_property
    def base(self) -> Floats:
        """What the weights are coded against, flat."""
        weights = GridWeights(*(np.zeros(shape, np.float32) for shape in self.shapes))
        weights.context[:] = np.ldexp(self.context_base.astype(np.float32), -grid_priors.FRACTION)
        weights.filters[:], weights.smoothing[:] = BICUBIC, IDENTITY
        return weights.flat()

    @cached_property
    def context_base(self) -> NDArray[np.int64]:
        """What the context model's integers are added to, in units of 2^-grid_priors.FRACTION."""
        shape = self.shapes[0]
        if not self.prior:
            return np.zeros(shape, np.int64)
        used = (self.groups[: math.prod(shape)] != UNUSED).reshape(shape)
        return grid_priors.priors()[self.prior].context * used

    def weights(self, flat: Floats) -> GridWeights:
        """The inverse of GridWeights.flat."""
        edges = np.cumsum([math.prod(shape) for shape in self.shapes])[:-1]
        return GridWeights(
            *(
                np.ascontiguousarray(part).reshape(shape)
                for part, shape in zip(np.split(flat, edges), self.shapes, strict=True)
            )
        )
