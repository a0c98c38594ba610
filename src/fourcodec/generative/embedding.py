"""Latents of given images, fitted by gradient descent with a fixed decoder.

The loss in `_fit` is that of `_descend` in training.py, without noise and without a perceptual distance: another change
of one is made in both.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.generative.core import ModelCore
from fourcodec.generative.sheets import to_bytes

ITERATIONS = 200
_RATE = 0.1  # learning rate, times the root mean square of the latents
_BETAS = (0.9, 0.99)
_CANDIDATES = 4096  # training latents that are decoded to find a start
_BATCH = 256  # images


def fit_latents(core: ModelCore, images: NDArray[np.uint8], start: Floats, iterations: int) -> Floats:
    """Latents (B, L) that minimise the training loss of images uint8 (B, H, W, C), starting from `start` (B, L)."""
    scale = float(np.sqrt(np.square(start).mean())) or 1.0
    for parameter in core.decoder.parameters():
        parameter.requires_grad_(False)
    parts = range(0, len(images), _BATCH)
    found = [_fit(core, images[at : at + _BATCH], start[at : at + _BATCH], iterations, scale) for at in parts]
    return np.concatenate(found)


def nearest_latents(core: ModelCore, images: NDArray[np.uint8], latents: Floats, seed: int) -> Floats:
    """For each image uint8 (B, H, W, C) the latent whose decoded image is nearest, (B, L).

    The search is among at most 4,096 of `latents` (N, L), chosen by `seed`.
    """
    chosen = np.random.default_rng(seed).permutation(len(latents))[:_CANDIDATES]
    candidates = core.pixels(to_bytes(core.decode(latents[chosen]))).flatten(1).float()
    nearest = [
        torch.cdist(core.pixels(images[at : at + _BATCH]).flatten(1).float(), candidates).argmin(1).cpu().numpy()
        for at in range(0, len(images), _BATCH)
    ]
    return latents[chosen[np.concatenate(nearest)]]


def _fit(core: ModelCore, images: NDArray[np.uint8], start: Floats, iterations: int, scale: float) -> Floats:
    wanted, penalty = core.pixels(images), core.config.latents.penalty
    z = torch.from_numpy(np.ascontiguousarray(start)).to(core.device).requires_grad_()
    optimiser = torch.optim.Adam([z], betas=_BETAS)
    for iteration in range(iterations):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * scale * (1 + math.cos(math.pi * iteration / iterations)) / 2
        loss = core.fourier.squared_errors(core.decoder(z), wanted).sum() + penalty * z.square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return z.detach().cpu().numpy()
