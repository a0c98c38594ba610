"""A dataset and a model small enough to be judged in seconds."""

import numpy as np

from fourcodec.generative.baselines import PrincipalComponents
from fourcodec.generative.classifier import ClassifierSettings
from fourcodec.generative.config import Config
from fourcodec.generative.datasets import Dataset
from fourcodec.generative.priors import ChosenPrior, FullGaussian

SHAPE = (8, 12, 1)  # height, width, channels
SETTINGS = ClassifierSettings(2, 8, 8, epochs=3, batch=16, peak_rate=1e-2, weight_decay=1e-2, shift=1, mirrored=False)


def dataset(train: int = 160, test: int = 40, *, labelled: bool = True, name: str = "bars") -> Dataset:
    """Images with a bright bar at the left (class 3) or the right (class 7), on a ramp from dark to light downwards."""
    generator = np.random.default_rng(train)
    labels = generator.choice([3, 7], train + test)
    images = generator.integers(0, 60, size=(train + test, *SHAPE))
    images += 8 * np.arange(SHAPE[0])[:, None, None]
    images[labels == 3, :, 1:4] += 120
    images[labels == 7, :, -4:-1] += 120
    parts = np.split(images.astype(np.uint8), [train])
    train_labels, test_labels = np.split(labels.astype(np.int64), [train]) if labelled else (None, None)
    return Dataset(name, parts[0], parts[1], train_labels, test_labels, f"{name}-{train}-{test}-{labelled}")


class PcaModel:
    """Principal components behind the interface of a trained model, with or without an encoder.

    Its encoder is off by a tenth, which fitting puts right.
    """

    def __init__(self, data: Dataset, latent_size: int, *, encoder: bool) -> None:
        self._components = PrincipalComponents.fit(data.train, latent_size)
        self._encoder = encoder
        self.config = Config()
        self.latent_size = latent_size
        self.image_shape = data.image_shape
        self.train_latents = self._components.encode(data.train)
        self.dataset_hash = data.content_hash
        self.chosen = ChosenPrior(FullGaussian.fit(self.train_latents))

    def decode(self, z: np.ndarray) -> np.ndarray:
        return self._components.decode(z)

    def encode(self, images: np.ndarray) -> np.ndarray | None:
        return 1.1 * self._components.encode(images) if self._encoder else None

    def encode_mirrored(self, images: np.ndarray) -> np.ndarray | None:
        return None

    def embed(self, images: np.ndarray, iterations: int = 0) -> np.ndarray:
        return self._components.encode(images)
