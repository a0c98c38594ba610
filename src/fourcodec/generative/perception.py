"""A perceptual distance: differences of the early features of a classifier that was trained on the same data.

Johnson, Alahi, Fei-Fei: Perceptual Losses for Real-Time Style Transfer and Super-Resolution (2016). The classifier is
one of another seed than the one that judges samples, so that a model is not trained on what it is judged by.
"""

from __future__ import annotations

import torch

from fourcodec.generative.classifier import Classifier

SEED = 1  # of the classifier; `evaluate` judges by that of seed 0
_STAGES = 2  # of the classifier's body: the stem, and the first stage at half the size


class Perception:
    """The first stages of a classifier, which are not trained any further.

    weights_hash: the classifier's, by which a training knows it again.
    """

    def __init__(self, classifier: Classifier, device: torch.device) -> None:
        network = classifier.network.eval().requires_grad_(False).to(device)
        self.weights_hash = classifier.weights_hash
        self._size = classifier.image_shape[:2]
        self._mean, self._deviation = network.mean, network.deviation
        self._stages = list(network.body.children())[:_STAGES]

    def distances(self, samples: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """The distance (B,) of each of the samples float32 (B, C, N) in [-1, 1] from images uint8 (B, C, N):
        differentiable by the samples.

        It is the mean squared difference of features, which have a variance of about 1, over the stages, positions and
        channels, times the number of samples, which gives it the size of a sum of squared errors.
        """
        shown, wanted = (samples + 1) / 2, images.float() / 255
        total = torch.zeros(len(samples), device=samples.device)
        shown, wanted = (self._normal(planes) for planes in (shown, wanted))
        for stage in self._stages:
            shown = stage(shown)
            with torch.no_grad():
                wanted = stage(wanted)
            total = total + (shown - wanted).square().mean(dim=(1, 2, 3))
        return total / len(self._stages) * samples[0].numel()

    def _normal(self, planes: torch.Tensor) -> torch.Tensor:
        return (planes.unflatten(2, self._size) - self._mean) / self._deviation
