"""Principal component analysis, the linear baseline with as many numbers for an image as z has components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from fourcodec.arrays import Floats, Images

_BATCH = 2000  # images


@dataclass(frozen=True)
class PrincipalComponents:
    """The linear autoencoder with the least squared error on the training images."""

    image_shape: tuple[int, int, int]
    mean: NDArray[np.float64]  # (H W C,), samples in [0, 1]
    components: NDArray[np.float64]  # (L, H W C), orthonormal, sorted by falling variance
    variances: NDArray[np.float64]  # (L,)

    @classmethod
    def fit(cls, images: Images, latent_size: int) -> PrincipalComponents:
        """The first `latent_size` components of images uint8 (N, H, W, C).

        Raises ValueError where images have fewer samples than `latent_size`.
        """
        count, size = len(images), int(np.prod(images.shape[1:]))
        if not 1 <= latent_size <= size:
            raise ValueError(f"{size} samples have 1 to {size} principal components, not {latent_size}")
        total, products = np.zeros(size), np.zeros((size, size))
        for start in range(0, count, _BATCH):
            pixels = _pixels(images[start : start + _BATCH])
            total += pixels.sum(0)
            products += pixels.T @ pixels
        mean = total / count
        covariance = products / count - np.outer(mean, mean)
        variances, vectors = scipy.linalg.eigh(covariance, subset_by_index=[size - latent_size, size - 1])
        # The solver chooses signs arbitrarily; making the largest entry positive gives equal results for equal data.
        largest = np.take_along_axis(vectors, np.abs(vectors).argmax(0, keepdims=True), 0)
        vectors *= np.sign(largest)
        shape = (images.shape[1], images.shape[2], images.shape[3])
        return cls(shape, mean, vectors[:, ::-1].T, variances[::-1].clip(0))

    @property
    def deviations(self) -> NDArray[np.float64]:
        """Standard deviations (L,), at least 1e-6."""
        return np.sqrt(self.variances.clip(1e-12))

    def encode(self, images: Images) -> Floats:
        """Images uint8 (N, H, W, C) -> latents (N, L)."""
        return ((_pixels(images) - self.mean) @ self.components.T).astype(np.float32)

    def whiten(self, images: Images) -> Floats:
        """The latents of `encode` (N, L), each component scaled to unit variance over the training images."""
        return (self.encode(images) / self.deviations).astype(np.float32)

    def decode(self, latents: NDArray[np.floating[Any]]) -> Floats:
        """Latents (N, L) -> images float32 (N, H, W, C), clipped to [0, 1]."""
        pixels = self.mean + latents @ self.components
        return pixels.clip(0, 1).astype(np.float32).reshape(-1, *self.image_shape)

    def sample(self, n: int, seed: int) -> Floats:
        """Latents (n, L) of the Gaussian with the training images' mean and covariance in this space."""
        noise = np.random.default_rng(seed).standard_normal((n, len(self.variances)))
        return (noise * np.sqrt(self.variances)).astype(np.float32)


def _pixels(images: Images) -> NDArray[np.float64]:
    return images.reshape(len(images), -1) / 255.0
