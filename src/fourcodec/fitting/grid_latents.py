"""Fitting the latents of one pyramid, a picture's or a tile's, and measuring them, given the networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fourcodec.fitting.grid_descent import Descent
from fourcodec.kernels import latents as layout
from fourcodec.kernels.layout import BLOCK, PASS_COLUMN, PASS_ROW, PASSES
from fourcodec.kernels.threads import thread_count
from fourcodec.networks.grid import GridGradient, pieces
from fourcodec.networks.grid_weights import GridWeights
from fourcodec.profiles.grid_config import GridConfig

Floats = NDArray[np.float32]
TEMPERATURES, DEVIATIONS = (0.4, 0.03), (0.2, 0.1)  # of soft rounding and its noise, from the first step to the last
_GONE = np.empty((0, 0), np.float32)
_SAMPLES = 2  # tiles that stand for all when weights are rounded


@dataclass(frozen=True)
class Rates:
    """Of the latents' Adam: the rate in units, the floor under its denominator in bits a unit."""

    rate: float
    floor: float
    momentum: float
    decay: float


class Space:
    """What a step of a pyramid works in. Pyramids of one size can share it."""

    def __init__(self, config: GridConfig) -> None:
        self.network = GridGradient(config.pyramid, config.shape, config.phase_scale, thread_count())
        self.chain = np.zeros((PASSES, config.pyramid.total), np.float32)
        self.parts = pieces(0, config.pyramid.total, 64 * BLOCK)


class PyramidFit:
    """Latents and their optimiser. target (channels, H, W) float32; errors count where `visible` (H, W) is true."""

    def __init__(self, config: GridConfig, space: Space, target: Floats, visible: NDArray[np.bool_] | None) -> None:
        self.config, self.target = config, np.ascontiguousarray(target)
        self.network, self._space = space.network, space
        self._visible = None if visible is None else visible.astype(np.float32)
        self._latents = np.zeros_like(space.chain)
        self._first, self._second = np.zeros_like(space.chain), np.zeros_like(space.chain)
        self._descent: Descent | None = None

    def place(self, levels: list[NDArray[np.int16]]) -> None:
        """Goes on from the latents of another fit."""
        pyramid = self.config.pyramid
        for level, latents in zip(pyramid.levels, levels, strict=True):
            for plane, row, column in zip(self._latents, PASS_ROW, PASS_COLUMN, strict=True):
                pyramid.view(plane, level)[:] = latents[row::2, column::2]

    def perturb(self, noise: int, share: float) -> None:
        """Shows the networks soft-rounded, noisy latents."""
        temperature = np.float32(TEMPERATURES[0] + share * (TEMPERATURES[1] - TEMPERATURES[0]))
        deviation = np.float32(DEVIATIONS[0] + share * (DEVIATIONS[1] - DEVIATIONS[0]))
        network, chain = self.network, self._space.chain

        def run(part: tuple[int, int]) -> None:
            layout.perturb(
                self._latents, network.mask, temperature, deviation, noise, *part, network.planes, chain
            )  # fmt: skip

        network.map(run, self._space.parts)

    def settle(self) -> None:
        """Shows the networks rounded latents."""
        np.rint(self._latents, out=self.network.planes[:PASSES])

    def gradient(
        self, weights: GridWeights, distortion_weight: float
    ) -> tuple[float, NDArray[np.float64], GridWeights]:
        """See GridGradient.gradient, of the latents shown last."""
        self.network.visible = self._visible
        return self.network.gradient(weights, self.target, distortion_weight, filters=True)

    def move(self, rates: Rates) -> None:
        """A step of Adam, after perturb and gradient."""
        space = self._space
        factors = [np.float32(value) for value in (rates.rate, rates.floor, rates.momentum, rates.decay)]

        def run(part: tuple[int, int]) -> None:
            layout.adam(
                self._latents, self._first, self._second, space.network.slopes, space.chain, *factors, *part
            )  # fmt: skip

        space.network.map(run, space.parts)

    def squared_error(self, weights: GridWeights) -> float:
        """Of the rounded latents, summed."""
        self.settle()
        self.network.visible = self._visible
        return self.network.squared_error(weights, self.target)

    def latent_bits(self, context: Floats) -> float:
        """Of the rounded latents under the context model (PASSES, PASS_WEIGHTS)."""
        self.settle()
        return self.network.latent_bits(context)

    def descend(self, weights: GridWeights, distortion_weight: float, levels: list[int]) -> None:
        """Moves latents of these levels, by 1 each, where that makes the file better, after settle and gradient."""
        self.network.visible = self._visible
        if self._descent is None:
            np.rint(self._latents, out=self._latents)
            self._first = self._second = _GONE  # of Adam, which moves no latents any more
            self._descent = Descent(self.network, self._latents, self.target, distortion_weight)
        for number in levels:
            self._descent.sweep(weights, number)

    def integers(self, weights: GridWeights) -> list[NDArray[np.int16]]:
        """The rounded latents of each level, finest first."""
        self.settle()
        self.network.arrange()
        return [latents.astype(np.int16) for latents in self.network.latents]


class Sample:
    """Some pyramids of a picture, measured as if they were all."""

    def __init__(self, pyramids: list[PyramidFit]) -> None:
        numbers = np.unique(np.linspace(0, len(pyramids) - 1, _SAMPLES).round().astype(int))
        self._pyramids = [pyramids[number] for number in numbers]
        pixels = [sum(pyramid.target[0].size for pyramid in some) for some in (pyramids, self._pyramids)]
        self._factor = pixels[0] / pixels[1]

    def squared_error(self, weights: GridWeights) -> float:
        return self._factor * sum(pyramid.squared_error(weights) for pyramid in self._pyramids)

    def latent_bits(self, context: Floats) -> float:
        return self._factor * sum(pyramid.latent_bits(context) for pyramid in self._pyramids)
