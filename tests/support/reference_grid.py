"""The grid profile's network in plain torch, op by op: what the kernels are tested and timed against."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from fourcodec.coding import distributions
from fourcodec.grid.kernels.layout import HIDDEN, PASS_COLUMN, PASS_ROW, PASSES
from fourcodec.grid.pyramid import OWN_TAPS, PARENT_TAPS

REACH = 2  # cells that a tap lies off its position at most
LEVELS_WITH_FEATURES, COARSER_LEVELS, FEATURES = 3, 7, 6  # the finest ones; coarser levels that a feature is a sum of


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


@dataclass
class EntropyModel:
    """The parameters of the entropy model in the order of the flat vector."""

    first: Tensor  # (PASSES, own taps, HIDDEN)
    second: Tensor  # (PASSES, HIDDEN, HIDDEN)
    bias: Tensor  # (PASSES, HIDDEN)
    last: Tensor  # (PASSES, HIDDEN + own taps, 2)
    maps: Tensor  # (levels with features, 1 + coarser levels, FEATURES)
    mixing: Tensor  # (FEATURES, HIDDEN + 2)


def entropy_model_of(vector: Tensor) -> EntropyModel:
    """The parts of a flat vector of parameters."""
    own = 2 + len(PARENT_TAPS[0]) + len(OWN_TAPS[0])  # with the constant and the grandparent
    sizes = [own * HIDDEN, HIDDEN * HIDDEN, HIDDEN, (HIDDEN + own) * 2]
    by_pass, rest = vector.split([PASSES * sum(sizes), len(vector) - PASSES * sum(sizes)])
    first, second, bias, last = by_pass.reshape(PASSES, -1).split(sizes, 1)
    mixing = FEATURES * (HIDDEN + 2)
    maps, mixed = rest.split([len(rest) - mixing, mixing])
    return EntropyModel(
        first.reshape(PASSES, own, HIDDEN),
        second.reshape(PASSES, HIDDEN, HIDDEN),
        bias,
        last.reshape(PASSES, HIDDEN + own, 2),
        maps.reshape(LEVELS_WITH_FEATURES, 1 + COARSER_LEVELS, FEATURES),
        mixed.reshape(FEATURES, HIDDEN + 2),
    )


def distribution_of(levels: Sequence[Tensor], number: int, p: int, model: EntropyModel) -> tuple[Tensor, Tensor]:
    """Means and log2 scales (positions,) that pass p of a level has."""
    taps = taps_of(levels, number, p)
    first, last = model.first[p].T @ taps, torch.zeros(2, 1)
    if number < LEVELS_WITH_FEATURES:
        features = model.maps[number].T @ colocated(levels, number)
        first = first + model.mixing[:, :HIDDEN].T @ features
        last = model.mixing[:, HIDDEN:].T @ features
    h = F.relu(model.second[p].T @ F.relu(first) + model.bias[p, :, None])
    mean, log_scale = model.last[p].T @ torch.cat([h, taps]) + last
    return mean, log_scale


def enlarged(levels: Sequence[Tensor], number: int, k: int) -> Tensor:
    """The k-th coarser level, k = 1, 2, ..., at the cells of level `number`: (half rows, half columns); 0 without."""
    level = levels[number]
    half = (level.shape[0] // 2, level.shape[1] // 2)
    if number + k >= len(levels):
        return torch.zeros(half, dtype=level.dtype)
    large = levels[number + k].repeat_interleave(2 ** (k - 1), 0).repeat_interleave(2 ** (k - 1), 1)
    return large[: half[0], : half[1]]


def colocated(levels: Sequence[Tensor], number: int) -> Tensor:
    """The constant 1 and the latents of all coarser levels at the same place, (1 + COARSER_LEVELS, positions)."""
    rows = [enlarged(levels, number, k).flatten() for k in range(1, COARSER_LEVELS + 1)]
    return torch.stack([torch.ones_like(rows[0]), *rows])


def taps_of(levels: Sequence[Tensor], number: int, p: int) -> Tensor:
    """What pass p of a level sees beside features, (own taps, positions)."""
    level = levels[number]
    parent, grandparent = enlarged(levels, number, 1), enlarged(levels, number, 2)
    half = parent.shape

    def shifted(plane: Tensor, down: int, right: int) -> Tensor:
        padded = F.pad(plane, (REACH, REACH, REACH, REACH))
        return padded[REACH + down :, REACH + right :][: half[0], : half[1]].flatten()

    rows = [torch.ones_like(parent).flatten()]
    rows += [shifted(parent, down, right) for down, right in PARENT_TAPS[p]] + [grandparent.flatten()]
    for dy, dx in OWN_TAPS[p]:
        y, x = PASS_ROW[p] + dy, PASS_COLUMN[p] + dx
        row, column = y % 2, x % 2
        rows.append(shifted(level[row::2, column::2], y // 2, x // 2))
    return torch.stack(rows)


def bits_of(levels: Sequence[Tensor], parameters: Tensor) -> Tensor:
    """(levels, passes) bits under the entropy model's flat vector of parameters."""
    table, model = [], entropy_model_of(parameters)
    for number, level in enumerate(levels):
        for p in range(PASSES):
            y = level[PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2].flatten()
            table.append(laplace_bits(y, *distribution_of(levels, number, p, model)).sum())
    return torch.stack(table).reshape(len(levels), PASSES)
