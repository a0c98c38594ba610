"""The prior of a trained model: chosen or trained on its training images, and stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fourcodec.errors import DatasetError, ModelError
from fourcodec.generative.cell_flow_training import CellFlowTraining, FlowProgress
from fourcodec.generative.classifier_cache import cached_classifier
from fourcodec.generative.datasets import Dataset
from fourcodec.generative.likelihood_choice import choose_by_likelihood
from fourcodec.generative.model import TrainedModel, load_model
from fourcodec.generative.prior_choice import LEAST_IMAGES, QUICK_CANDIDATES, Candidate, Choice, choose_prior
from fourcodec.generative.prior_store import write_prior
from fourcodec.generative.priors import ChosenPrior, Prior
from fourcodec.generative.schedules import Budget
from fourcodec.generative.sheets import to_bytes


def choose_and_store(
    directory: Path,
    dataset: Dataset,
    *,
    seed: int,
    cache: Path | None = None,
    candidates: Mapping[str, Candidate[Prior]] = QUICK_CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Chooses a prior for the model in a directory with `choose_prior`, and replaces the stored one.

    `cache` is the folder of trained classifiers (see `cached_classifier`); `progress` receives lines for the user.
    Raises ModelError where there is no model, a damaged one, or one trained on other data; DatasetError where there are
    too few images; OSError.
    """
    model = _load(directory, dataset)
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


def choose_in_time(
    directory: Path, dataset: Dataset, *, seconds: float, seed: int, progress: Callable[[str], None] = lambda _: None
) -> Prior:
    """Chooses a prior for the model in a directory within about so many seconds, with `choose_by_likelihood`, and
    replaces the stored one. Raises as `choose_and_store`."""
    model = _load(directory, dataset)
    mirrored = model.encode_mirrored(dataset.train)
    chosen = choose_by_likelihood(
        model.train_latents, seconds=seconds, seed=seed, augmented=mirrored, progress=progress
    )
    write_prior(directory, chosen, model.train_latents)
    return chosen.prior


def train_flow(
    directory: Path,
    dataset: Dataset,
    budget: Budget,
    *,
    device: str,
    seed: int,
    report: Callable[[FlowProgress], None] = lambda _: None,
) -> None:
    """Trains the flow that the configuration of the model in a directory asks for, goes on with one that was begun, and
    replaces the stored prior by it. The caller holds the directory's lock. Raises as `choose_and_store`."""
    model = _load(directory, dataset)
    assert model.config.flow is not None
    training = CellFlowTraining(
        model.train_latents,
        dataset.train_labels,
        model.encode_mirrored(dataset.train),
        noise=model.noise,
        cells=model.config.network.grid.count,
        config=model.config.flow,
        directory=directory,
        device=device,
        seed=seed,
    )
    write_prior(directory, ChosenPrior(training.run(budget, report)), model.train_latents)


def _load(directory: Path, dataset: Dataset) -> TrainedModel:
    model = load_model(directory)
    if model.dataset_hash != dataset.content_hash:
        raise ModelError(f"the model was not trained on {dataset.name!r}: its latents are those of other images")
    if len(dataset.train) < LEAST_IMAGES:
        raise DatasetError(f"{dataset.name!r} has {len(dataset.train)} training images: too few to choose a prior by")
    return model
