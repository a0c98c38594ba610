"""The network of the profile grid and its gradients in torch, for CUDA: the interface of GridGradient in
grid/gradient.py.

A GPU is fast at few and large operations. So a filter along an axis is a matrix product, the taps of the entropy model
of all levels and passes are one lookup in a table, and an evaluation is recorded once and replayed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from fourcodec.arrays import Floats
from fourcodec.fourier.frequencies import phasors_held
from fourcodec.fourier.layout import BLOCK
from fourcodec.grid.cuda.error_form import TorchForm
from fourcodec.grid.cuda.operations import Table, along_both, fourier, laplace_bits, linear
from fourcodec.grid.cuda.recording import Recorder
from fourcodec.grid.cuda.tables import doubling, lookups, smoothing
from fourcodec.grid.entropy_model import Parameters, split
from fourcodec.grid.kernels import latents as latent_kernels
from fourcodec.grid.kernels.layout import HIDDEN, PASSES
from fourcodec.grid.pyramid import ANCESTORS, FEATURED, OWN_COUNT, PLANES, Pyramid
from fourcodec.grid.weights import GridShape, GridWeights

_SLAB = 1 << 20  # positions whose Fourier features are in memory at a time


class TorchGridGradient:
    """The GridBackend on a torch device.

    Targets (channels, height, width) and `visible` (height, width) are tensors on the device. planes and
    latent_gradients (PLANES, total) are numpy arrays, of which only [:PASSES] are used. shown, pulled: (PASSES, total)
    on the device, the latents and their gradients from `gradient_of_shown`.
    """

    def __init__(self, pyramid: Pyramid, shape: GridShape, phase_scale: float, device: str) -> None:
        self.pyramid, self.shape = pyramid, shape
        self.device = torch.device(device)
        self.recorder = Recorder(self.device)
        self.planes = np.zeros((PLANES, pyramid.total), np.float32)
        self.latent_gradients = np.zeros_like(self.planes)
        self.latents = [np.zeros((level.rows, level.columns), np.float32) for level in pyramid.levels]
        self.mask = self.send(pyramid.mask())
        self._scale = phase_scale
        self._frequencies = self.send(phasors_held(shape.levels, shape.order).astype(np.float32))
        tables = (Table(*lookup, self.send) for lookup in lookups(pyramid))
        self._plain, self._parents, self._upwards, self._taps = tables
        sizes = [(level.rows, level.columns) for level in pyramid.levels]
        self._doubling = [
            [self.send(doubling(*pair)) for pair in zip(*sizes[n : n + 2], strict=True)]
            for n in range(pyramid.count - 1)
        ]
        self._smoothing = [[self.send(smoothing(side)) for side in size] for size in sizes if shape.smooth]

        # Recorded work reads and writes these tensors, which therefore are never replaced.
        self.shown, self.pulled = self._zeros(PASSES, pyramid.total), self._zeros(PASSES, pyramid.total)
        counts = [math.prod(part) for part in shape.shapes]
        self._all_weights = self._zeros(sum(counts))
        parts = self._all_weights.split(counts)
        self._weights = [part.view(size) for part, size in zip(parts, shape.shapes, strict=True)]
        self._target = self._zeros(shape.channels, pyramid.height, pyramid.width)
        self._visible, self._distortion_weight = self._zeros(pyramid.height, pyramid.width) + 1, self._zeros()
        self._form: TorchForm | None = None
        self._found = self._zeros(1 + pyramid.count * PASSES + len(self._all_weights))
        self._squares, self._pulls = self._zeros(2, pyramid.height, pyramid.width)
        self._bits_of_each = self._zeros(*self.shown.shape)

    @property
    def visible(self) -> Tensor | None:
        """The factor of each pixel's errors, (height, width), see GridGradient."""
        return self._visible

    @visible.setter
    def visible(self, visible: Tensor | None) -> None:
        """Sets the factors; None stands for 1 everywhere."""
        self._visible.copy_(torch.ones_like(self._visible) if visible is None else visible)

    @property
    def form(self) -> TorchForm | None:
        """The form of errors, or None for the sum of their squares."""
        return self._form

    @form.setter
    def form(self, form: TorchForm | None) -> None:
        """Sets the form. Once work is recorded, it may have other numbers, but it must not come or go."""
        if form is None:
            self._form = None
            return
        if self._form is None:
            self._form = form.empty()
        self._form.take(form)

    def send(self, values: NDArray[Any]) -> Tensor:
        """The values as a tensor on the device."""
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def gradient_of_shown(
        self, weights: GridWeights, target: Tensor, distortion_weight: float
    ) -> tuple[float, NDArray[np.float64], GridWeights]:
        """`gradient` at the latents in `shown`. The gradient by the latents is left in `pulled`."""
        self._set(weights)
        self._target.copy_(target)
        self._distortion_weight.fill_(distortion_weight)
        self._differentiate()
        squares, bits, gradient = np.split(self._found.cpu().numpy().copy(), [1, 1 + self.pyramid.count * PASSES])
        return float(squares[0]), bits.reshape(-1, PASSES).astype(np.float64), self.shape.weights(gradient)

    def gradient(
        self, weights: GridWeights, target: Tensor, distortion_weight: float, *, turn: int | None = None
    ) -> tuple[float, NDArray[np.float64], GridWeights]:
        """See GridGradient.gradient; all gradients are exact."""
        self._show()
        found = self.gradient_of_shown(weights, target, distortion_weight)
        self.latent_gradients[:PASSES] = self.pulled.cpu().numpy()
        return found

    def squared_error(self, weights: GridWeights, target: Tensor) -> float:
        """Implements `GridBackend.squared_error`."""
        self._measure_picture(weights, target)
        return float(self._squares.sum(dtype=torch.float64))

    def costs(
        self, weights: GridWeights, target: Tensor, distortion_weight: float, levels: Sequence[int]
    ) -> tuple[Floats, Floats]:
        """See GridGradient.costs; the bits are those of the latents of all levels."""
        self._measure_picture(weights, target)
        self._measure_bits()
        costs = distortion_weight * (self._squares + self._pulls)
        return costs.cpu().numpy(), self._bits_of_each.cpu().numpy()

    def latent_bits(self, parameters: Floats) -> float:
        """Implements `GridBackend.latent_bits`."""
        self._show()
        self._weights[0].copy_(torch.from_numpy(parameters))
        self._measure_bits()
        return float(self._bits_of_each.sum(dtype=torch.float64))

    def arrange(self) -> None:
        """Computes each level's latents from planes[:PASSES]."""
        for level, latents in zip(self.pyramid.levels, self.latents, strict=True):
            latent_kernels.interleave(self.planes, level.base, level.stride, 0, level.half_rows, latents)

    def _zeros(self, *size: int) -> Tensor:
        return torch.zeros(size, device=self.device)

    def _show(self) -> None:
        self.shown.copy_(torch.from_numpy(self.planes[:PASSES]))

    def _set(self, weights: GridWeights) -> None:
        self._all_weights.copy_(torch.from_numpy(weights.flat()))

    def _measure_picture(self, weights: GridWeights, target: Tensor) -> None:
        self._show()
        self._set(weights)
        self._target.copy_(target)
        self._render()

    @cached_property
    def _differentiate(self) -> Callable[[], None]:
        """Computes from `shown` the gradients `pulled`, and the vector `_found`: the sum of squared errors, the bits
        (levels, PASSES) and the gradient of distortion_weight * squares + bits by all weights."""

        def work() -> None:
            with torch.enable_grad():
                weights = [part.detach().requires_grad_() for part in self._weights]
                latents = self.shown.detach().requires_grad_()
                squares, bits = self._distortion(self._errors(weights, latents)), self._bits(weights[0], latents)
                objective = self._distortion_weight * squares + bits.sum()
                found = torch.autograd.grad(objective, [latents, *weights], allow_unused=True)
            self.pulled.copy_(found[0])
            gradients = [  # a part without entries has no gradient either
                part.new_zeros(part.numel()) if gradient is None else gradient.flatten()
                for gradient, part in zip(found[1:], weights, strict=True)
            ]
            each = torch.stack([bits.detach()[:, level.base : level.end].sum(1) for level in self.pyramid.levels])
            torch.cat([squares.detach().flatten(), each.flatten(), *gradients], out=self._found)

        return self.recorder.record(work)

    @cached_property
    def _render(self) -> Callable[[], None]:
        """Computes the squared error of each pixel, or its part of the form, from `shown`."""

        def work() -> None:
            with torch.no_grad():
                errors = self._errors(self._weights, self.shown)
                if self._form is None:
                    self._squares.copy_(errors.square().sum(0))
                else:
                    self._squares.copy_(self._form.costs(errors))
                    self._pulls.copy_(self._form.pull_cost(errors))

        return self.recorder.record(work)

    @cached_property
    def _measure_bits(self) -> Callable[[], None]:
        """Computes the bits of each latent from `shown`."""

        def work() -> None:
            with torch.no_grad():
                self._bits_of_each.copy_(self._bits(self._weights[0], self.shown))

        return self.recorder.record(work)

    def _distortion(self, errors: Tensor) -> Tensor:
        """The sum of squared errors, or their form, with the gradient that a step follows."""
        return errors.square().sum() if self._form is None else self._form.weighed(errors)

    def _errors(self, weights: list[Tensor], latents: Tensor) -> Tensor:
        """The errors of the picture, (channels, height, width), times `visible`."""
        _, first, last, filters, kernel, smoothing = weights
        picture = self._colours(self._features(latents, filters, smoothing), first, last, kernel)
        return (picture - self._target) * self._visible

    def _features(self, latents: Tensor, filters: Tensor, smoothing: Tensor) -> Tensor:
        """The features of the finest level, (levels, rows, columns)."""
        levels = self.pyramid.levels
        plain = self._plain(latents).split([level.rows * level.columns for level in levels])
        own = [some.view(level.rows, level.columns) for some, level in zip(plain, levels, strict=True)]
        for number, matrices in enumerate(self._smoothing):
            own[number] = along_both(smoothing[number], matrices, own[number])
        features = own[-1][None]
        for number in range(len(levels) - 2, -1, -1):
            finer = along_both(filters[number], self._doubling[number], features)
            features = torch.cat([own[number][None], finer])
        return features

    def _colours(self, features: Tensor, first: Tensor, last: Tensor, kernel: Tensor) -> Tensor:
        """The picture (channels, height, width), not clamped, from the features."""
        x, columns = features.flatten(1), features.shape[2]
        slabs = x.split(_slab_of(features.shape[1], columns), 1)
        if len(slabs) == 1:
            slabs = (self._synthesis(x, first, last, columns),)
        else:  # the Fourier features of one slab at a time are in memory, and are computed again for its gradient
            slabs = tuple(
                checkpoint(self._synthesis, slab, first, last, columns, use_reentrant=False, preserve_rng_state=False)
                for slab in slabs
            )
        planes = torch.cat(slabs, 1).view(-1, *features.shape[1:])
        planes = planes[:, : self.pyramid.height, : self.pyramid.width]
        for axis in (1, 2):  # replicates edges; the gradient of F.pad would add in any order and not be reproducible
            ends = planes.narrow(axis, 0, 1), planes.narrow(axis, planes.shape[axis] - 1, 1)
            planes = torch.cat([ends[0], planes, ends[1]], axis)
        near = F.unfold(planes[None], 3)
        channels = kernel.shape[0]
        added = linear(kernel.view(1, channels, -1).transpose(1, 2), near, self.pyramid.width)
        return planes[:, 1:-1, 1:-1] + added.view(channels, self.pyramid.height, self.pyramid.width)

    def _synthesis(self, x: Tensor, first: Tensor, last: Tensor, piece: int) -> Tensor:
        """Colours (channels, N) before the residual filter; see grid/kernels/synthesis.py."""
        rows = len(first)
        h = self._scale * x
        h = h + fourier(h, first, self._frequencies, piece)
        straight = linear(last[None, rows : rows + len(x)], x[None], piece)[0]
        return fourier(h, last[:rows], self._frequencies, piece) + straight

    def _bits(self, entropy_model: Tensor, latents: Tensor) -> Tensor:
        """The bits of each latent, (PASSES, total), 0 where there is none; see grid/kernels/entropy_model.py.
        Features are computed as such (grid/entropy_model.py), which is less than taps of every pass would be."""
        model, plain = split(entropy_model), self._plain(latents)
        coarser = [self._parents(plain)]
        for _ in range(ANCESTORS - 1):
            coarser.append(self._upwards(coarser[-1]))
        taps = self._taps(torch.cat([latents.flatten(), *coarser[:2]])).view(PASSES, OWN_COUNT, -1)
        added = self._added_by_features(model, torch.stack([torch.ones_like(coarser[0]), *coarser]))
        h = F.relu(linear(model.first, taps, BLOCK) + added[:HIDDEN])
        h = F.relu(linear(model.second[:, :HIDDEN], h, BLOCK) + model.second[:, HIDDEN, :, None])
        out = linear(model.last[:, :HIDDEN], h, BLOCK) + linear(model.last[:, HIDDEN:], taps, BLOCK) + added[HIDDEN:]
        return laplace_bits(latents, out[:, 0], out[:, 1], self.mask)

    def _added_by_features(self, model: Parameters, seen: Tensor) -> Tensor:
        """The terms that features add to the first layer and to the output, (HIDDEN + 2, total). seen: (1 + ANCESTORS,
        total), the constant 1 and the latents of coarser levels, of which features are sums."""
        featured = self.pyramid.levels[:FEATURED]
        weights = model.maps[: len(featured)] @ model.mixing
        ends = [level.end for level in featured]
        pieces = seen.split([*np.diff([0, *ends]).tolist(), seen.shape[1] - ends[-1]], 1)
        found = [linear(own[None], piece[None], BLOCK)[0] for own, piece in zip(weights, pieces[:-1], strict=True)]
        return torch.cat([*found, seen.new_zeros(HIDDEN + 2, pieces[-1].shape[1])], 1)


def _slab_of(rows: int, columns: int) -> int:
    """The number of positions in a slab: whole rows, about _SLAB positions."""
    return max(1, min(rows, _SLAB // columns)) * columns
