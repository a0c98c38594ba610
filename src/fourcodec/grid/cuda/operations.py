"""The operations of the grid's network in torch, with explicit gradients.

The gradients that autograd derives take many small operations, and let many threads add to one place in any order. Here
such a sum is a lookup in the other direction, so equal arguments give equal results.
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
    """A lookup whose adjoint is also a lookup, see _Lookup. send: copies an array to the device."""

    def __init__(self, index: NDArray[np.int64], backs: list[NDArray[np.int64]], send: Any) -> None:
        self._index, self._backs = send(index), [send(back) for back in backs]

    def __call__(self, values: Tensor) -> Tensor:
        found: Tensor = _Lookup.apply(values.flatten(), self._index, *self._backs)  # type: ignore[no-untyped-call]
        return found


class _Lookup(torch.autograd.Function):
    """The entries `index` of the vector (values, 1, 0).

    backs: for each part of the values in turn, (readers, size of the part): the results that read each value, padded
    with the number of results.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, index: Tensor, *backs: Tensor) -> Tensor:
        ctx.backs = backs
        return torch.take(torch.cat([values, values.new_ones(1), values.new_zeros(1)]), index)

    @staticmethod
    def backward(ctx: Any, gradient_out: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        extended = torch.cat([gradient_out.flatten(), gradient_out.new_zeros(1)])
        found = [torch.take(extended, back).sum(0) for back in ctx.backs]
        return torch.cat(found), *([None] * (1 + len(found)))


class _Linear(torch.autograd.Function):
    """w^T x (n, o, N) for w (n, i, o) and x (n, i, N); `piece` is that of _outer."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, x: Tensor, piece: int) -> Tensor:
        ctx.save_for_backward(w, x)
        ctx.piece = piece
        return w.transpose(1, 2) @ x

    @staticmethod
    def backward(ctx: Any, gradient_out: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        w, x = ctx.saved_tensors
        return (
            torch.stack([_outer(*pair, ctx.piece) for pair in zip(x, gradient_out, strict=True)]),
            w @ gradient_out,
            None,
        )


def linear(w: Tensor, x: Tensor, piece: int) -> Tensor:
    """n linear maps: w^T x (n, o, N) for w (n, i, o) and x (n, i, N). `piece` divides N."""
    found: Tensor = _Linear.apply(w, x, piece)  # type: ignore[no-untyped-call]
    return found


def _outer(a: Tensor, b: Tensor, piece: int) -> Tensor:
    """a b^T (m, n) for a (m, N) and b (n, N), summed in pieces of `piece`, which divides N: one long sum to few results
    would leave most of a GPU idle, and be less exact."""
    cut = [values.reshape(len(values), -1, piece).transpose(0, 1) for values in (a, b)]
    return (cut[0] @ cut[1].transpose(1, 2)).sum(0)


class _Fourier(torch.autograd.Function):
    """The layer of `fourier`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, frequencies: Tensor, piece: int) -> Tensor:
        angle = (2 * math.pi) * (frequencies @ x)
        cosines, sines = angle.cos(), angle.sin()
        ctx.save_for_backward(cosines, sines, w, frequencies)
        ctx.piece = piece
        a, b = _of_features(w, len(frequencies))
        return torch.addmm(a.T @ cosines, b.T, sines)

    @staticmethod
    def backward(ctx: Any, gradient_out: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        cosines, sines, w, frequencies = ctx.saved_tensors
        a, b = _of_features(w, len(frequencies))
        by_angle = torch.addcmul(cosines * (b @ gradient_out), sines, a @ gradient_out, value=-1)
        by_w = torch.zeros_like(w)
        for part, features in zip(_of_features(by_w, len(frequencies)), (cosines, sines), strict=True):
            part.copy_(_outer(features, gradient_out, ctx.piece))
        return (2 * math.pi) * (frequencies.T @ by_angle), by_w, None, None


def fourier(x: Tensor, w: Tensor, frequencies: Tensor, piece: int) -> Tensor:
    """The Fourier layer without residual: sum over k of a_k cos(2 pi k.x) + b_k sin(2 pi k.x), (outputs, N).

    x: (m, N). w: (R, outputs), rows 2k and 2k + 1 are a_k and b_k. frequencies: (K, m). `piece` divides N.
    """
    found: Tensor = _Fourier.apply(x, w, frequencies, piece)  # type: ignore[no-untyped-call]
    return found


def _of_features(w: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Views of the rows of w for cosines and for sines."""
    return w[0 : 2 * count : 2], w[1 : 2 * count : 2]


class _Laplace(torch.autograd.Function):
    """The same formulas as _laplace in grid/kernels/entropy_model.py."""

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
        # Where log_scale is clamped, only gradients that lead back into its range pass.
        blocked = (log_scale < LOG_SCALE_MIN) & (by_log > 0) | (log_scale > LOG_SCALE_MAX) & (by_log < 0)
        ctx.save_for_backward(by_y, by_log.masked_fill(blocked, 0))
        return torch.where(inside, -torch.log(p), far) * scale

    @staticmethod
    def backward(ctx: Any, gradient_out: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        by_y, by_log = ctx.saved_tensors
        by_y = gradient_out * by_y
        return by_y, -by_y, gradient_out * by_log, None


def laplace_bits(y: Tensor, mean: Tensor, log_scale: Tensor, mask: Tensor) -> Tensor:
    """-log2 of the mass of Laplace(mean, 2^log_scale) between y - 1/2 and y + 1/2, 0 where mask is 0;
    differentiable."""
    found: Tensor = _Laplace.apply(y, mean, log_scale, mask)  # type: ignore[no-untyped-call]
    return found


def along_both(taps: Tensor, matrices: list[Tensor], planes: Tensor) -> Tensor:
    """A separable filter with 4 taps on planes (..., h, w): (..., rows, columns). matrices: (4, rows, h) and (4,
    columns, w), the linear map of each tap down and across."""
    down, across = ((taps[:, None, None] * matrix).sum(0) for matrix in matrices)
    return down @ planes @ across.T
