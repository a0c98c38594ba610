"""A set of samples against a dataset's test images, in the features of its classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Images
from fourcodec.generative.classifier import Classifier
from fourcodec.generative.datasets import Dataset
from fourcodec.generative.scores import density_coverage, frechet_distance, nearest_neighbours, precision_recall

MALFORMED_PERCENTILE = 5  # of real images, which are as malformed as they are by definition
_COMPARED_IN_PIXELS = 1000  # samples, and test images beside them


@dataclass(frozen=True)
class SampleScores:
    """Of one set of images; see scores.py."""

    frechet: float
    precision: float
    recall: float
    density: float
    coverage: float
    malformed_share: float  # whose confidence is below the 5th percentile of the test images'


class Judge:
    """What the test images look like to the classifier, to compare samples with."""

    def __init__(self, classifier: Classifier, dataset: Dataset) -> None:
        """Raises ValueError where the classifier is for images of another size."""
        real = classifier.judge(dataset.test)
        self._classifier = classifier
        self._features = real.features.astype(np.float64)
        self.confidence_bound = float(np.percentile(real.confidence, MALFORMED_PERCENTILE))

    def score(self, samples: Images) -> SampleScores:
        """The Fréchet distance takes all samples; what counts neighbours takes as many samples as test images."""
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
    """Whether samples are copies of training images, by Euclidean distances of pixels."""

    # Median distance from samples to their nearest training images over the same from test images; None where half of
    # the test images are training images too.
    train_distance_ratio: float | None
    nearest_is_train_share: float  # of samples, those nearer to a training image than to any test image
    nearest_is_train_expected: float  # that share for samples to which both parts of the data are alike


def memorisation(samples: Images, dataset: Dataset) -> Memorisation:
    """Of the first 1,000 samples. A model that copies has a small ratio and a share above the expected one; one whose
    images are smooth has a small ratio too, since smooth images are nearer to all others, but not the share."""
    train, test = _pixels(dataset.train), _pixels(dataset.test)
    queries = _pixels(samples[:_COMPARED_IN_PIXELS])
    to_train = nearest_neighbours(queries, train).distance
    to_test = nearest_neighbours(queries, test).distance
    real = float(np.median(nearest_neighbours(test[:_COMPARED_IN_PIXELS], train).distance))
    return Memorisation(
        train_distance_ratio=float(np.median(to_train)) / real if real else None,
        nearest_is_train_share=float(np.mean(to_train < to_test)),
        nearest_is_train_expected=len(train) / (len(train) + len(test)),
    )


def _pixels(images: Images) -> NDArray[np.float32]:
    pixels: NDArray[np.float32] = images.reshape(len(images), -1).astype(np.float32)
    return pixels / np.float32(255)
