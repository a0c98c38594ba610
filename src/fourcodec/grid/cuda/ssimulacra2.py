"""The loss of grid/ssimulacra2.py in torch: the same formulas, differentiated by autograd.

Local means are products with matrices, whose gradients add in a fixed order (grid/cuda/operations.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fourcodec.arrays import Floats
from fourcodec.grid.kernels.ssimulacra2 import BIAS, REACH, RED_GREEN, RESPONSES, STABLE, TONES, WINDOW
from fourcodec.grid.ssimulacra2 import LEAST_MEAN, TERMS, Term, scales_of, starts_of


class TorchSsimulacra2:
    """The loss of copies of pictures of one size, which have so many scales."""

    def __init__(self, height: int, width: int, send: Callable[[Floats], Tensor]) -> None:
        self._responses = send(np.array(RESPONSES, np.float32))
        self._windows: dict[int, Tensor] = {}
        self.scales = scales_of(height, width)
        sides = {height, width}
        for _ in range(self.scales):
            sides = {-(-(side + start) // 2) for side in sides for start in (0, 1)}
            self._windows.update({side: send(_window(side)) for side in sides})

    def loss(self, original: Tensor, copy: Tensor, phase: int = 0) -> Tensor:
        """The loss of `copy`, (1 or 3, H, W) like `original`, at one phase, a scalar."""
        lights = [_light(planes) for planes in (original, copy)]
        total = copy.new_zeros(())
        for terms, start in zip(TERMS[: self.scales], starts_of(phase), strict=False):
            lights = [_halved(light, *start) for light in lights]
            windows = self._windows[lights[0].shape[1]], self._windows[lights[0].shape[2]]
            first, second = (self._xyb(light) for light in lights)
            for channel, term in terms.items():
                total = total + _term(first[channel], second[channel], term, windows)
        return total

    def _xyb(self, light: Tensor) -> Tensor:
        cones = torch.einsum("cd,dhw->chw", self._responses, light.expand(3, -1, -1)) + BIAS
        long, middle, short = cones.pow(1 / 3) - BIAS ** (1 / 3)
        y = (long + middle) / 2
        return torch.stack([RED_GREEN * (long - middle) / 2 + 0.42, y + 0.01, short - y + 0.55])


def _term(original: Tensor, copy: Tensor, term: Term, windows: tuple[Tensor, Tensor]) -> Tensor:
    """The weighted losses of one channel at one scale."""
    rows, columns = windows
    planes = torch.stack([original, copy, original * original, copy * copy, original * copy])
    m1, m2, s11, s22, s12 = rows @ planes @ columns.T
    ratio = (2 * (s12 - m1 * m2) + STABLE) / ((s11 - m1 * m1) + (s22 - m2 * m2) + STABLE)
    d = (1 - (1 - (m1 - m2).square()) * ratio).clamp(min=0)
    edge = (1 + (copy - m2).abs()) / (1 + (original - m1).abs()) - 1
    total = term.linear * d.mean()
    for weight, some in ((term.fourth, d), (term.added, edge.clamp(min=0)), (term.lost, edge.clamp(max=0))):
        if weight:
            total = total + weight * some.pow(4).mean().clamp(min=LEAST_MEAN).pow(0.25)
    return total


def _light(samples: Tensor) -> Tensor:
    """The linear light of sRGB samples; those outside [0, 1] count as its ends."""
    x = samples.clamp(0, 1)
    light = torch.full_like(x, TONES[-1])
    for tone in TONES[-2::-1]:
        light = light * x + tone
    return light


def _halved(light: Tensor, down: int, across: int) -> Tensor:
    """Means of 2 x 2, at the edges of the samples that are there."""
    for axis, start in ((1, down), (2, across)):
        if start:
            light = torch.cat([light.narrow(axis, 0, 1), light], axis)
    return F.avg_pool2d(light[None], 2, ceil_mode=True, count_include_pad=False)[0]


def _window(side: int) -> Floats:
    """The local means along an axis as a matrix (side, side), mirrored at its ends."""
    found = np.zeros((side, side), np.float32)
    at = np.arange(side)
    for shift in range(-REACH, REACH + 1):
        source = (at + shift) % (2 * side)
        np.add.at(found, (at, np.minimum(source, 2 * side - 1 - source)), WINDOW[abs(shift)])
    return found
