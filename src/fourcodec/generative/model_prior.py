"""Choosing the prior of a trained model on its training images, and storing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fourcodec.errors import DatasetError, ModelError
from fourcodec.generative.classifier_cache import cached_classifier
from fourcodec.generative.datasets import Dataset
from fourcodec.generative.model import load_model
from fourcodec.generative.prior_choice import LEAST_IMAGES, QUICK_CANDIDATES, Candidate, Choice, choose_prior
from fourcodec.generative.prior_store import write_prior
from fourcodec.generative.sheets import to_bytes


def choose_and_store(
    directory: Path,
    dataset: Dataset,
    *,
    seed: int,
    cache: Path | None = None,
    candidates: Mapping[str, Candidate] = QUICK_CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Chooses a prior for the model in a directory with `choose_prior`, and replaces the stored one.

    `cache` is the folder of trained classifiers (see `cached_classifier`); `progress` receives lines for the user.
    Raises ModelError where there is no model, a damaged one, or one trained on other data; DatasetError where there are
    too few images; OSError.
    """
    model = load_model(directory)
    if model.dataset_hash != dataset.content_hash:
        raise ModelError(f"the model was not trained on {dataset.name!r}: its latents are those of other images")
    if len(dataset.train) < LEAST_IMAGES:
        raise DatasetError(f"{dataset.name!r} has {len(dataset.train)} training images: too few to choose a prior by")
    classifier = cached_classifier(dataset, seed=seed, folder=cache, progress=progress)
    choice = choose_prior(
        model.train_latents,
        dataset.train,
        augmented=model.encode_mirrored(dataset.train),
        decode=lambda latents: to_bytes(model.decode(latents)),
        judge=classifier.judge,
        seed=seed,
        candidates=candidates,
        progress=progress,
    )
    write_prior(directory, choice.chosen, model.train_latents)
    return choice
