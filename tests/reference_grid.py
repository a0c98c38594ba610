"""The grid profile's network in plain torch, op by op: what the kernels are tested and timed against."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F

from fourcodec.kernels import context
from fourcodec.kernels.latents import PASS_COLUMN, PASS_ROW
from fourcodec.networks.pyramid import OWN_TAPS, PARENT_TAPS


def upsample(x, taps, rows, columns):
    """x (n, h, w) -> (n, rows, columns)."""
    a0, a1, a2, a3 = taps
    for axis in (1, 2):
        pad = (0, 0, 2, 2) if axis == 1 else (2, 2, 0, 0)
        p = F.pad(x[None], pad, mode="replicate")[0]
        n = x.shape[axis]
        v = [p.narrow(axis, k, n) for k in range(5)]
        even = a0 * v[0] + a1 * v[1] + a2 * v[2] + a3 * v[3]
        odd = a3 * v[1] + a2 * v[2] + a1 * v[3] + a0 * v[4]
        x = torch.stack([even, odd], axis + 1).flatten(axis, axis + 1)
    return x[:, :rows, :columns]


def features_of(levels, filters):
    """levels: plain latents, finest first -> (levels, rows, columns)."""
    x = levels[-1][None]
    for number in range(len(levels) - 2, -1, -1):
        x = torch.cat([levels[number][None], upsample(x, filters[number], *levels[number].shape)])
    return x


def fourier_rows(x, order):
    """x (m, N) -> cos and sin rows in the kernels' order, (2K, N)."""
    rows = []
    for count in range(order + 1):
        for chosen in itertools.combinations(range(len(x)), count):
            angle = 2 * math.pi * x[list(chosen)].sum(0) if chosen else torch.zeros_like(x[0])
            rows += [angle.cos(), angle.sin()]
    return torch.stack(rows)


def colours_of(features, first, last, kernel, scale, order, size):
    """(channels, height, width)."""
    x = features.flatten(1)
    h = scale * x
    f = fourier_rows(h, order)
    h = h + first[: len(f)].T @ f
    f = fourier_rows(h, order)
    y = last[: len(f)].T @ f + last[len(first) : len(first) + len(x)].T @ x
    y = y.reshape(-1, *features.shape[1:])[:, : size[0], : size[1]]
    return y + F.conv2d(F.pad(y[None], (1, 1, 1, 1), mode="replicate"), kernel)[0]


def laplace_bits(y, mean, log_scale):
    scale = 2 ** log_scale.clamp(context.LOG_SCALE_MIN, context.LOG_SCALE_MAX)
    u = (y - mean).abs()
    far = (u - 0.5) / scale / math.log(2) - torch.log2(0.5 * -torch.expm1(-1 / scale))
    near = -torch.log2(1 - torch.exp(-0.5 / scale) * torch.cosh(u.clamp(max=0.5) / scale))
    return torch.where(u < 0.5, near, far)


def bits_of(levels, weights):
    """(levels, passes) bits; weights (passes, PASS_WEIGHTS)."""
    table, size, hidden, taps = [], 0, context.HIDDEN, context.TAPS
    for number, level in enumerate(levels):
        half = (level.shape[0] // 2, level.shape[1] // 2)
        sub = [level[PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2] for p in range(4)]
        coarse = [torch.zeros(half)] * 2
        for k in range(2):
            if number + 1 + k < len(levels):
                big = levels[number + 1 + k].repeat_interleave(2**k, 0).repeat_interleave(2**k, 1)
                coarse[k] = big[: half[0], : half[1]]

        def shifted(plane, dr, dc, half=half):
            return F.pad(plane, (2, 2, 2, 2))[2 + dr : 2 + dr + half[0], 2 + dc : 2 + dc + half[1]].flatten()

        line = []
        for p in range(4):
            rows = [torch.ones(half).flatten()]
            rows += [shifted(coarse[0], dr, dc) for dr, dc in PARENT_TAPS[p]] + [coarse[1].flatten()]
            for dy, dx in OWN_TAPS[p]:
                y, x = PASS_ROW[p] + dy, PASS_COLUMN[p] + dx
                q = [(r, c) for r, c in zip(PASS_ROW, PASS_COLUMN, strict=True)].index((y % 2, x % 2))
                rows.append(shifted(sub[q], y // 2, x // 2))
            rows += [torch.zeros_like(rows[0])] * (taps - len(rows))
            t, w = torch.stack(rows), weights[p]
            w1 = w[context.W1 : context.W2].reshape(taps, hidden)
            w2 = w[context.W2 : context.B2].reshape(hidden, hidden)
            w3 = w[context.W3 :].reshape(hidden + taps, 2)
            h = F.relu(w1.T @ t)
            h = F.relu(w2.T @ h + w[context.B2 : context.W3, None])
            out = w3.T @ torch.cat([h, t])
            line.append(laplace_bits(sub[p].flatten(), out[0], out[1]).sum())
        table.append(torch.stack(line))
        size += 1
    return torch.stack(table)
