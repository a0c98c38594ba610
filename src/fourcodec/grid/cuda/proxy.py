"""The quantisation proxy and the optimiser's step of grid/kernels/latents.py in plain torch, for CUDA: the same
formulas on whole planes (4, total) and the same noise."""

from __future__ import annotations

import torch
from torch import Tensor

_LOW = 0xFFFFFFFF  # int64 wraps where uint32 would: the low 32 bits are the same


def perturb(latents: Tensor, mask: Tensor, proxy: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """The noisy latents and their derivatives by latents, float32; mask (total,); proxy (2,): temperature and
    deviation; keys (4, 2) int64: see `noise_keys` of grid/kernels/latents.py."""
    temperature, deviation = proxy
    inverse = 1 / temperature
    scale = 0.5 / torch.tanh(0.5 * inverse)
    steep = scale * inverse

    def rounded(t: Tensor) -> tuple[Tensor, Tensor]:
        centre = t.floor() + 0.5
        r = torch.tanh((t - centre) * inverse)
        return centre + scale * r, steep * (1 - r * r)

    once, slope = rounded(latents)
    twice, again = rounded(once + _noise(latents.shape[1], keys) * (deviation / 147.8))
    return twice * mask, slope * again * mask


def _noise(total: int, keys: Tensor) -> Tensor:
    """(4, total) float32: the sum of four uniform bytes less its mean."""
    before, after = keys[:, :1], keys[:, 1:]
    z = torch.arange(total, device=keys.device) * 0x9E3779B1 + before & _LOW
    z = (z ^ z >> 16) * 0x85EBCA6B + after & _LOW
    z = (z ^ z >> 13) * 0xC2B2AE35 & _LOW
    z = z ^ z >> 16
    return ((z & 255) + (z >> 8 & 255) + (z >> 16 & 255) + (z >> 24)).float() - 510


def adam(latents: Tensor, first: Tensor, second: Tensor, slopes: Tensor, chain: Tensor, rates: Tensor) -> None:
    """One step, in place; rates (4,): rate, floor, momentum, decay."""
    rate, floor, momentum, decay = rates
    d = slopes * chain
    first.mul_(momentum).add_(d * (1 - momentum))
    second.mul_(decay).add_(d * d * (1 - decay))
    latents.sub_(rate * first / (second.sqrt() + floor))
