"""The grid profile's network in plain torch, op by op: what the kernels are tested and timed against."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from fourcodec.coding import distributions
from fourcodec.grid.kernels import layout
from fourcodec.grid.kernels.layout import HIDDEN, PASS_COLUMN, PASS_ROW, PASSES, TAPS
from fourcodec.grid.pyramid import OWN_TAPS, PARENT_TAPS

REACH = 2  # cells that a tap lies off its position at most


def upsample(x: Tensor, taps: Tensor, rows: int, columns: int) -> Tensor:
    """x (n, h, w) -> (n, rows, columns)."""
    a0, a1, a2, a3 = taps
    for axis in (1, 2):
        pad = (0, 0, 2, 2) if axis == 1 else (2, 2, 0, 0)
        padded = F.pad(x[None], pad, mode="replicate")[0]
        v = [padded.narrow(axis, k, x.shape[axis]) for k in range(5)]
        even = a0 * v[0] + a1 * v[1] + a2 * v[2] + a3 * v[3]
        odd = a3 * v[1] + a2 * v[2] + a1 * v[3] + a0 * v[4]
        x = torch.stack([even, odd], axis + 1).flatten(axis, axis + 1)
    return x[:, :rows, :columns]


def smooth(x: Tensor, taps: Tensor) -> Tensor:
    """x (h, w) -> (h, w)."""
    for axis in (0, 1):
        padded = F.pad(x[None, None], (0, 0, 3, 3) if axis == 0 else (3, 3, 0, 0), mode="replicate")[0, 0]
        x = torch.stack([taps[3 - abs(d)] * padded.narrow(axis, 3 + d, x.shape[axis]) for d in range(-3, 4)]).sum(0)
    return x


def features_of(levels: Sequence[Tensor], filters: Tensor, smoothing: Tensor) -> Tensor:
    """levels: plain latents, finest first -> (levels, rows, columns)."""
    if len(smoothing):
        levels = [smooth(level, taps) for level, taps in zip(levels, smoothing, strict=True)]
    x = levels[-1][None]
    for number in range(len(levels) - 2, -1, -1):
        rows, columns = levels[number].shape
        x = torch.cat([levels[number][None], upsample(x, filters[number], rows, columns)])
    return x


def fourier_rows(x: Tensor, order: int) -> Tensor:
    """x (m, N) -> cos and sin rows in the kernels' order, (2K, N)."""
    rows = []
    for count in range(order + 1):
        for chosen in itertools.combinations(range(len(x)), count):
            angle = 2 * math.pi * x[list(chosen)].sum(0) if chosen else torch.zeros_like(x[0])
            rows += [angle.cos(), angle.sin()]
    return torch.stack(rows)


def colours_of(
    features: Tensor, first: Tensor, last: Tensor, kernel: Tensor, scale: float, order: int, size: tuple[int, int]
) -> Tensor:
    """(channels, height, width)."""
    x = features.flatten(1)
    h = scale * x
    f = fourier_rows(h, order)
    h = h + first[: len(f)].T @ f
    f = fourier_rows(h, order)
    y = last[: len(f)].T @ f + last[len(first) : len(first) + len(x)].T @ x
    y = y.reshape(-1, *features.shape[1:])[:, : size[0], : size[1]]
    return y + F.conv2d(F.pad(y[None], (1, 1, 1, 1), mode="replicate"), kernel)[0]


def laplace_bits(y: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    scale = 2 ** log_scale.clamp(distributions.LOG_SCALE_MIN, distributions.LOG_SCALE_MAX)
    u = (y - mean).abs()
    far = (u - 0.5) / scale / math.log(2) - torch.log2(0.5 * -torch.expm1(-1 / scale))
    near = -torch.log2(1 - torch.exp(-0.5 / scale) * torch.cosh(u.clamp(max=0.5) / scale))
    return torch.where(u < 0.5, near, far)


def distribution_of(taps: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Means and log2 scales (N,) from taps (TAPS, N) and the weights (PASS_WEIGHTS,) of one pass."""
    w1 = weights[layout.W1 : layout.W2].reshape(TAPS, HIDDEN)
    w2 = weights[layout.W2 : layout.B2].reshape(HIDDEN, HIDDEN)
    w3 = weights[layout.W3 :].reshape(HIDDEN + TAPS, 2)
    h = F.relu(w1.T @ taps)
    h = F.relu(w2.T @ h + weights[layout.B2 : layout.W3, None])
    mean, log_scale = w3.T @ torch.cat([h, taps])
    return mean, log_scale


def taps_of(levels: Sequence[Tensor], number: int, p: int) -> Tensor:
    """What pass p of a level sees, (TAPS, positions)."""
    level = levels[number]
    half = (level.shape[0] // 2, level.shape[1] // 2)
    coarser = [torch.zeros(half, dtype=level.dtype)] * 2
    for k in range(2):
        if number + 1 + k < len(levels):
            large = levels[number + 1 + k].repeat_interleave(2**k, 0).repeat_interleave(2**k, 1)
            coarser[k] = large[: half[0], : half[1]]

    def shifted(plane: Tensor, down: int, right: int) -> Tensor:
        padded = F.pad(plane, (REACH, REACH, REACH, REACH))
        return padded[REACH + down :, REACH + right :][: half[0], : half[1]].flatten()

    rows = [torch.ones(half, dtype=level.dtype).flatten()]
    rows += [shifted(coarser[0], down, right) for down, right in PARENT_TAPS[p]] + [coarser[1].flatten()]
    for dy, dx in OWN_TAPS[p]:
        y, x = PASS_ROW[p] + dy, PASS_COLUMN[p] + dx
        row, column = y % 2, x % 2
        rows.append(shifted(level[row::2, column::2], y // 2, x // 2))
    rows += [torch.zeros_like(rows[0])] * (TAPS - len(rows))
    return torch.stack(rows)


def bits_of(levels: Sequence[Tensor], weights: Tensor) -> Tensor:
    """(levels, passes) bits; weights (passes, PASS_WEIGHTS)."""
    table = []
    for number, level in enumerate(levels):
        for p in range(PASSES):
            y = level[PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2].flatten()
            table.append(laplace_bits(y, *distribution_of(taps_of(levels, number, p), weights[p])).sum())
    return torch.stack(table).reshape(len(levels), PASSES)
