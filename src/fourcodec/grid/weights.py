"""The weights of the profile grid: their shapes, their order in a flat vector, and the groups that share a quantiser
step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid import entropy_model, trained_starts
from fourcodec.grid.kernels import layout

# Cubic interpolation (Keys, 1981, a = -1/2) at a quarter of a cell: upsampling filters start there, and files code the
# difference from it.
BICUBIC = np.array([-0.0234375, 0.2265625, 0.8671875, -0.0703125], np.float32)
IDENTITY = np.array([0, 0, 0, 1], np.float32)  # the same for the smoothing filters
UNUSED = 255  # the group of entries that are always 0: padding, levels that are missing, weights of sin(0)

# Groups of weights that share a quantiser step. Those before FIRST belong to the entropy model.
TAPS, HIDDEN, MEANS, SCALES, MAPS, MIXING, FIRST, LAST, CONSTANT, FILTERS, KERNEL, LINEAR = range(12)
# LINEAR + level is the group of a level's linear path; where there is smoothing, its taps are the group after these.


@dataclass
class GridWeights:
    """The weights of all networks, float32.

    entropy_model: (SIZE,), its parameters, see grid/entropy_model.py. first (R, m), last (R + P, channels): the
    synthesis, see grid/kernels/synthesis.py. filters: (levels - 1, 4), the upsampling. kernel: (channels, channels, 3,
    3), the residual filter. smoothing: (levels, 4), or (0, 4) without smoothing.
    """

    entropy_model: Floats
    first: Floats
    last: Floats
    filters: Floats
    kernel: Floats
    smoothing: Floats

    def parts(self) -> list[Floats]:
        """The arrays, in the order of the flat vector."""
        return [self.entropy_model, self.first, self.last, self.filters, self.kernel, self.smoothing]

    def zeros(self) -> GridWeights:
        """Weights of the same shapes, all 0."""
        return GridWeights(*(np.zeros_like(part) for part in self.parts()))

    def flat(self) -> Floats:
        """All weights as one vector; GridShape.weights is the inverse."""
        return np.concatenate([part.ravel() for part in self.parts()])


@dataclass(frozen=True)
class GridShape:
    """The shape of all networks of a picture.

    levels: of the pyramid. order: of the Fourier layers' frequencies. hidden: units in use of the HIDDEN in each layer
    of the entropy model. channels: of the picture. trained_start: the number of the trained start that the entropy
    model is coded against, 0 for none. smooth: whether latents are smoothed before they are used.
    """

    levels: int
    order: int
    hidden: int
    channels: int
    trained_start: int = 0
    smooth: bool = False

    @property
    def frequency_count(self) -> int:
        """The number of frequencies of a Fourier layer."""
        return sum(math.comb(self.levels, order) for order in range(self.order + 1))

    @property
    def rows(self) -> int:
        """The rows of a Fourier layer's matrix: two for each frequency, rounded up to a multiple of 4 for the
        kernels."""
        return -(-2 * self.frequency_count // 4) * 4

    @property
    def linear_rows(self) -> int:
        """The rows of the linear path: one for each level, rounded up to a multiple of 4 for the kernels."""
        return -(-self.levels // 4) * 4

    @property
    def group_count(self) -> int:
        """The number of groups of weights that share a quantiser step."""
        return LINEAR + self.levels + self.smooth

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the parts of GridWeights, in order."""
        return (
            (entropy_model.SIZE,),
            (self.rows, self.levels),
            (self.rows + self.linear_rows, self.channels),
            (self.levels - 1, len(BICUBIC)),
            (self.channels, self.channels, 3, 3),
            (self.levels if self.smooth else 0, len(IDENTITY)),
        )

    @cached_property
    def groups(self) -> NDArray[np.uint8]:
        """The group of each entry of the flat vector, uint8."""
        parts = [np.full(shape, UNUSED, np.uint8) for shape in self.shapes]
        of_entropy_model, first, last, filters, kernel, smoothing = parts
        model = entropy_model.split(of_entropy_model)
        model.first[..., : self.hidden] = TAPS
        model.second[:, : self.hidden, : self.hidden] = model.second[:, -1, : self.hidden] = HIDDEN
        model.last[:, : self.hidden] = model.last[:, layout.HIDDEN :] = MEANS, SCALES
        for level in range(min(entropy_model.FEATURED, self.levels)):
            model.maps[level, : self.levels - level] = MAPS
        model.mixing[:, [*range(self.hidden), -2, -1]] = MIXING
        first[: 2 * self.frequency_count] = FIRST
        first[1] = UNUSED
        last[: 2 * self.frequency_count] = LAST
        last[0], last[1] = CONSTANT, UNUSED
        for level in range(self.levels):
            last[self.rows + level] = LINEAR + level
        filters[:], kernel[:], smoothing[:] = FILTERS, KERNEL, LINEAR + self.levels
        return np.concatenate([part.ravel() for part in parts])

    @cached_property
    def base(self) -> Floats:
        """The flat vector of float32 that a file's weights are differences from."""
        weights = GridWeights(*(np.zeros(shape, np.float32) for shape in self.shapes))
        weights.entropy_model[:] = np.ldexp(self.entropy_model_base.astype(np.float32), -trained_starts.FRACTION)
        weights.filters[:], weights.smoothing[:] = BICUBIC, IDENTITY
        return weights.flat()

    @cached_property
    def entropy_model_base(self) -> NDArray[np.int64]:
        """The integers (SIZE,) that the entropy model's are added to, in units of 2^-trained_starts.FRACTION: those of
        the trained start, or 0."""
        shape = self.shapes[0]
        if not self.trained_start:
            return np.zeros(shape, np.int64)
        used = (self.groups[: math.prod(shape)] != UNUSED).reshape(shape)
        return trained_starts.trained_starts()[self.trained_start].entropy_model * used

    def weights(self, flat: Floats) -> GridWeights:
        """GridWeights from a flat vector: the inverse of GridWeights.flat."""
        edges = np.cumsum([math.prod(shape) for shape in self.shapes])[:-1]
        return GridWeights(
            *(
                np.ascontiguousarray(part).reshape(shape)
                for part, shape in zip(np.split(flat, edges), self.shapes, strict=True)
            )
        )
