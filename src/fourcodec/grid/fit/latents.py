"""Fitting and measuring the latents of one pyramid, of a picture or of a tile, under given networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.fourier.layout import BLOCK
from fourcodec.grid.config import GridConfig
from fourcodec.grid.error_form import ErrorForm, FormKernels
from fourcodec.grid.fit.backend import GridBackend
from fourcodec.grid.fit.rdoq import Rdoq
from fourcodec.grid.fit.settings import MEASURED, MEASURED_PIXELS, MEASURED_SIDE
from fourcodec.grid.fit.visual import without_hidden
from fourcodec.grid.gradient import GridGradient
from fourcodec.grid.kernels import latents as latent_kernels
from fourcodec.grid.kernels.layout import PASS_COLUMN, PASS_ROW, PASSES
from fourcodec.grid.network import pieces
from fourcodec.grid.weights import GridWeights
from fourcodec.threads import thread_count

Gradient = tuple[float, NDArray[np.float64], GridWeights]  # see GridGradient.gradient
# Temperature of soft rounding and deviation of its noise, at the first and last iteration, at low and at high lambda.
TEMPERATURES, DEVIATIONS = ((0.4, 0.03), (0.35, 0.08)), ((0.2, 0.1), (0.22, 0.15))


@dataclass(frozen=True)
class Proxy:
    """The training noise of one iteration: the temperature of soft rounding, the standard deviation of the noise, and
    the integers that name it (see noise_keys)."""

    temperature: float
    deviation: float
    stream: tuple[int, ...]


def proxy_at(share: float, coarseness: float, *stream: int) -> Proxy:
    """The proxy when `share` of the noisy phase is done. coarseness: 0 at low lambda to 1 at high."""

    def at(low: tuple[float, float], high: tuple[float, float]) -> float:
        first, last = ((1 - coarseness) * one + coarseness * other for one, other in zip(low, high, strict=True))
        return (1 - share) * first + share * last

    return Proxy(at(*TEMPERATURES), at(*DEVIATIONS), stream)


@dataclass(frozen=True)
class Rates:
    """The parameters of the latents' Adam: the learning rate, the least denominator (in bits per unit of a latent), and
    the decay of both moments."""

    rate: float
    floor: float
    momentum: float
    decay: float


class NoisyFit(Protocol):
    """A pyramid's latents, with their optimiser, in the noisy phase."""

    def perturb(self, proxy: Proxy) -> None:
        """Writes soft-rounded, noisy latents into the network."""

    def gradient(self, weights: GridWeights, distortion_weight: float, turn: int | None = None) -> Gradient:
        """The gradient at the latents that `perturb` wrote; see GridBackend.gradient, also for `turn`."""

    def move(self, rates: Rates) -> None:
        """Updates the latents by Adam, after perturb and gradient."""

    def latents(self) -> Floats:
        """The latents without noise, (PASSES, total) float32."""


class Space(Protocol):
    """A network on one device and its work space. Pyramids of one size share it."""

    @property
    def network(self) -> GridBackend:
        """The network with its gradients."""

    def send(self, values: Floats) -> Any:
        """The values in the form that the network takes."""

    def send_form(self, form: ErrorForm, target: Floats) -> Any:
        """The form of errors against target (channels, H, W), as the network takes it."""

    def noisy(self, latents: Floats, target: Any, visible: Any, form: Any) -> NoisyFit:
        """The noisy phase from these latents on; target and visible come from `send`, form from `send_form`."""


class CpuSpace:
    """A Space on this process's cores, with the compiled kernels."""

    def __init__(self, config: GridConfig) -> None:
        self.network: GridGradient = GridGradient(config.pyramid, config.shape, config.phase_scale, thread_count())
        self.proxy_derivative = np.zeros((PASSES, config.pyramid.total), np.float32)
        self.parts = pieces(0, config.pyramid.total, 64 * BLOCK)

    def send(self, values: Floats) -> Floats:
        """Implements `Space.send`: the values as a contiguous array."""
        return np.ascontiguousarray(values)

    def send_form(self, form: ErrorForm, target: Floats) -> FormKernels:
        """Implements `Space.send_form`."""
        return FormKernels(form, self.send(target), self.network.threads)

    def noisy(self, latents: Floats, target: Floats, visible: Floats | None, form: FormKernels | None) -> NoisyFit:
        """Implements `Space.noisy`."""
        return _CpuNoisyFit(self, latents, target, visible, form)


