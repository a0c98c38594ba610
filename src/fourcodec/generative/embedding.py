"""Latents of given images, fitted by gradient to a decoder that stays as it is."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.generative.core import ModelCore
from fourcodec.generative.sheets import to_bytes

STEPS = 200
_RATE = 0.1  # of the latents' root mean square
_BETAS = (0.9, 0.99)
_CANDIDATES = 4096  # decoded training latents that a fit may start from
_AT_ONCE = 256  # images


def fit_latents(core: ModelCore, images: NDArray[np.uint8], start: Floats, steps: int) -> Floats:
    """(B, L) for images (B, H, W, C) uint8, starting from `start` (B, L): minimises what training minimises."""
    scale = float(np.sqrt(np.square(start).mean())) or 1.0
    for parameter in core.decoder.parameters():
        parameter.requires_grad_(False)
    parts = range(0, len(images), _AT_ONCE)
    found = [_fit(core, images[at : at + _AT_ONCE], start[at : at + _AT_ONCE], steps, scale) for at in parts]
    return np.concatenate(found)


def nearest_latents(core: ModelCore, images: NDArray[np.uint8], latents: Floats, seed: int) -> Floats:
    """Of latents (N, L), for each image the one whose decoded image is nearest, among a sample of them."""
    chosen = np.random.default_rng(seed).permutation(len(latents))[:_CANDIDATES]
    candidates = core.pixels(to_bytes(core.decode(latents[chosen]))).flatten(1).float()
    nearest = [
        torch.cdist(core.pixels(images[at : at + _AT_ONCE]).flatten(1).float(), candidates).argmin(1).cpu().numpy()
        for at in range(0, len(images), _AT_ONCE)
    ]
    return latents[chosen[np.concatenate(nearest)]]


def _fit(core: ModelCore, images: NDArray[np.uint8], start: Floats, steps: int, scale: float) -> Floats:
    wanted, penalty = core.pixels(images), core.config.latents.penalty
    z = torch.from_numpy(np.ascontiguousarray(start)).to(core.device).requires_grad_()
    optimiser = torch.optim.Adam([z], betas=_BETAS)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * scale * (1 + math.cos(math.pi * step / steps)) / 2
        loss = core.fourier.squared_errors(core.decoder(z), wanted).sum() + penalty * z.square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return z.detach().cpu().numpy()
