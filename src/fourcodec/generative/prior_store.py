"""The file of a trained model's prior, beside the model's checkpoint.

The prior has a file of its own, so that the checkpoint holds only the state of training. The file has a hash of the
latents that the prior was fitted to. After more training the latents differ, and the old prior is ignored.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from fourcodec import files
from fourcodec.arrays import Floats
from fourcodec.errors import ModelError
from fourcodec.generative.prior_choice import prior_from_state
from fourcodec.generative.priors import MAX_TEMPERATURE, ChosenPrior, PriorState
from fourcodec.json_text import read_object

FILE_NAME = "prior.safetensors"
_KEY = "fourcodec_prior"


def write_prior(directory: Path, chosen: ChosenPrior, latents: Floats) -> None:
    """Replaces the prior in a directory by one that was fitted to `latents` (N, L). Inverse of `read_prior`.

    Raises OSError.
    """
    state = chosen.prior.to_state()
    facts = {"kind": state.kind, "temperature": chosen.temperature, "latents": digest(latents)}
    arrays = {name: np.ascontiguousarray(array) for name, array in state.arrays.items()}
    data = safetensors.numpy.save(arrays, {_KEY: json.dumps(facts)})
    files.write(directory / FILE_NAME, data, overwrite=True, within=directory)


def read_prior(directory: Path, latents: Floats) -> ChosenPrior | None:
    """The prior in a directory if it was fitted to `latents` (N, L), else None.

    Raises ModelError where the file is damaged or holds no prior.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(path, framework="np") as file:
            facts = read_object((file.metadata() or {})[_KEY])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        kind, fitted_to, temperature = str(facts["kind"]), facts["latents"], float(facts["temperature"])
        if not 0 < temperature <= MAX_TEMPERATURE:
            raise ValueError(f"a temperature of {temperature}")
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as exc:
        raise ModelError(
            f"{str(path)!r} is truncated, damaged, or no prior of a fourcodec model: remove it, then make another by "
            "'fourcodec generate prior' or, for a model with a flow, 'fourcodec generate train --resume'"
        ) from exc
    if fitted_to != digest(latents):
        return None
    prior = prior_from_state(PriorState(kind, arrays))
    if prior.latent_size != latents.shape[1]:
        raise ModelError(f"{str(path)!r} is for {prior.latent_size} numbers an image, the model has {latents.shape[1]}")
    return ChosenPrior(prior, temperature)


def digest(latents: Floats) -> str:
    """The SHA-256 sum of latents (N, L), by which a prior knows those that it was fitted to."""
    return hashlib.sha256(np.ascontiguousarray(latents, np.float32).data).hexdigest()