class _CpuNoisyFit:
    def __init__(
        self,
        space: CpuSpace,
        latents: Floats,
        target: Floats,
        visible: Floats | None,
        form: FormKernels | None,
    ) -> None:
        self._space, self._network = space, space.network
        self._latents, self._target, self._visible, self._form = latents, target, visible, form
        self._first, self._second = np.zeros_like(latents), np.zeros_like(latents)

    def perturb(self, proxy: Proxy) -> None:
        network, proxy_derivative = self._network, self._space.proxy_derivative
        temperature, deviation = np.float32(proxy.temperature), np.float32(proxy.deviation)
        keys = latent_kernels.noise_keys(*proxy.stream)

        def run(part: tuple[int, int]) -> None:
            latent_kernels.perturb(
                self._latents, network.mask, temperature, deviation, keys, *part, network.planes, proxy_derivative
            )  # fmt: skip

        network.map(run, self._space.parts)

    def gradient(self, weights: GridWeights, distortion_weight: float, turn: int | None = None) -> Gradient:
        self._network.visible, self._network.form = self._visible, self._form
        return self._network.gradient(weights, self._target, distortion_weight, turn=turn)

    def move(self, rates: Rates) -> None:
        space = self._space
        factors = [np.float32(value) for value in (rates.rate, rates.floor, rates.momentum, rates.decay)]

        def run(part: tuple[int, int]) -> None:
            latent_kernels.adam(
                self._latents, self._first, self._second, space.network.latent_gradients, space.proxy_derivative,
                *factors, *part,
            )  # fmt: skip

        space.network.map(run, space.parts)

    def latents(self) -> Floats:
        return self._latents


