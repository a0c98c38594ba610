"""What the grid's network in torch is made of, with the gradients written out.

Autograd's own would take many small steps, and let many threads add to one place in any order: here such sums are
lookups the other way round, and equal arguments give equal results.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fourcodec.coding.distributions import LOG_SCALE_MAX, LOG_SCALE_MIN


class Table:
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


def linear(w: Tensor, x: Tensor, piece: int) -> Tensor:
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


def fourier(x: Tensor, w: Tensor, frequencies: Tensor, piece: int) -> Tensor:
    found: Tensor = _Fourier.apply(x, w, frequencies, piece)  # type: ignore[no-untyped-call]
    return found


def _of_features(w: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Views of the rows of cosines and of sines."""
    return w[0 : 2 * count : 2], w[1 : 2 * count : 2]


class _Laplace(torch.autograd.Function):
    """grid/kernels/entropy_model.py's _laplace: bits of y under Laplace(mean, 2^log_scale) where mask is 1."""

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


def laplace_bits(y: Tensor, mean: Tensor, log_scale: Tensor, mask: Tensor) -> Tensor:
    """What _Laplace says."""
    found: Tensor = _Laplace.apply(y, mean, log_scale, mask)  # type: ignore[no-untyped-call]
    return found


def along_both(taps: Tensor, matrices: list[Tensor], planes: Tensor) -> Tensor:
    """A separable filter: planes (..., h, w); matrices (4, rows, h) and (4, columns, w), what each tap does."""
    down, across = ((taps[:, None, None] * matrix).sum(0) for matrix in matrices)
    return down @ planes @ across.T
