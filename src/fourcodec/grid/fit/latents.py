"""Fitting the latents of one pyramid, a picture's or a tile's, and measuring them, given the networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.fourier.layout import BLOCK
from fourcodec.grid.config import GridConfig
from fourcodec.grid.fit.backend import GridBackend
from fourcodec.grid.fit.rdoq import Descent
from fourcodec.grid.kernels import latents as layout
from fourcodec.grid.kernels.layout import PASS_COLUMN, PASS_ROW, PASSES
from fourcodec.grid.network import GridGradient, pieces
from fourcodec.grid.weights import GridWeights
from fourcodec.threads import thread_count

Gradient = tuple[float, NDArray[np.float64], GridWeights]  # see GridGradient.gradient
TEMPERATURES, DEVIATIONS = (0.4, 0.03), (0.2, 0.1)  # of soft rounding and its noise, from the first step to the last
_SAMPLES = 2  # tiles that stand for all when weights are rounded


@dataclass(frozen=True)
class Proxy:
    """What latents are perturbed with: the temperature of soft rounding, the deviation of the noise, and the integers
    that name the noise (see noise_keys)."""

    temperature: float
    deviation: float
    stream: tuple[int, ...]


def proxy_at(share: float, *stream: int) -> Proxy:
    """When this share of the noisy steps is behind."""
    temperature, deviation = (first + share * (last - first) for first, last in (TEMPERATURES, DEVIATIONS))
    return Proxy(temperature, deviation, stream)


@dataclass(frozen=True)
class Rates:
    """Of the latents' Adam: the rate in units, the floor under its denominator in bits a unit."""

    rate: float
    floor: float
    momentum: float
    decay: float


class NoisySteps(Protocol):
    """The steps of one pyramid's latents while they are noisy."""

    def perturb(self, proxy: Proxy) -> None:
        """Shows the networks soft-rounded, noisy latents."""

    def gradient(self, weights: GridWeights, distortion_weight: float) -> Gradient:
        """Of the latents shown last."""

    def move(self, rates: Rates) -> None:
        """A step of Adam, after perturb and gradient."""

    def latents(self) -> Floats:
        """(PASSES, total)."""


class Space(Protocol):
    """What a step of a pyramid works in. Pyramids of one size can share it."""

    @property
    def network(self) -> GridBackend: ...

    def send(self, values: Floats) -> Any:
        """In the form that the network takes."""

    def noisy(self, latents: Floats, target: Any, visible: Any) -> NoisySteps:
        """That begin with these latents; target and visible as sent."""


class CpuSpace:
    """The kernels' on this process's cores."""

    def __init__(self, config: GridConfig) -> None:
        self.network: GridGradient = GridGradient(config.pyramid, config.shape, config.phase_scale, thread_count())
        self.chain = np.zeros((PASSES, config.pyramid.total), np.float32)
        self.parts = pieces(0, config.pyramid.total, 64 * BLOCK)

    def send(self, values: Floats) -> Floats:
        return np.ascontiguousarray(values)

    def noisy(self, latents: Floats, target: Floats, visible: Floats | None) -> NoisySteps:
        return _CpuNoisySteps(self, latents, target, visible)


class _CpuNoisySteps:
    def __init__(self, space: CpuSpace, latents: Floats, target: Floats, visible: Floats | None) -> None:
        self._space, self._network = space, space.network
        self._latents, self._target, self._visible = latents, target, visible
        self._first, self._second = np.zeros_like(latents), np.zeros_like(latents)

    def perturb(self, proxy: Proxy) -> None:
        network, chain = self._network, self._space.chain
        temperature, deviation = np.float32(proxy.temperature), np.float32(proxy.deviation)
        keys = layout.noise_keys(*proxy.stream)

        def run(part: tuple[int, int]) -> None:
            layout.perturb(
                self._latents, network.mask, temperature, deviation, keys, *part, network.planes, chain
            )  # fmt: skip

        network.map(run, self._space.parts)

    def gradient(self, weights: GridWeights, distortion_weight: float) -> Gradient:
        self._network.visible = self._visible
        return self._network.gradient(weights, self._target, distortion_weight, filters=True)

    def move(self, rates: Rates) -> None:
        space = self._space
        factors = [np.float32(value) for value in (rates.rate, rates.floor, rates.momentum, rates.decay)]

        def run(part: tuple[int, int]) -> None:
            layout.adam(
                self._latents, self._first, self._second, space.network.slopes, space.chain, *factors, *part
            )  # fmt: skip

        space.network.map(run, space.parts)

    def latents(self) -> Floats:
        return self._latents


class PyramidFit:
    """Latents of one pyramid. target (channels, H, W) float32; errors count where `visible` (H, W) is true."""

    def __init__(self, config: GridConfig, space: Space, target: Floats, visible: NDArray[np.bool_] | None) -> None:
        self.config, self.network, self._space = config, space.network, space
        self._target = space.send(target)
        self._visible = None if visible is None else space.send(visible.astype(np.float32))
        self._latents = np.zeros((PASSES, config.pyramid.total), np.float32)
        self._noisy: NoisySteps | None = None
        self._descent: Descent | None = None

    def place(self, levels: list[NDArray[np.int16]]) -> None:
        """Goes on from the latents of another fit."""
        pyramid = self.config.pyramid
        for level, latents in zip(pyramid.levels, levels, strict=True):
            for plane, row, column in zip(self._latents, PASS_ROW, PASS_COLUMN, strict=True):
                pyramid.view(plane, level)[:] = latents[row::2, column::2]

    def noisy(self) -> NoisySteps:
        """Until latents are settled for the first time."""
        if self._noisy is None:
            self._noisy = self._space.noisy(self._latents, self._target, self._visible)
        return self._noisy

    def settle(self) -> None:
        """Shows the networks rounded latents."""
        if self._noisy is not None:
            self._latents, self._noisy = self._noisy.latents(), None
        np.rint(self._latents, out=self.network.planes[:PASSES])

    def gradient(self, weights: GridWeights, distortion_weight: float) -> Gradient:
        """See GridGradient.gradient, of the latents that were settled."""
        self.network.visible = self._visible
        return self.network.gradient(weights, self._target, distortion_weight, filters=True)

    def squared_error(self, weights: GridWeights) -> float:
        """Of the rounded latents, summed."""
        self.settle()
        self.network.visible = self._visible
        return self.network.squared_error(weights, self._target)

    def latent_bits(self, context: Floats) -> float:
        """Of the rounded latents under the context model (PASSES, PASS_WEIGHTS)."""
        self.settle()
        return self.network.latent_bits(context)

    def descend(self, weights: GridWeights, distortion_weight: float, levels: list[int]) -> None:
        """Moves latents of these levels, by 1 each, where that makes the file better, after settle and gradient."""
        self.network.visible = self._visible
        if self._descent is None:
            np.rint(self._latents, out=self._latents)
            self._descent = Descent(self.network, self._latents, self._target, distortion_weight)
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
        pixels = [
            sum(pyramid.config.height * pyramid.config.width for pyramid in some) for some in (pyramids, self._pyramids)
        ]
        self._factor = pixels[0] / pixels[1]

    def squared_error(self, weights: GridWeights) -> float:
        return self._factor * sum(pyramid.squared_error(weights) for pyramid in self._pyramids)

    def latent_bits(self, context: Floats) -> float:
        return self._factor * sum(pyramid.latent_bits(context) for pyramid in self._pyramids)
