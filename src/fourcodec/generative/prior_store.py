"""The prior of a trained model: chosen with the classifier's help, and kept beside the model's checkpoint.

A file of its own, so that training's checkpoint stays what training needs to go on. It names the latents that it was
fitted to: after more training these are others, and an old prior counts as none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from fourcodec import files
from fourcodec.errors import ModelError
from fourcodec.generative.prior_choice import CANDIDATES, Candidate, Choice, choose_prior, prior_from_state
from fourcodec.generative.priors import Prior, PriorState
from fourcodec.generative.sheets import to_bytes

if TYPE_CHECKING:
    from fourcodec.generative.classifier import Classifier
    from fourcodec.generative.datasets import Dataset
    from fourcodec.generative.model import TrainedModel

Floats = NDArray[np.float32]

FILE_NAME = "prior.safetensors"
_KEY = "fourcodec_prior"


def choose_for_model(
    model: TrainedModel,
    dataset: Dataset,
    classifier: Classifier,
    *,
    seed: int,
    candidates: Mapping[str, Candidate] = CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> Choice:
    """The prior that suits the model best, by training images of the dataset. Raises ModelError as `check_data`."""
    check_data(model, dataset)
    return choose_prior(
        model.train_latents,
        dataset.train,
        decode=lambda latents: to_bytes(model.decode(latents)),
        features=lambda images: classifier.judge(images).features,
        seed=seed,
        candidates=candidates,
        progress=progress,
    )


def check_data(model: TrainedModel, dataset: Dataset) -> None:
    """Raises ModelError where the model was trained on another dataset."""
    if model.dataset_hash != dataset.content_hash:
        raise ModelError(f"the model was not trained on {dataset.name!r}: its latents are those of other images")


def write_prior(directory: Path, prior: Prior, latents: Floats) -> None:
    """Replaces the directory's prior, fitted to `latents` (N, L). Inverse of `read_prior`. Raises OSError."""
    state = prior.to_state()
    metadata = {_KEY: json.dumps({"kind": state.kind, "latents": _digest(latents)})}
    arrays = {name: np.ascontiguousarray(array) for name, array in state.arrays.items()}
    files.write(directory / FILE_NAME, safetensors.numpy.save(arrays, metadata), overwrite=True)


def read_prior(directory: Path, latents: Floats) -> Prior | None:
    """The prior fitted to these latents, None where there is none. Raises ModelError for a damaged or foreign file."""
    path = directory / FILE_NAME
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(path, framework="np") as file:
            facts = json.loads((file.metadata() or {})[_KEY])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        kind, digest = str(facts["kind"]), facts["latents"]
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(f"{str(path)!r} is truncated, damaged, or no prior of a fourcodec model") from exc
    if digest != _digest(latents):
        return None
    prior = prior_from_state(PriorState(kind, arrays))
    if prior.latent_size != latents.shape[1]:
        raise ModelError(f"{str(path)!r} is for {prior.latent_size} numbers an image, the model has {latents.shape[1]}")
    return prior


def _digest(latents: Floats) -> str:
    return hashlib.sha256(np.ascontiguousarray(latents, np.float32).data).hexdigest()
