"""The grid profile's network and its gradients in torch, for CUDA: the same as GridGradient of networks/grid.py.

A GPU wants few and large operations. So a filter along an axis is a matrix, the context model's taps of all levels and
passes are one lookup in a table, and what autograd would do in many small steps is written out. Sums that many threads
would add to in any order are lookups the other way round instead: equal arguments give equal results.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from fourcodec.kernels.frequencies import phasors_held
from fourcodec.kernels.layout import (
    B2,
    BLOCK,
    HIDDEN,
    LOG_SCALE_MAX,
    LOG_SCALE_MIN,
    PAD,
    PASS_COLUMN,
    PASS_ROW,
    PASSES,
    SMOOTHING_REACH,
    TAPS,
    W1,
    W2,
    W3,
)
from fourcodec.networks.grid_weights import GridShape, GridWeights
from fourcodec.networks.pyramid import GRANDPARENT, PARENT, PLANES, Pyramid, taps_of
from fourcodec.networks.recording import Recorder

Floats = NDArray[np.float32]
_SLAB = 1 << 20  # positions whose Fourier features are held at a time


class TorchGridGradient:
    """GridGradient's interface on a torch device. Targets (channels, height, width) and `visible` (height, width) are
    tensors there; planes and slopes (PLANES, total) are numpy's and only [:PASSES] of them are used.

    `shown` and `pulled` (PASSES, total) are the latents on the device and what `step` finds for their slopes."""

    def __init__(self, pyramid: Pyramid, shape: GridShape, phase_scale: float, device: str) -> None:
        self.pyramid, self.shape = pyramid, shape
        self.device = torch.device(device)
        self.recorder = Recorder(self.device)
        self.planes = np.zeros((PLANES, pyramid.total), np.float32)
        self.slopes = np.zeros_like(self.planes)
        self.latents = [np.zeros((level.rows, level.columns), np.float32) for level in pyramid.levels]
        self.mask = self.send(pyramid.mask())
        self._scale = phase_scale
        self._frequencies = self.send(phasors_held(shape.levels, shape.order).astype(np.float32))
        self._plain, self._parents, self._taps = (_Table(*table, self.send) for table in _tables(pyramid))
        sizes = [(level.rows, level.columns) for level in pyramid.levels]
        self._doubling = [
            [self.send(_doubling(*pair)) for pair in zip(*sizes[n : n + 2], strict=True)]
            for n in range(pyramid.count - 1)
        ]
        self._smoothing = [[self.send(_smoothing(side)) for side in size] for size in sizes if shape.smooth]

        # What recorded work reads and writes: it lies where it is.
        self.shown, self.pulled = self._zeros(PASSES, pyramid.total), self._zeros(PASSES, pyramid.total)
        self._all_weights = self._zeros(sum(map(math.prod, shape.shapes)))
        edges = [*map(math.prod, shape.shapes)]
        self._weights = [
            part.view(size) for part, size in zip(self._all_weights.split(edges), shape.shapes, strict=True)
        ]
        self._target = self._zeros(shape.channels, pyramid.height, pyramid.width)
        self._visible, self._distortion_weight = self._zeros(pyramid.height, pyramid.width) + 1, self._zeros()
        self._found = self._zeros(1 + pyramid.count * PASSES + len(self._all_weights))
        self._squares, self._bits_of_each = self._zeros(pyramid.height, pyramid.width), self._zeros(*self.shown.shape)

    @property
    def visible(self) -> Tensor | None:
        """Where errors count: everywhere where it is None."""
        return self._visible

    @visible.setter
    def visible(self, visible: Tensor | None) -> None:
        self._visible.copy_(torch.ones_like(self._visible) if visible is None else visible)

    def send(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def step(
        self, weights: GridWeights, target: Tensor, distortion_weight: float
    ) -> tuple[float, NDArray[np.float64], GridWeights]:
        """`gradient` of the latents `shown`."""
        self._set(weights)
        self._target.copy_(target)
        self._distortion_weight.fill_(distortion_weight)
        self._differentiate()
        found = self._found.cpu().numpy()
        bits = found[1:].reshape(-1)[: self.pyramid.count * PASSES].reshape(-1, PASSES)
        return float(found[0]), bits.astype(np.float64), self.shape.weights(found[1 + bits.size :].copy())

    def gradient(
        self, weights: GridWeights, target: Tensor, distortion_weight: float, *, filters: bool
    ) -> tuple[float, NDArray[np.float64], GridWeights]:
        """See GridGradient.gradient; the filters' gradients are always there."""
        self._show()
        found = self.step(weights, target, distortion_weight)
        self.slopes[:PASSES] = self.pulled.cpu().numpy()
        return found

    def squared_error(self, weights: GridWeights, target: Tensor) -> float:
        self._measure_picture(weights, target)
        return float(self._squares.sum(dtype=torch.float64))

    def costs(
        self, weights: GridWeights, target: Tensor, distortion_weight: float, levels: range
    ) -> tuple[Floats, Floats]:
        """See GridGradient.costs; bits are those of all levels."""
        self._measure_picture(weights, target)
        self._measure_bits()
        return (distortion_weight * self._squares).cpu().numpy(), self._bits_of_each.cpu().numpy()

    def latent_bits(self, weights: Floats) -> float:
        self._show()
        self._weights[0].copy_(torch.from_numpy(weights))
        self._measure_bits()
        return float(self._bits_of_each.sum(dtype=torch.float64))

    def arrange(self) -> None:
        """planes[:4] -> each level's latents."""
        for level, latents in zip(self.pyramid.levels, self.latents, strict=True):
            for plane, row, column in zip(self.planes, PASS_ROW, PASS_COLUMN, strict=False):
                latents[row::2, column::2] = self.pyramid.view(plane, level)

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
        """`shown` -> `pulled`, and in one row the sum of squared errors, bits (levels, PASSES) and the gradient of
        distortion_weight * squares + bits by all weights."""

        def work() -> None:
            with torch.enable_grad():
                weights = [part.detach().requires_grad_() for part in self._weights]
                latents = self.shown.detach().requires_grad_()
                squares, bits = self._errors(weights, latents).square().sum(), self._bits(weights[0], latents)
                objective = self._distortion_weight * squares + bits.sum()
                found = torch.autograd.grad(objective, [latents, *weights], allow_unused=True)
            self.pulled.copy_(found[0])
            slopes = [  # what has no entries has no gradient either
                part.new_zeros(part.numel()) if slope is None else slope.flatten()
                for slope, part in zip(found[1:], weights, strict=True)
            ]
            each = torch.stack([bits.detach()[:, level.base : level.end].sum(1) for level in self.pyramid.levels])
            torch.cat([squares.detach().flatten(), each.flatten(), *slopes], out=self._found)

        return self.recorder.record(work)

    @cached_property
    def _render(self) -> Callable[[], None]:
        """`shown` -> the squared error of each pixel."""

        def work() -> None:
            with torch.no_grad():
                self._squares.copy_(self._errors(self._weights, self.shown).square().sum(0))

        return self.recorder.record(work)

    @cached_property
    def _measure_bits(self) -> Callable[[], None]:
        """`shown` -> the bits of each latent."""

        def work() -> None:
            with torch.no_grad():
                self._bits_of_each.copy_(self._bits(self._weights[0], self.shown))

        return self.recorder.record(work)

    def _errors(self, weights: list[Tensor], latents: Tensor) -> Tensor:
        """(channels, height, width) of the picture, 0 where nothing is visible."""
        _, first, last, filters, kernel, smoothing = weights
        return (self._colours(self._features(latents, filters, smoothing), first, last, kernel) - self._target) * (
            self._visible
        )

    def _features(self, latents: Tensor, filters: Tensor, smoothing: Tensor) -> Tensor:
        """(levels, rows, columns) of the finest level."""
        levels = self.pyramid.levels
        plain = self._plain(latents).split([level.rows * level.columns for level in levels])
        own = [some.view(level.rows, level.columns) for some, level in zip(plain, levels, strict=True)]
        for number, matrices in enumerate(self._smoothing):
            own[number] = _along_both(smoothing[number], matrices, own[number])
        features = own[-1][None]
        for number in range(len(levels) - 2, -1, -1):
            finer = _along_both(filters[number], self._doubling[number], features)
            features = torch.cat([own[number][None], finer])
        return features

    def _colours(self, features: Tensor, first: Tensor, last: Tensor, kernel: Tensor) -> Tensor:
        """The picture, not clamped."""
        x, columns = features.flatten(1), features.shape[2]
        slabs = x.split(_slab_of(features.shape[1], columns), 1)
        if len(slabs) == 1:
            slabs = (self._synthesis(x, first, last, columns),)
        else:  # the features of one slab at a time are held: they are made again for its gradient
            slabs = tuple(
                checkpoint(self._synthesis, slab, first, last, columns, use_reentrant=False, preserve_rng_state=False)
                for slab in slabs
            )
        planes = torch.cat(slabs, 1).view(-1, *features.shape[1:])
        planes = planes[:, : self.pyramid.height, : self.pyramid.width]
        for axis in (1, 2):  # edges are replicated: F.pad's own gradient of that adds in any order
            ends = planes.narrow(axis, 0, 1), planes.narrow(axis, planes.shape[axis] - 1, 1)
            planes = torch.cat([ends[0], planes, ends[1]], axis)
        near = F.unfold(planes[None], 3)
        channels = kernel.shape[0]
        added = _linear(kernel.view(1, channels, -1).transpose(1, 2), near, self.pyramid.width)
        return planes[:, 1:-1, 1:-1] + added.view(channels, self.pyramid.height, self.pyramid.width)

    def _synthesis(self, x: Tensor, first: Tensor, last: Tensor, piece: int) -> Tensor:
        """Colours (channels, N) before the residual filter; see kernels/synthesis.py."""
        rows = len(first)
        h = self._scale * x
        h = h + _fourier(h, first, self._frequencies, piece)
        straight = _linear(last[None, rows : rows + len(x)], x[None], piece)[0]
        return _fourier(h, last[:rows], self._frequencies, piece) + straight

    def _bits(self, context: Tensor, latents: Tensor) -> Tensor:
        """(PASSES, total): of each latent, 0 where there is none; see kernels/context.py."""
        nearby = torch.cat([latents.flatten(), self._parents(self._plain(latents))])
        taps = self._taps(nearby).view(PASSES, TAPS, -1)
        w1 = context[:, W1:W2].view(PASSES, TAPS, HIDDEN)
        w2, b2 = context[:, W2:B2].view(PASSES, HIDDEN, HIDDEN), context[:, B2:W3, None]
        w3 = context[:, W3:].view(PASSES, HIDDEN + TAPS, 2)
        h = F.relu(_linear(w1, taps, BLOCK))
        h = F.relu(_linear(w2, h, BLOCK) + b2)
        out = _linear(w3[:, :HIDDEN], h, BLOCK) + _linear(w3[:, HIDDEN:], taps, BLOCK)
        bits: Tensor = _Laplace.apply(latents, out[:, 0], out[:, 1], self.mask)  # type: ignore[no-untyped-call]
        return bits