class PyramidFit:
    """The latents of one pyramid and their fit. target: (channels, H, W) float32. visible: (H, W) float32, the weight
    of each pixel's squared errors, 0 to 1, or None where all count alike. form: what stands in place of the sum of
    squared errors, or None."""

    def __init__(
        self,
        config: GridConfig,
        space: Space,
        target: Floats,
        visible: Floats | None,
        form: ErrorForm | None = None,
    ) -> None:
        self.config, self.network, self._space = config, space.network, space
        self._pixels = target, visible, form
        self._target = space.send(target)
        self._visible = None if visible is None else space.send(np.sqrt(visible))
        self._form = None if form is None else space.send_form(form, without_hidden(target, visible))
        self._latents = np.zeros((PASSES, config.pyramid.total), np.float32)
        self._noisy: NoisyFit | None = None
        self._rdoq: Rdoq | None = None

    def place(self, levels: list[NDArray[np.int16]]) -> None:
        """Takes the latents of another fit, finest level first."""
        pyramid = self.config.pyramid
        for level, latents in zip(pyramid.levels, levels, strict=True):
            for plane, row, column in zip(self._latents, PASS_ROW, PASS_COLUMN, strict=True):
                pyramid.view(plane, level)[:] = latents[row::2, column::2]

    def take(self, coarser: PyramidFit) -> None:
        """Takes the latents of the fit of the picture at half this size, which has all levels but the finest."""
        pyramid, other = self.config.pyramid, coarser.config.pyramid
        latents = coarser.noisy().latents()
        for level, source in zip(pyramid.levels[1:], other.levels, strict=True):
            pyramid.view(self._latents, level)[:] = other.view(latents, source)

    @property
    def pixels(self) -> int:
        """The number of pixels."""
        return self.config.height * self.config.width

    def noisy(self) -> NoisyFit:
        """The noisy phase; it ends with the first `show_rounded`."""
        if self._noisy is None:
            self._noisy = self._space.noisy(self._latents, self._target, self._visible, self._form)
        return self._noisy

    def show_rounded(self) -> None:
        """Writes rounded latents into the network."""
        if self._noisy is not None:
            self._latents, self._noisy = self._noisy.latents(), None
        np.rint(self._latents, out=self.network.planes[:PASSES])

    def gradient(self, weights: GridWeights, distortion_weight: float) -> Gradient:
        """The gradient at the latents that `show_rounded` wrote; see GridBackend.gradient."""
        self.network.visible, self.network.form = self._visible, self._form
        return self.network.gradient(weights, self._target, distortion_weight)

    def squared_error(self, weights: GridWeights) -> float:
        """The sum of squared errors with rounded latents."""
        self.show_rounded()
        self.network.visible, self.network.form = self._visible, self._form
        return self.network.squared_error(weights, self._target)

    def latent_bits(self, entropy_model: Floats) -> float:
        """The bits of the rounded latents under an entropy model with these parameters (SIZE,)."""
        self.show_rounded()
        return self.network.latent_bits(entropy_model)

    def improve_latents(self, weights: GridWeights, distortion_weight: float, levels: list[int]) -> None:
        """Improves the rounded latents of `levels` by RDOQ, after show_rounded and gradient."""
        self.network.visible, self.network.form = self._visible, self._form
        if self._rdoq is None:
            np.rint(self._latents, out=self._latents)
            self._rdoq = Rdoq(self.network, self._latents, self._target, distortion_weight)
        for number in levels:
            self._rdoq.improve_level(weights, number)

    def window(self, number: int, space_of: Callable[[GridConfig], Space]) -> PyramidFit:
        """A copy of the part at the start, the middle or the end, number 0 to MEASURED - 1, of at most MEASURED_SIDE
        pixels a side."""
        config, pyramid = self.config, self.config.pyramid
        step = 2**config.levels  # whole cells of the coarsest level
        share = number / (MEASURED - 1)
        top, left = (
            round(share * max(side - MEASURED_SIDE, 0)) // step * step for side in (config.height, config.width)
        )
        height, width = min(config.height - top, MEASURED_SIDE), min(config.width - left, MEASURED_SIDE)
        own = replace(config, height=height, width=width)
        rows, columns = slice(top, top + height), slice(left, left + width)
        target, visible, form = self._pixels
        shown = None if visible is None else visible[rows, columns]
        part = None if form is None else form.cut(rows, columns)
        found = PyramidFit(own, space_of(own), target[:, rows, columns], shown, part)
        self.show_rounded()
        for n, (here, there) in enumerate(zip(own.pyramid.levels, pyramid.levels, strict=True)):
            row, column = top >> n + 1, left >> n + 1
            cells = pyramid.view(self._latents, there)[:, row:, column:]
            own.pyramid.view(found._latents, here)[:] = cells[:, : here.half_rows, : here.half_columns]
        return found

    def integers(self) -> list[NDArray[np.int16]]:
        """The rounded latents of each level, finest first."""
        self.show_rounded()
        self.network.arrange()
        return [latents.astype(np.int16) for latents in self.network.latents]


class Sample:
    """Windows of a picture's pyramids, whose measures are scaled to all pixels. A small picture is measured whole."""

    def __init__(self, pyramids: list[PyramidFit], space_of: Callable[[GridConfig], Space]) -> None:
        pixels = sum(pyramid.pixels for pyramid in pyramids)
        self._pyramids = pyramids
        if pixels > MEASURED_PIXELS:
            numbers = np.linspace(0, len(pyramids) - 1, MEASURED).round().astype(int)
            self._pyramids = [pyramids[number].window(n, space_of) for n, number in enumerate(numbers)]
        self._factor = pixels / sum(pyramid.pixels for pyramid in self._pyramids)

    def squared_error(self, weights: GridWeights) -> float:
        """The sum of squared errors with rounded latents, scaled to all pixels."""
        return self._factor * sum(pyramid.squared_error(weights) for pyramid in self._pyramids)

    def latent_bits(self, entropy_model: Floats) -> float:
        """The bits of the rounded latents, scaled to all pixels."""
        return self._factor * sum(pyramid.latent_bits(entropy_model) for pyramid in self._pyramids)
