"""A model's prior: chosen on its data, kept beside it, and not mistaken for that of another model."""

import re
from pathlib import Path

import numpy as np
import pytest

from fourcodec.errors import ModelError
from fourcodec.generative.classifier import train_classifier
from fourcodec.generative.prior_choice import CANDIDATES
from fourcodec.generative.prior_store import FILE_NAME, choose_for_model, read_prior, write_prior
from fourcodec.generative.priors import FullGaussian, Mixture
from tests.generative import toy


@pytest.fixture
def latents() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)


def test_a_written_prior_is_read_again(tmp_path: Path, latents: np.ndarray) -> None:
    assert read_prior(tmp_path, latents) is None
    for prior in (FullGaussian.fit(latents), Mixture.fit(latents, 0, 2)):
        write_prior(tmp_path, prior, latents)
        again = read_prior(tmp_path, latents)
        assert again is not None
        assert again.name == prior.name
        assert np.array_equal(again.sample(9, 1), prior.sample(9, 1))


def test_a_prior_of_other_latents_counts_as_none(tmp_path: Path, latents: np.ndarray) -> None:
    write_prior(tmp_path, FullGaussian.fit(latents), latents)
    assert read_prior(tmp_path, latents + 1) is None


@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty"])
def test_a_damaged_prior_is_refused(tmp_path: Path, latents: np.ndarray, damage: str) -> None:
    write_prior(tmp_path, FullGaussian.fit(latents), latents)
    path = tmp_path / FILE_NAME
    path.write_bytes({"truncated": path.read_bytes()[:-9], "foreign": b"\x80\x04K\x01.", "empty": b""}[damage])
    with pytest.raises(ModelError, match=re.escape(FILE_NAME)):
        read_prior(tmp_path, latents)


def test_a_model_gets_a_prior_only_by_the_data_it_was_trained_on() -> None:
    data = toy.dataset()
    classifier = train_classifier(data, toy.SETTINGS, seed=0, progress=lambda _: None)
    few = {name: CANDIDATES[name] for name in ("isotropic", "gaussian")}
    model = toy.PcaModel(data, 3, encoder=False)
    choice = choose_for_model(model, data, classifier, seed=0, candidates=few)
    assert set(choice.frechet) == set(few)
    assert choice.prior.latent_size == 3
    with pytest.raises(ModelError, match="was not trained on 'other'"):
        choose_for_model(model, toy.dataset(name="other"), classifier, seed=0)