class _Table:
    """A lookup whose adjoint is a lookup too: see _Lookup."""

    def __init__(self, index: NDArray[np.int64], backs: list[NDArray[np.int64]], send: Any) -> None:
        self._index, self._backs = send(index), [send(back) for back in backs]

    def __call__(self, values: Tensor) -> Tensor:
        found: Tensor = _Lookup.apply(values.flatten(), self._index, *self._backs)  # type: ignore[no-untyped-call]
        return found


class _Lookup(torch.autograd.Function):
    """The entries `index` of (values, 1, 0). backs: for each part of the values in turn (readers, size of the part),
    which of the results read each of them, or their number where none does."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, index: Tensor, *backs: Tensor) -> Tensor:
        ctx.backs = backs
        return torch.take(torch.cat([values, values.new_ones(1), values.new_zeros(1)]), index)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        extended = torch.cat([slopes.flatten(), slopes.new_zeros(1)])
        found = [torch.take(extended, back).sum(0) for back in ctx.backs]
        return torch.cat(found), *([None] * (1 + len(found)))


class _Linear(torch.autograd.Function):
    """w (n, i, o), x (n, i, N) -> w^T x (n, o, N)."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, x: Tensor, piece: int) -> Tensor:
        ctx.save_for_backward(w, x)
        ctx.piece = piece
        return w.transpose(1, 2) @ x

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        w, x = ctx.saved_tensors
        return torch.stack([_outer(*pair, ctx.piece) for pair in zip(x, slopes, strict=True)]), w @ slopes, None


