"""The gradients of the network of the profile grid on the CPU, and the bits of latents under the entropy model: what a
fit needs beside the values (network.py)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.fourier.layout import BLOCK
from fourcodec.grid.entropy_model import networks, networks_gradient
from fourcodec.grid.error_form import FormKernels
from fourcodec.grid.kernels import entropy_model, residual, smoothing, upsampling
from fourcodec.grid.kernels import latents as latent_kernels
from fourcodec.grid.kernels.layout import PASSES
from fourcodec.grid.kernels.sampling import ALL, SHARE
from fourcodec.grid.network import PIECE, GridNetwork, pieces
from fourcodec.grid.pyramid import PARENT, PLANES, Pyramid, ancestor_count, taps_of
from fourcodec.grid.weights import GridShape, GridWeights

METRIC_EVERY = 2  # of the turns of a fit, the pull of a form's metric is computed in every second
_FEWEST_SAMPLED = 200 * BLOCK  # positions of which all are used to estimate gradients by weights


def _sample(positions: int, turn: int | None) -> tuple[int, np.float32]:
    """The sample of so many positions that gradients by weights are estimated from, see kernels/sampling.py, and the
    factor from its sums to those of all positions."""
    if turn is None or positions <= _FEWEST_SAMPLED:
        return ALL, np.float32(1)
    return turn, np.float32(SHARE)


class GridGradient(GridNetwork):
    """The network on a whole picture, with gradients of distortion_weight * (sum of squared errors) + bits.

    planes: (PLANES, total) float32, the latents as the entropy model sees them; a caller sets planes[:PASSES].
    latent_gradients: the same shape; after `gradient` its first PASSES planes hold the gradient by those latents.
    visible: (height, width) float32 in [0, 1], the factor of each pixel's errors: the square root of the weight of
    its squared errors, 0 where it is hidden; or None where all count. form: what stands in place of the sum of squared
    errors, or None.
    """

    def __init__(self, pyramid: Pyramid, shape: GridShape, phase_scale: float, threads: int) -> None:
        super().__init__(pyramid, shape, phase_scale, threads)
        self.visible: Floats | None = None
        self.form: FormKernels | None = None
        self.planes = np.zeros((PLANES, pyramid.total), np.float32)
        self.latent_gradients = np.zeros((PLANES, pyramid.total), np.float32)
        self.mask = pyramid.mask()
        self._feature_gradients = [np.zeros_like(feature) for feature in self.features]
        self._level_gradients = (
            [np.zeros_like(latents) for latents in self.latents]
            if shape.smooth
            else [gradient[0] for gradient in self._feature_gradients]
        )
        self._colour_gradients = np.zeros_like(self.colours)
        self._error = np.zeros((shape.channels, pyramid.height, pyramid.width), np.float32)
        self._taps = [taps_of(level) for level in pyramid.levels]
        # (level, a coarser level that it sees, the plane with the latents of that)
        self._relations = [
            (n, n + 1 + k, PARENT + k)
            for n in range(pyramid.count)
            for k in range(min(ancestor_count(n), pyramid.count - 1 - n))
        ]

    def gradient(
        self, weights: GridWeights, target: Floats, distortion_weight: float, *, turn: int | None = None
    ) -> tuple[float, NDArray[np.float64], GridWeights]:
        """The sum of squared errors, the bits (levels, PASSES) and the gradient by the weights; the gradient by the
        latents is left in latent_gradients.

        target: (channels, height, width) float32. turn: None, or a number >= 0: then the gradients by the Fourier
        layers and by the entropy model are unbiased estimates, which on large levels come from the sample of that
        number.
        """
        gradients = weights.zeros()
        self.spread(weights)
        self.latent_gradients[:] = 0
        squares = self._distortion_gradient(weights, target, distortion_weight, gradients, turn)
        self._pull_back(weights.filters, gradients.filters)
        if self.shape.smooth:
            self._unsmooth(weights.smoothing, gradients.smoothing)
        bits = self._rate_gradient(weights.entropy_model, gradients.entropy_model, turn)
        self._collect()
        return squares, bits, gradients

    def squared_error(self, weights: GridWeights, target: Floats) -> float:
        """The sum of squared errors against target (channels, height, width), with the latents in planes[:PASSES]."""
        self.spread(weights)
        return self._subtract(self.synthesise(weights, self._error), target)

    def costs(
        self, weights: GridWeights, target: Floats, distortion_weight: float, levels: Sequence[int]
    ) -> tuple[Floats, Floats]:
        """The terms of distortion_weight * (sum of squared errors) + bits, with the latents in planes[:PASSES]: of each
        pixel, (height, width), and of each latent of `levels`, (PASSES, total), 0 for other latents."""
        self.squared_error(weights, target)
        if self.form is None:
            errors = np.float32(distortion_weight) * np.einsum("chw,chw->hw", self._error, self._error)
        else:
            errors = self.form.costs(self._error, distortion_weight)
        return errors, self._bits_of_each(weights.entropy_model, levels)

    def latent_bits(self, parameters: Floats) -> float:
        """The bits of the latents in planes[:PASSES] under an entropy model with these parameters (SIZE,)."""
        self.arrange()
        return float(self._bits_of_each(parameters, range(self.pyramid.count)).sum(dtype=np.float64))

    def _bits_of_each(self, parameters: Floats, levels: Sequence[int]) -> Floats:
        """The bits of each latent of `levels` under the entropy model, (PASSES, total), 0 for other latents; after
        `arrange`."""
        bits = np.zeros((PASSES, self.pyramid.total), np.float32)
        weights = networks(parameters, self.pyramid.count)

        def run(task: tuple[int, int, int]) -> None:
            number, start, stop = task
            entropy_model.rate(self.planes, self.mask, *self._taps[number], weights[number], start, stop, bits)

        places = [(n, self.pyramid.levels[n]) for n in levels]
        self.map(run, [(n, *part) for n, level in places for part in pieces(level.base, level.end, PIECE)])
        return bits

    def spread(self, weights: GridWeights) -> None:
        """Computes the features and the planes of coarser levels from planes[:PASSES]."""
        self.arrange()
        self.upsample(weights)

    def arrange(self) -> None:
        """Computes each level's latents and the planes of coarser levels from planes[:PASSES]."""
        levels = self.pyramid.levels

        def interleave(task: tuple[int, int, int]) -> None:
            number, first, last = task
            level = levels[number]
            latent_kernels.interleave(self.planes, level.base, level.stride, first, last, self.latents[number])

        def place(relation: tuple[int, int, int]) -> None:
            number, coarser, plane = relation
            level, source = levels[number], self.latents[coarser]
            latent_kernels.place_coarser(
                source,
                plane - PARENT,
                level.base,
                level.stride,
                level.half_rows,
                level.half_columns,
                self.planes[plane],
            )

        self.map(interleave, self._cells())
        self.map(place, self._relations)

    def _cells(self) -> list[tuple[int, int, int]]:
        """The pieces of work on planes: level and range of rows."""
        return [
            (n, *rows) for n, level in enumerate(self.pyramid.levels) for rows in pieces(0, level.half_rows, self._tall)
        ]

    def _subtract(self, planes: Floats, target: Floats) -> float:
        """planes -= target, times `visible`. Returns the sum of squares of the differences; or their form, and then
        they are left as FormKernels.measure leaves them."""

        def run(band: tuple[int, int]) -> float:
            if self.visible is None:
                return float(residual.subtract(planes, target, *band))
            return float(residual.subtract_visible(planes, target, self.visible, *band))

        squares = sum(self.map(run, pieces(0, planes.shape[1], self._rows)))
        return squares if self.form is None else self.form.measure(planes)

    def _weigh(self, errors: Floats, turn: int | None) -> None:
        """`errors`, as _subtract left them, become half the gradient of its result by the picture."""
        if self.form is not None:
            self.form.weigh(errors, anew=turn is None or turn % METRIC_EVERY == 0)
        if self.visible is not None:  # a factor of the errors, and so of their gradient
            self.map(lambda band: residual.hide(errors, self.visible, *band), pieces(0, errors.shape[1], self._rows))

    def _distortion_gradient(
        self, weights: GridWeights, target: Floats, distortion_weight: float, gradients: GridWeights, turn: int | None
    ) -> float:
        """The sum of squared errors. Adds the gradients by kernel, first and last to `gradients`, and leaves those by
        the finest features in _feature_gradients."""
        error, shape = self.synthesise(weights, self._error), weights.kernel.shape
        squares = self._subtract(error, target)
        self._weigh(error, turn)
        bands = pieces(0, error.shape[1], self._rows)
        kernels = np.zeros((len(bands), *shape), np.float32)

        def unfilter(n: int) -> None:
            weight = np.float32(2 * distortion_weight)
            residual.filter_adjoint(
                error, self.colours, weights.kernel, weight, *bands[n], self._colour_gradients, kernels[n]
            )

        self.map(unfilter, range(len(bands)))
        gradients.kernel += kernels.sum(axis=0)

        count = self.pyramid.count
        x, dx = self.features[0].reshape(count, -1), self._feature_gradients[0].reshape(count, -1)
        dy = self._colour_gradients.reshape(shape[0], -1)
        matrices = weights.first.ravel(), weights.last.ravel()
        parts = pieces(0, x.shape[1], PIECE)
        first = np.zeros((len(parts), weights.first.size), np.float32)
        last = np.zeros((len(parts), weights.last.size), np.float32)
        sample, factor = _sample(x.shape[1], turn)

        def uncolour(n: int) -> None:
            self._kernels.backward(x, *matrices, self._phase_scale, *parts[n], sample, dy, dx, first[n], last[n])

        self.map(uncolour, range(len(parts)))
        gradients.first += factor * first.sum(axis=0).reshape(weights.first.shape)
        gradients.last += factor * last.sum(axis=0).reshape(weights.last.shape)
        return squares

    def _pull_back(self, filters: Floats, gradient: Floats) -> None:
        """Computes the gradients by all features from those by the finest; adds the filters' to `gradient`."""
        for number in range(self.pyramid.count - 1):
            source, taps = self.features[number + 1], filters[number]
            coarse, fine = self._feature_gradients[number + 1], self._feature_gradients[number]
            bands = self._bands(coarse)
            found = np.zeros((len(bands), filters.shape[1]))

            def run(
                n: int, source: Floats = source, taps: Floats = taps, coarse: Floats = coarse, fine: Floats = fine,
                bands: list[tuple[int, int, int]] = bands, found: NDArray[np.float64] = found,
            ) -> None:  # fmt: skip
                channel, first, last = bands[n]
                upsampling.upsample_adjoint(fine[1 + channel], taps, first, last, coarse[channel])
                upsampling.filter_gradient(source[channel], fine[1 + channel], taps, first, last, found[n])

            self.map(run, range(len(bands)))
            gradient[number] += found.sum(axis=0)

    def _unsmooth(self, taps: Floats, gradient: Floats) -> None:
        """Computes the gradients by the latents from those by each level's own feature; adds the taps' to
        `gradient`."""
        for number, (latents, back) in enumerate(zip(self.latents, self._level_gradients, strict=True)):
            gradient_out, bands = self._feature_gradients[number][0], pieces(0, len(latents), self._tall)
            found = np.zeros((len(bands), taps.shape[1]))

            def run(
                n: int, latents: Floats = latents, taps: Floats = taps[number], gradient_out: Floats = gradient_out,
                back: Floats = back, bands: list[tuple[int, int]] = bands, found: NDArray[np.float64] = found,
            ) -> None:  # fmt: skip
                smoothing.smooth_adjoint(gradient_out, taps, *bands[n], back)
                smoothing.smoothing_gradient(latents, gradient_out, taps, *bands[n], found[n])

            self.map(run, range(len(bands)))
            gradient[number] += found.sum(axis=0)

    def _rate_gradient(self, parameters: Floats, gradient: Floats, turn: int | None) -> NDArray[np.float64]:
        """The bits (levels, PASSES) of the latents. Adds their gradients by the parameters of the entropy model to
        `gradient` (SIZE,) and those by the planes to latent_gradients."""
        weights = networks(parameters, self.pyramid.count)
        transposed = [entropy_model.transpose(own) for own in weights]
        tasks: list[tuple[int, int, int, int]] = []
        for number, level in enumerate(self.pyramid.levels):
            size = max(PIECE, -(-2 * level.reach // BLOCK) * BLOCK)
            tasks += [(number, n % 2, *part) for n, part in enumerate(pieces(level.base, level.end, size))]
        samples = [_sample(level.end - level.base, turn) for level in self.pyramid.levels]
        found = np.zeros((len(tasks), *weights.shape[1:]), np.float32)
        bits = np.zeros((len(tasks), PASSES))

        def run(n: int) -> None:
            number, _, start, stop = tasks[n]
            entropy_model.rate_gradient(
                self.planes, self.mask, *self._taps[number], weights[number], transposed[number], start, stop,
                samples[number][0], self.latent_gradients, found[n], bits[n],
            )  # fmt: skip

        # Neighbouring pieces write into each other's margins: even ones run first, then odd ones.
        for parity in range(2):
            self.map(run, [n for n, task in enumerate(tasks) if task[1] == parity])
        out, by_weights = np.zeros((self.pyramid.count, PASSES)), np.zeros_like(weights)
        for (number, *_), some_bits, some in zip(tasks, bits, found, strict=True):
            out[number] += some_bits
            by_weights[number] += samples[number][1] * some
        gradient += networks_gradient(parameters, by_weights)
        return out

    def _collect(self) -> None:
        """latent_gradients[:PASSES] += the gradients through features and through the planes of coarser levels."""
        levels = self.pyramid.levels
        for number, coarser, plane in self._relations:
            level, gradient = levels[number], self._level_gradients[coarser]
            latent_kernels.collect_coarser(
                self.latent_gradients[plane], plane - PARENT, level.base, level.stride,
                level.half_rows, level.half_columns, gradient,
            )  # fmt: skip

        def add(task: tuple[int, int, int]) -> None:
            number, first, last = task
            level, gradient = levels[number], self._level_gradients[number]
            latent_kernels.add_deinterleaved(gradient, level.base, level.stride, first, last, self.latent_gradients)

        self.map(add, self._cells())
