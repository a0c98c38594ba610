"""Comparison of samples with a dataset's test images, in the features of the dataset's classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Images
from fourcodec.generative.classifier import Classifier
from fourcodec.generative.datasets import Dataset
from fourcodec.generative.scores import density_coverage, frechet_distance, nearest_distances, precision_recall

MALFORMED_PERCENTILE = 5  # of the confidences of real images; a sample below it counts as malformed
_COMPARED_IN_PIXELS = 1000  # samples, and as many test images


@dataclass(frozen=True)
class SampleScores:
    """The scores of one set of samples; scores.py defines them."""

    frechet: float
    precision: float
    recall: float
    density: float
    coverage: float
    malformed_share: float  # share of samples whose confidence is below the 5th percentile of the test images'


class Judge:
    """The classifier's features and confidences of the test images, with which samples are compared."""

    def __init__(self, classifier: Classifier, dataset: Dataset) -> None:
        """Raises ValueError where the classifier is for images of another size."""
        real = classifier.judge(dataset.test)
        self._classifier = classifier
        self._features = real.features.astype(np.float64)
        self.confidence_bound = float(np.percentile(real.confidence, MALFORMED_PERCENTILE))

    def score(self, samples: Images) -> SampleScores:
        """The scores of samples uint8 (N, H, W, C). Raises ValueError for images of another size.

        The Fréchet distance uses all samples. Scores that count neighbours use equally many samples and test images.
        """
        judgement = self._classifier.judge(samples)
        features = judgement.features.astype(np.float64)
        count = min(len(features), len(self._features))
        pair = self._features[:count], features[:count]
        fidelity, diversity = precision_recall(*pair), density_coverage(*pair)
        return SampleScores(
            frechet=frechet_distance(self._features, features),
            precision=fidelity.precision,
            recall=fidelity.recall,
            density=diversity.density,
            coverage=diversity.coverage,
            malformed_share=float(np.mean(judgement.confidence < self.confidence_bound)),
        )


@dataclass(frozen=True)
class Memorisation:
    """Measures of copying: Euclidean distances in pixels from samples to training and test images."""

    # Median distance from samples to their nearest training image, divided by the same median for test images; None
    # where half of the test images are also training images.
    train_distance_ratio: float | None
    nearest_is_train_share: float  # share of samples that are nearer to a training image than to any test image
    nearest_is_train_expected: float  # the same share if samples are equally near to both parts of the data


def memorisation(samples: Images, dataset: Dataset) -> Memorisation:
    """Measures of copying for the first 1,000 samples uint8 (N, H, W, C).

    A model that copies has a small ratio and a share above the expected one. A model with smooth images also has a
    small ratio, since smooth images are nearer to all others, but not a larger share."""
    train, test = _pixels(dataset.train), _pixels(dataset.test)
    queries = _pixels(samples[:_COMPARED_IN_PIXELS])
    to_train = nearest_distances(queries, train)
    to_test = nearest_distances(queries, test)
    real = float(np.median(nearest_distances(test[:_COMPARED_IN_PIXELS], train)))
    return Memorisation(
        train_distance_ratio=float(np.median(to_train)) / real if real else None,
        nearest_is_train_share=float(np.mean(to_train < to_test)),
        nearest_is_train_expected=len(train) / (len(train) + len(test)),
    )


def _pixels(images: Images) -> NDArray[np.float32]:
    pixels: NDArray[np.float32] = images.reshape(len(images), -1).astype(np.float32)
    return pixels / np.float32(255)