def _linear(w: Tensor, x: Tensor, piece: int) -> Tensor:
    found: Tensor = _Linear.apply(w, x, piece)  # type: ignore[no-untyped-call]
    return found


def _outer(a: Tensor, b: Tensor, piece: int) -> Tensor:
    """a (m, N), b (n, N) -> a b^T (m, n), in pieces of so many of N, which they divide: a long sum to few results would
    leave most of a GPU idle, and be less exact."""
    cut = [values.reshape(len(values), -1, piece).transpose(0, 1) for values in (a, b)]
    return (cut[0] @ cut[1].transpose(1, 2)).sum(0)


class _Fourier(torch.autograd.Function):
    """x (m, N) -> sum over k of a_k cos(2 pi k.x) + b_k sin(2 pi k.x), (outputs, N); w (R, outputs), its rows 2k and
    2k + 1 a_k and b_k; frequencies (K, m)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, frequencies: Tensor, piece: int) -> Tensor:
        angle = (2 * math.pi) * (frequencies @ x)
        cosines, sines = angle.cos(), angle.sin()
        ctx.save_for_backward(cosines, sines, w, frequencies)
        ctx.piece = piece
        a, b = _of_features(w, len(frequencies))
        return torch.addmm(a.T @ cosines, b.T, sines)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        cosines, sines, w, frequencies = ctx.saved_tensors
        a, b = _of_features(w, len(frequencies))
        by_angle = torch.addcmul(cosines * (b @ slopes), sines, a @ slopes, value=-1)
        by_w = torch.zeros_like(w)
        for part, features in zip(_of_features(by_w, len(frequencies)), (cosines, sines), strict=True):
            part.copy_(_outer(features, slopes, ctx.piece))
        return (2 * math.pi) * (frequencies.T @ by_angle), by_w, None, None


def _fourier(x: Tensor, w: Tensor, frequencies: Tensor, piece: int) -> Tensor:
    found: Tensor = _Fourier.apply(x, w, frequencies, piece)  # type: ignore[no-untyped-call]
    return found


def _of_features(w: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Views of the rows of cosines and of sines."""
    return w[0 : 2 * count : 2], w[1 : 2 * count : 2]


