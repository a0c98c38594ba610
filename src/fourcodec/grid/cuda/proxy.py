"""Soft rounding with noise and Adam's update of grid/kernels/latents.py in plain torch, for CUDA: the same formulas on
whole planes (4, total), and the same noise."""

from __future__ import annotations

import torch
from torch import Tensor

_LOW = 0xFFFFFFFF  # the low 32 bits of an int64 product are those of the uint32 product


def perturb(latents: Tensor, mask: Tensor, proxy: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """The noisy latents and their derivatives by the latents, both (4, total) float32.

    mask: (total,). proxy: (2,), temperature and deviation. keys: (4, 2) int64, from `noise_keys` of
    grid/kernels/latents.py.
    """
    temperature, deviation = proxy
    inverse = 1 / temperature
    scale = 0.5 / torch.tanh(0.5 * inverse)
    steep = scale * inverse

    def rounded(t: Tensor) -> tuple[Tensor, Tensor]:
        centre = t.floor() + 0.5
        r = torch.tanh((t - centre) * inverse)
        return centre + scale * r, steep * (1 - r * r)

    once, derivative = rounded(latents)
    twice, again = rounded(once + _noise(latents.shape[1], keys) * (deviation / 147.8))
    return twice * mask, derivative * again * mask


def _noise(total: int, keys: Tensor) -> Tensor:
    """The sum of four uniform bytes less its mean, (4, total) float32."""
    before, after = keys[:, :1], keys[:, 1:]
    z = torch.arange(total, device=keys.device) * 0x9E3779B1 + before & _LOW
    z = (z ^ z >> 16) * 0x85EBCA6B + after & _LOW
    z = (z ^ z >> 13) * 0xC2B2AE35 & _LOW
    z = z ^ z >> 16
    return ((z & 255) + (z >> 8 & 255) + (z >> 16 & 255) + (z >> 24)).float() - 510


def adam(
    latents: Tensor, first: Tensor, second: Tensor, gradients: Tensor, proxy_derivative: Tensor, rates: Tensor
) -> None:
    """One update of latents and moments, in place. rates: (4,), rate, floor, momentum and decay."""
    rate, floor, momentum, decay = rates
    d = gradients * proxy_derivative
    first.mul_(momentum).add_(d * (1 - momentum))
    second.mul_(decay).add_(d * d * (1 - decay))
    latents.sub_(rate * first / (second.sqrt() + floor))
