"""The classifier that judges samples: a small residual network, trained on the same data as the generative model.

Distributions are compared in its penultimate features (scores.py), and its confidence decides which samples are
malformed. Its features suit the data at hand, and no weights have to be downloaded. In return its scores can only
compare models of the same data, judged by the same classifier (`weights_hash`).

Where images have no labels, the classifier predicts by how many quarter turns an image was rotated (Gidaris, Singh,
Komodakis: Unsupervised Representation Learning by Predicting Image Rotations, 2018). Images that are not square are
rotated by half turns only, which keep their shape.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fourcodec.arrays import Images
from fourcodec.generative.datasets import Dataset
from fourcodec.generative.torch_threads import one_torch_thread

Labels = NDArray[np.int64]  # (N,), from 0
Part = tuple[Images, Labels]  # images for training or testing, and their classes
Task = Literal["labels", "rotation"]

_SMALLEST_MAP = 8  # positions on the shorter side: stages halve the feature map down to this or less
_EVALUATION_BATCH = 500  # images


@dataclass(frozen=True)
class ClassifierSettings:
    """The architecture of the network and its training. Raises ValueError for values out of range."""

    stem_stride: int
    first_width: int  # channels of the stem; they double with each halving, up to `last_width`, the number of features
    last_width: int
    epochs: int
    batch: int
    peak_rate: float  # the largest learning rate of AdamW in its cycle
    weight_decay: float
    shift: int  # pixels: training images are shifted at random by up to this, in both directions
    mirrored: bool  # True: training images are mirrored at random

    def __post_init__(self) -> None:
        if (
            min(self.stem_stride, self.first_width, self.last_width, self.epochs) < 1
            or self.batch < 2
            or self.shift < 0
        ):
            raise ValueError(f"no classifier can be trained with {self}")


GREY = ClassifierSettings(2, 32, 64, epochs=6, batch=128, peak_rate=6e-3, weight_decay=1e-2, shift=2, mirrored=False)
COLOUR = ClassifierSettings(1, 32, 96, epochs=8, batch=128, peak_rate=6e-3, weight_decay=5e-2, shift=3, mirrored=True)


def settings_for(image_shape: tuple[int, int, int]) -> ClassifierSettings:
    """The settings for images (H, W, C): tuned on MNIST for grey ones, on CIFAR-10 for colour.

    benchmarks/results/generative-anchors.txt has the results of both.
    """
    return GREY if image_shape[2] == 1 else COLOUR


@dataclass(frozen=True)
class Judgement:
    """The classifier's features, confidences and classes of N images."""

    features: NDArray[np.float32]  # (N, last_width), penultimate
    confidence: NDArray[np.float32]  # (N,), the largest of the class probabilities
    classes: NDArray[np.int64]  # (N,), the most probable ones


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(_convolution(width, width, 1), _convolution(width, width, 1))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values + self.branch(values)


class Network(nn.Module):
    """A convolutional network, images uint8 (N, C, H, W) -> class scores (N, classes).

    It has a stem, stages that each halve the size, one residual block, a mean over positions, and a linear `head`.
    `mean` and `deviation` are those of the training images, per channel, in [0, 1].
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, settings: ClassifierSettings, image_shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        height, width, channels = image_shape
        side, inputs = -(-min(height, width) // settings.stem_stride), settings.first_width
        layers: list[nn.Module] = [_convolution(channels, inputs, settings.stem_stride, 2 * settings.stem_stride + 1)]
        while side > _SMALLEST_MAP or len(layers) == 1:
            outputs = min(2 * inputs, settings.last_width)
            layers.append(_convolution(inputs, outputs, 2))
            side, inputs = -(-side // 2), outputs
        if inputs != settings.last_width:
            layers.append(_convolution(inputs, settings.last_width, 1))
        layers += [_Residual(settings.last_width), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(settings.last_width, classes)
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("deviation", torch.ones(1, channels, 1, 1))

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """The penultimate features (N, last_width) of images uint8 (N, C, H, W)."""
        features: torch.Tensor = self.body((images.float() / 255 - self.mean) / self.deviation)
        return features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The class scores (N, classes) of images uint8 (N, C, H, W)."""
        scores: torch.Tensor = self.head(self.features(images))
        return scores


@dataclass(frozen=True)
class Classifier:
    """A trained network and facts about its training."""

    network: Network
    settings: ClassifierSettings
    image_shape: tuple[int, int, int]
    classes: int
    task: Task
    accuracy: float  # share of the dataset's test images (or of their rotations) that are classified correctly
    data_hash: str  # Dataset.content_hash

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the network's weights, hexadecimal."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
        return digest.hexdigest()

    def judge(self, images: Images) -> Judgement:
        """The judgement of images uint8 (N, H, W, C). Raises ValueError for another dtype or size."""
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            raise ValueError(
                f"the classifier judges uint8 images {self.image_shape}, not {images.dtype} {images.shape[1:]}"
            )
        features, scores = _evaluate(self.network, images)
        confidence, classes = scores.softmax(1).max(1)
        return Judgement(features.numpy(), confidence.numpy(), classes.numpy())


