"""Evaluation of a generative model: reconstructions of test images, and samples compared with test images.

Each number is reported beside three references: training images in place of samples (the best score that samples can be
expected to have), principal component analysis with as many components as z has, and the same model with N(0, I) in
place of its prior.

    model, data -> classifier (trained once) -> Judge of the test images
        samples of each kind                 -> SampleScores       Evaluation.samples
        reconstructions of test images       -> Reconstruction     Evaluation.reconstructions
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fourcodec.arrays import Floats, Images
from fourcodec.errors import DatasetError
from fourcodec.generative.baselines import PrincipalComponents
from fourcodec.generative.classifier import Classifier
from fourcodec.generative.datasets import Dataset, describe
from fourcodec.generative.judging import Judge, Memorisation, SampleScores, memorisation
from fourcodec.generative.model import TrainedModel
from fourcodec.generative.priors import MAX_TEMPERATURE, IsotropicGaussian
from fourcodec.generative.sheets import to_bytes
from fourcodec.metrics import psnr_of_mse_db

_PEAK = 255  # of 8-bit samples
MIN_IMAGES = 10  # above the number of neighbours that any score uses
_BATCH = 500  # images that the model processes together

# The kinds of samples, and the suffix that their scores have in JSON.
MODEL, STANDARD_NORMAL, PCA_GAUSSIAN, FLOOR = "", "_standard_normal", "_pca_gaussian", "_floor"


@dataclass(frozen=True)
class EvaluationSettings:
    """The numbers of samples and images to compare, the seed, and the temperature of samples."""

    samples: int = 10_000  # for each kind
    reconstructed: int = 2_000  # the first test images; fitting latents to them takes most of the time
    seed: int = 0
    temperature: float | None = None  # None: the one that was chosen with the prior

    def __post_init__(self) -> None:
        temperature = 1.0 if self.temperature is None else self.temperature
        if self.samples < MIN_IMAGES or self.reconstructed < 1 or not 0 < temperature <= MAX_TEMPERATURE:
            raise ValueError(f"no evaluation can be made with {self}")


@dataclass(frozen=True)
class Reconstruction:
    """PSNR of images decoded from latents against the originals, both in 8 bits."""

    psnr_db: float  # from the mean squared error over all images, which training minimises
    image_psnr_db: float  # the mean of each image's PSNR; higher, since PSNR is convex in the error


@dataclass(frozen=True)
class Evaluation:
    """All results of one evaluation."""

    samples: dict[str, SampleScores]  # by suffix: MODEL, STANDARD_NORMAL, PCA_GAUSSIAN, FLOOR
    reconstructions: dict[str, Reconstruction]  # "" and "pca" always; "refined" with an encoder; "train"
    memorisation: Memorisation
    classifier: Classifier
    latent_size: int
    prior: str
    temperature: float  # of the samples
    settings: EvaluationSettings

    def to_json(self) -> dict[str, Any]:
        """The results as one flat JSON object; docs/generative-evaluation.md explains its keys."""
        psnr_db = {name: found.psnr_db for name, found in self.reconstructions.items()}
        document: dict[str, Any] = {
            "reconstruction_psnr_db": psnr_db[""],
            "reconstruction_image_psnr_db": self.reconstructions[""].image_psnr_db,
            "refined_psnr_db": psnr_db.get("refined"),
            "train_psnr_db": psnr_db.get("train"),
            "pca_psnr_db": psnr_db["pca"],
        }
        for suffix, scores in self.samples.items():
            document |= {f"{name}{suffix}": value for name, value in asdict(scores).items()}
        return {
            **document,
            **asdict(self.memorisation),
            "classifier_accuracy": self.classifier.accuracy,
            "classifier_task": self.classifier.task,
            "classifier_hash": self.classifier.weights_hash,
            "data_hash": self.classifier.data_hash,
            "prior": self.prior,
            "latent_size": self.latent_size,
            **asdict(self.settings),
            "temperature": self.temperature,
        }


def evaluate(
    model: TrainedModel,
    dataset: Dataset,
    classifier: Classifier,
    settings: EvaluationSettings,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Evaluates a model on a dataset; `progress` receives lines for the user.

    The same arguments give the same numbers on the same kind of machine. Raises the DatasetError of `check_sizes`.
    """
    check_sizes(model, dataset)
    components = PrincipalComponents.fit(dataset.train, min(model.latent_size, dataset.train[0].size))
    judge = Judge(classifier, dataset)
    progress("reconstructing test images")
    reconstructions = _model_reconstructions(model, dataset, settings)
    reconstructions["pca"] = pca_reconstruction(components, dataset.test[: settings.reconstructed])

    plain = IsotropicGaussian.fit(model.train_latents)
    prior = model.chosen.prior
    temperature = model.chosen.temperature if settings.temperature is None else settings.temperature
    progress("sampling and judging")
    latents = prior.sample(settings.samples, settings.seed, temperature)
    images = decode_images(model, latents)
    samples = {MODEL: judge.score(images)}
    samples[STANDARD_NORMAL] = judge.score(decode_images(model, plain.sample(settings.samples, settings.seed)))
    samples |= data_scores(judge, components, dataset, settings)
    return Evaluation(
        samples,
        reconstructions,
        memorisation(images, dataset),
        classifier,
        model.latent_size,
        prior.name,
        temperature,
        settings,
    )


