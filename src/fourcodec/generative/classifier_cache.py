"""Classifiers on the disk: trained once for a dataset, and found by a hash of the dataset, the settings and the seed.

A file is in the safetensors format, with the classifier's description as JSON in its header. One file holds both, so
that weights and description always come from the same training. A damaged file is replaced.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from fourcodec import files
from fourcodec.cache import cache_folder
from fourcodec.errors import CorruptFileError
from fourcodec.generative.checkpoints import compare
from fourcodec.generative.classifier import (
    Classifier,
    ClassifierSettings,
    Network,
    settings_for,
    task_for,
    train_classifier,
)
from fourcodec.generative.datasets import Dataset
from fourcodec.json_text import read_object

_RECIPE = 1  # to be raised when training changes, so that equal settings and seed give other weights
_FACTS = ("image_shape", "classes", "task", "accuracy", "data_hash")  # fields of a Classifier in its description


def cached_classifier(
    dataset: Dataset,
    *,
    seed: int = 0,
    folder: Path | None = None,
    settings: ClassifierSettings | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Classifier:
    """The classifier for this dataset, settings and seed: read from `folder`, or trained and written there.

    `folder` is `cache_folder()` by default, `settings` are `settings_for` the images. Raises OSError where the folder
    cannot be written.
    """
    settings = settings or settings_for(dataset.image_shape)
    path = (folder or cache_folder()) / f"classifier-{_key(dataset, settings, seed)}.safetensors"
    try:
        return load_classifier(path, settings)
    except (FileNotFoundError, CorruptFileError):
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    files.check_target(path, overwrite=True)
    classifier = train_classifier(dataset, settings, seed=seed, progress=progress)
    save_classifier(path, classifier)
    return classifier


def save_classifier(path: Path, classifier: Classifier) -> None:
    """Writes a classifier to a file; the inverse of `load_classifier`. Raises OSError."""
    description = {name: getattr(classifier, name) for name in (*_FACTS, "weights_hash")}
    metadata = {"classifier": json.dumps(description)}
    data = safetensors.torch.save(classifier.network.state_dict(), metadata)
    files.write(path, data, overwrite=True)


def load_classifier(path: Path, settings: ClassifierSettings) -> Classifier:
    """The classifier in a file, trained with these settings.

    Raises FileNotFoundError, and CorruptFileError where the file is damaged or of other settings.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            description = read_object((file.metadata() or {})["classifier"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        facts = {name: description[name] for name in _FACTS} | {"image_shape": tuple(description["image_shape"])}
        with torch.device("meta"):  # a folder may be a stranger's: compare shapes before memory is allocated by them
            compare(Network(settings, facts["image_shape"], facts["classes"]).state_dict(), tensors)
        with torch.random.fork_rng(devices=[]):
            network = Network(settings, facts["image_shape"], facts["classes"]).eval()
        network.load_state_dict(tensors)
        classifier, weights_hash = Classifier(network, settings, **facts), description["weights_hash"]
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, ArithmeticError, RuntimeError) as exc:
        raise CorruptFileError(f"{str(path)!r} holds no classifier of these settings") from exc
    if classifier.weights_hash != weights_hash:
        raise CorruptFileError(f"{str(path)!r} is damaged")
    return classifier


def _key(dataset: Dataset, settings: ClassifierSettings, seed: int) -> str:
    training = {"data": dataset.content_hash, "task": task_for(dataset), **asdict(settings), "seed": seed}
    return hashlib.sha256(json.dumps([_RECIPE, training], sort_keys=True).encode()).hexdigest()[:16]