def train_classifier(
    dataset: Dataset, settings: ClassifierSettings, *, seed: int, progress: Callable[[str], None]
) -> Classifier:
    """A classifier trained to predict the dataset's labels, or rotations where images have no labels.

    Runs on one thread of the CPU: the same seed gives the same weights on the same kind of machine. `progress` receives
    one line for each epoch.
    """
    task = task_for(dataset)
    train, test = _label_task(dataset) if task == "labels" else _rotation_task(dataset, seed)
    classes = int(train[1].max()) + 1
    network = _train(train, classes, settings, seed, progress)
    right = _evaluate(network, test[0])[1].argmax(1).numpy() == test[1]
    return Classifier(
        network, settings, dataset.image_shape, classes, task, float(np.mean(right)), dataset.content_hash
    )


def task_for(dataset: Dataset) -> Task:
    """The task of a classifier for this dataset: its labels, or rotations where images have no labels."""
    return "rotation" if dataset.train_labels is None or dataset.test_labels is None else "labels"


def _label_task(dataset: Dataset) -> tuple[Part, Part]:
    """Training and test images with labels numbered from 0; a class that only test images have becomes -1, never
    predicted."""
    assert dataset.train_labels is not None
    assert dataset.test_labels is not None
    known, labels = np.unique(dataset.train_labels, return_inverse=True)
    number = {int(label): index for index, label in enumerate(known)}
    test_labels = np.array([number.get(int(label), -1) for label in dataset.test_labels], np.int64)
    return (dataset.train, labels.astype(np.int64)), (dataset.test, test_labels)


def _rotation_task(dataset: Dataset, seed: int) -> tuple[Part, Part]:
    """Training and test images, each rotated by a random number of quarter turns, which is its class (see above)."""
    height, width, _ = dataset.image_shape
    step = 1 if height == width else 2
    generator = np.random.default_rng(seed)

    def turned(images: Images) -> Part:
        labels = generator.integers(4 // step, size=len(images))
        ends = [0, 4 // step - 1]  # two images are enough to have the first and the last class
        labels[:2] = ends[: len(labels)]
        turns = [np.rot90(image, step * int(label)) for image, label in zip(images, labels, strict=True)]
        return np.stack(turns), labels

    return turned(dataset.train), turned(dataset.test)


def _train(
    part: Part, classes: int, settings: ClassifierSettings, seed: int, progress: Callable[[str], None]
) -> Network:
    """A network trained by AdamW on cross-entropy, with one cycle of its learning rate (Smith, Topin:
    Super-Convergence, 2018)."""
    (images, labels), generator = part, np.random.default_rng(seed)
    pixels = images.reshape(-1, images.shape[-1])
    with one_torch_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(settings, (images.shape[1], images.shape[2], images.shape[3]), classes)
        network.mean[0, :, 0, 0] = torch.from_numpy(pixels.mean(0) / 255)
        network.deviation[0, :, 0, 0] = torch.from_numpy(pixels.std(0) / 255 + 1e-3)  # above 0 for constant images too
        optimiser = torch.optim.AdamW(network.parameters(), settings.peak_rate, weight_decay=settings.weight_decay)
        iterations = settings.epochs * -(-len(images) // settings.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.peak_rate, total_steps=iterations)
        for epoch in range(settings.epochs):
            total = 0.0
            for chosen in np.array_split(generator.permutation(len(images)), iterations // settings.epochs):
                pictures = _augmented(images[chosen], settings, generator)
                loss = nn.functional.cross_entropy(network(_to_tensor(pictures)), torch.from_numpy(labels[chosen]))
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                total += loss.item() * len(chosen)
            progress(f"classifier: epoch {epoch + 1}/{settings.epochs}  cross-entropy {total / len(images):.4f}")
    return network.eval()


def _evaluate(network: Network, images: Images) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (N, last_width) and class scores (N, classes) of images uint8 (N, H, W, C)."""
    starts = range(0, len(images), _EVALUATION_BATCH)
    with torch.inference_mode(), one_torch_thread():
        parts = [network.features(_to_tensor(images[at : at + _EVALUATION_BATCH])) for at in starts]
        return torch.cat(parts), torch.cat([network.head(part) for part in parts])


def _augmented(images: Images, settings: ClassifierSettings, generator: np.random.Generator) -> Images:
    """Copies of images (N, H, W, C), each shifted by a random offset (edges repeated) and perhaps mirrored."""
    count, height, width, _ = images.shape
    reach = settings.shift
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))  # (N, y, x, C, H, W)
    top, left = generator.integers(2 * reach + 1, size=(2, count))
    moved: Images = windows[np.arange(count), top, left].transpose(0, 2, 3, 1)
    if settings.mirrored:
        flip = generator.random(count) < 0.5
        moved[flip] = moved[flip, :, ::-1]
    return moved


def _convolution(inputs: int, outputs: int, stride: int, size: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _to_tensor(images: Images) -> torch.Tensor:
    """Images (N, H, W, C) -> a tensor (N, C, H, W), copied: torch warns of read-only arrays such as those of idx
    files."""
    return torch.from_numpy(np.array(images.transpose(0, 3, 1, 2), order="C"))