def check_sizes(model: TrainedModel, dataset: Dataset) -> None:
    """Raises DatasetError where the dataset's images have another shape than the model's, or there are too few of
    them."""
    if model.image_shape != dataset.image_shape:
        sizes = describe(model.image_shape), describe(dataset.image_shape)
        raise DatasetError(f"the model's images are {sizes[0]}, those of {dataset.name!r} {sizes[1]}")
    for what, images in (("test", dataset.test), ("training", dataset.train)):
        if len(images) < MIN_IMAGES:
            raise DatasetError(f"{dataset.name!r} has {len(images)} {what} images: {MIN_IMAGES} are needed to judge by")


def data_scores(
    judge: Judge, components: PrincipalComponents, dataset: Dataset, settings: EvaluationSettings
) -> dict[str, SampleScores]:
    """The scores that need no model: samples of a Gaussian in PCA space, and training images in place of samples."""
    gaussian = to_bytes(components.decode(components.sample(settings.samples, settings.seed)))
    count = min(settings.samples, len(dataset.train))
    chosen = np.random.default_rng(settings.seed).choice(len(dataset.train), count, replace=False)
    return {PCA_GAUSSIAN: judge.score(gaussian), FLOOR: judge.score(dataset.train[np.sort(chosen)])}


def pca_reconstruction(components: PrincipalComponents, images: Images) -> Reconstruction:
    """The reconstruction of images uint8 (N, H, W, C) from principal components."""
    return reconstruction(images, to_bytes(components.decode(components.encode(images))))


def _model_reconstructions(
    model: TrainedModel, dataset: Dataset, settings: EvaluationSettings
) -> dict[str, Reconstruction]:
    test, train = dataset.test[: settings.reconstructed], dataset.train[: settings.reconstructed]
    fitted = reconstruction(test, decode_images(model, _embed(model, test)))
    encoded = model.encode(test)
    found = {"": fitted}
    if encoded is not None:
        found = {"": reconstruction(test, decode_images(model, encoded)), "refined": fitted}
    if model.dataset_hash == dataset.content_hash:  # otherwise its latents belong to other images
        found["train"] = reconstruction(train, decode_images(model, model.train_latents[: len(train)]))
    return found


def _embed(model: TrainedModel, images: Images) -> Floats:
    parts = [model.embed(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
    return np.concatenate(parts)


def decode_images(model: TrainedModel, latents: Floats) -> Images:
    """Latents (N, L) -> images uint8 (N, H, W, C)."""
    parts = [to_bytes(model.decode(latents[start : start + _BATCH])) for start in range(0, len(latents), _BATCH)]
    return np.concatenate(parts)


def reconstruction(images: Images, copies: Images) -> Reconstruction:
    """PSNR of copies against images, both uint8 (N, H, W, C).

    The mean squared error of an image counts as at least 1e-4, so that the mean PSNR is finite for exact copies.
    """
    difference = images.astype(np.float64) - copies
    errors = np.square(difference).reshape(len(images), -1).mean(1).clip(1e-4)
    own_db = [psnr_of_mse_db(error, _PEAK) for error in errors]
    return Reconstruction(psnr_of_mse_db(float(errors.mean()), _PEAK), float(np.mean(own_db)))
