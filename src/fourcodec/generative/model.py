"""A trained generative model as others use it: numpy in, numpy out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec.generative.config import Config

Floats = NDArray[np.float32]


class Prior(Protocol):
    """A distribution of latents, as generative/priors.py makes them."""

    def sample(self, n: int, seed: int, temperature: float) -> Floats:
        """(n, L) float32; a temperature below 1 stays nearer to the middle."""
        ...


class TrainedModel:
    """What a model directory holds, read by load_model."""

    config: Config
    latent_size: int  # L
    image_shape: tuple[int, int, int]  # (H, W, C)
    train_latents: Floats  # (N, L): fitted for each training image, or what the encoder gives for it
    prior: Prior | None  # None: N(0, I) times the root mean square of train_latents

    def decode(self, z: Floats) -> Floats:
        """Latents (B, L) -> images (B, H, W, C) float32 in [0, 1]."""
        raise NotImplementedError

    def encode(self, images: NDArray[np.uint8]) -> Floats | None:
        """The encoder's latents (B, L) of images (B, H, W, C); None where the model has no encoder."""
        raise NotImplementedError

    def embed(self, images: NDArray[np.uint8], steps: int | None = None) -> Floats:
        """Latents (B, L) fitted to images by gradient: from the encoder's where there is one, else from those of the
        training images that look most alike."""
        raise NotImplementedError


def load_model(directory: Path) -> TrainedModel:
    """Raises ModelError where the folder holds no sound model."""
    raise NotImplementedError