class _Laplace(torch.autograd.Function):
    """kernels/context.py's _laplace: bits of y under Laplace(mean, 2^log_scale) where mask is 1."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, mean: Tensor, log_scale: Tensor, mask: Tensor) -> Tensor:
        a = torch.exp2(-log_scale.clamp(LOG_SCALE_MIN, LOG_SCALE_MAX))  # 1 / scale
        h = torch.exp(-0.5 * a)
        d = y - mean
        u = d.abs()
        inside = u < 0.5
        # outside the bin: p = e^(-a (u - 1/2)) (1 - h^2) / 2
        rest = -torch.expm1(-a)
        far, far_a = a * (u - 0.5) - torch.log(0.5 * rest), (u - 0.5) - h * h / rest
        # inside: p = 1 - h cosh(a u)
        near = u.clamp(max=0.5)
        cosh, sinh = torch.cosh(a * near), torch.sinh(a * near)
        p = 1 - h * cosh
        near_a = -(0.5 * h * cosh - h * near * sinh) / p
        scale = mask / math.log(2)
        by_y = torch.where(inside, h * a * sinh / p, a) * torch.where(d >= 0, scale, -scale)
        by_log = torch.where(inside, near_a, far_a) * (-a * mask)
        # beyond the clamp only slopes that lead back are let through
        blocked = (log_scale < LOG_SCALE_MIN) & (by_log > 0) | (log_scale > LOG_SCALE_MAX) & (by_log < 0)
        ctx.save_for_backward(by_y, by_log.masked_fill(blocked, 0))
        return torch.where(inside, -torch.log(p), far) * scale

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        by_y, by_log = ctx.saved_tensors
        by_y = slopes * by_y
        return by_y, -by_y, slopes * by_log, None


def _along_both(taps: Tensor, matrices: list[Tensor], planes: Tensor) -> Tensor:
    """A separable filter: planes (..., h, w); matrices (4, rows, h) and (4, columns, w), what each tap does."""
    down, across = ((taps[:, None, None] * matrix).sum(0) for matrix in matrices)
    return down @ planes @ across.T


def _doubling(fine: int, coarse: int) -> Floats:
    """(4, fine, coarse): what each tap of upsampling adds, see kernels/upsampling.py."""
    at = np.arange(fine)
    found = np.zeros((4, fine, coarse), np.float32)
    for tap in range(4):
        source = at // 2 + np.where(at % 2 == 0, tap - PAD, PAD - tap)
        np.add.at(found[tap], (at, source.clip(0, coarse - 1)), 1)
    return found


def _smoothing(side: int) -> Floats:
    """(4, side, side): what each tap of smoothing adds, see kernels/smoothing.py."""
    at = np.arange(side)
    found = np.zeros((4, side, side), np.float32)
    for shift in range(-SMOOTHING_REACH, SMOOTHING_REACH + 1):
        np.add.at(found[SMOOTHING_REACH - abs(shift)], (at, (at + shift).clip(0, side - 1)), 1)
    return found


def _slab_of(rows: int, columns: int) -> int:
    """Positions of whole rows, about _SLAB of them."""
    return max(1, min(rows, _SLAB // columns)) * columns


_Tables = tuple[NDArray[np.int64], list[NDArray[np.int64]]]


def _tables(pyramid: Pyramid) -> tuple[_Tables, _Tables, _Tables]:
    """Lookups and their adjoints: planes (PASSES, total) -> all levels' plain latents; those -> the planes of parents
    and grandparents (2, total); planes (PLANES, total) -> taps (PASSES, TAPS, total)."""
    total, levels = pyramid.total, pyramid.levels
    ends = np.cumsum([0] + [level.rows * level.columns for level in levels])
    numbers = [
        np.arange(start, stop).reshape(level.rows, level.columns)
        for start, stop, level in zip(ends[:-1], ends[1:], levels, strict=True)
    ]
    none = int(ends[-1])

    plain = np.zeros(none, np.int64)
    unplain = np.full((1, PASSES * total), none)
    coarser = np.full((PLANES - PASSES, total), none + 1)  # 0 where there is no such level
    readers = np.full((4 + 1, none), coarser.size)  # the only parent, and four of which one is a grandparent
    positions = np.arange(PASSES * total).reshape(PASSES, total)
    for number, level in enumerate(levels):
        for p in range(PASSES):
            at = pyramid.view(positions[p], level)
            own = numbers[number][PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2]
            plain[own], unplain[0, at] = at, own
        for plane, up in ((PARENT, 1), (GRANDPARENT, 2)):
            if number + up >= len(levels):
                continue
            shift = up - 1
            rows, columns = np.arange(level.half_rows) >> shift, np.arange(level.half_columns) >> shift
            seen = numbers[number + up][rows[:, None], columns]
            pyramid.view(coarser[plane - PASSES], level)[:] = seen
            at = pyramid.view((plane - PASSES) * total + np.arange(total), level)
            child = np.arange(level.half_rows)[:, None] % (1 << shift) * 2 + np.arange(level.half_columns) % (
                1 << shift
            )
            readers[(1 + child if shift else child), seen] = at

    taps = np.full((PASSES, TAPS, total), PLANES * total + 1)
    taps[:, 0] = PLANES * total
    untaps: list[list[NDArray[np.int64]]] = [[] for _ in range(PLANES)]
    everywhere = np.arange(total)
    planes_of = taps_of(levels[0])[0]
    for p, tap in zip(*np.nonzero(planes_of >= 0), strict=True):
        plane = int(planes_of[p, tap])
        back = np.full(total, taps.size)
        for level in levels:
            offset = int(taps_of(level)[1][p, tap])
            at = everywhere[level.base : level.end]
            taps[p, tap, at] = plane * total + at + offset
            back[at] = (p * TAPS + tap) * total + at - offset
        untaps[plane].append(back)
    return (
        (plain, [unplain]),
        (coarser.ravel(), [readers]),
        (taps.ravel(), [np.stack(back) if back else np.full((1, total), taps.size) for back in untaps]),
    )
