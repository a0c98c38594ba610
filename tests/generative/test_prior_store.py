"""A model's prior: chosen on its data, kept beside it, and not mistaken for that of another model."""

import re
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

from fourcodec.errors import DatasetError, ModelError
from fourcodec.generative import classifier_cache, model_prior
from fourcodec.generative.flow import Flow
from fourcodec.generative.model_prior import choose_and_store
from fourcodec.generative.prior_choice import CANDIDATES, prior_from_state
from fourcodec.generative.prior_store import FILE_NAME, read_prior, write_prior
from fourcodec.generative.priors import ChosenPrior, FullGaussian, IsotropicGaussian, Mixture, Prior, PriorState
from tests.support import toy


@pytest.fixture
def latents() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)


def test_a_written_prior_is_read_again(tmp_path: Path, latents: np.ndarray) -> None:
    assert read_prior(tmp_path, latents) is None
    for prior in (FullGaussian.fit(latents), Mixture.fit(latents, 0, 2)):
        write_prior(tmp_path, ChosenPrior(prior, 0.85), latents)
        again = read_prior(tmp_path, latents)
        assert again is not None
        assert (again.prior.name, again.temperature) == (prior.name, 0.85)
        assert np.array_equal(again.prior.sample(9, 1), prior.sample(9, 1))


def test_a_prior_of_other_latents_counts_as_none(tmp_path: Path, latents: np.ndarray) -> None:
    write_prior(tmp_path, ChosenPrior(FullGaussian.fit(latents)), latents)
    assert read_prior(tmp_path, latents + 1) is None


@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty"])
def test_a_damaged_prior_is_refused(tmp_path: Path, latents: np.ndarray, damage: str) -> None:
    write_prior(tmp_path, ChosenPrior(FullGaussian.fit(latents)), latents)
    path = tmp_path / FILE_NAME
    path.write_bytes({"truncated": path.read_bytes()[:-9], "foreign": b"\x80\x04K\x01.", "empty": b""}[damage])
    with pytest.raises(ModelError, match=re.escape(FILE_NAME)):
        read_prior(tmp_path, latents)


def test_a_model_gets_a_prior_only_by_the_data_it_was_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = toy.dataset()
    model = toy.PcaModel(data, 3, encoder=False)
    monkeypatch.setattr(model_prior, "load_model", lambda _: model)
    monkeypatch.setattr(classifier_cache, "settings_for", lambda _: toy.SETTINGS)
    few = {name: CANDIDATES[name] for name in ("isotropic", "gaussian")}
    choice = choose_and_store(tmp_path, data, seed=0, cache=tmp_path, candidates=few)
    assert {trial.name for trial in choice.trials} == set(few)
    stored = read_prior(tmp_path, model.train_latents)
    assert stored is not None
    assert stored.temperature == choice.trial.temperature
    assert np.array_equal(stored.prior.sample(5, 0), choice.chosen.prior.sample(5, 0))
    with pytest.raises(ModelError, match="was not trained on 'other'"):
        choose_and_store(tmp_path, toy.dataset(name="other"), seed=0, cache=tmp_path)
    model.dataset_hash = toy.dataset(train=8).content_hash
    with pytest.raises(DatasetError, match="8 training images: too few"):
        choose_and_store(tmp_path, toy.dataset(train=8), seed=0, cache=tmp_path)


@pytest.mark.parametrize("facts", ["[" * 100_000, "null", '{"kind": "gaussian", "temperature": 1' + "0" * 400 + "}"])
def test_facts_that_are_no_facts_are_refused(tmp_path: Path, latents: np.ndarray, facts: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(safetensors.numpy.save({"mean": np.zeros(4)}, {"fourcodec_prior": facts}))
    with pytest.raises(ModelError, match=re.escape(FILE_NAME)):
        read_prior(tmp_path, latents)


def test_arrays_of_any_dimensions_are_read_by_their_elements(latents: np.ndarray) -> None:
    mixture = Mixture.fit(latents, 0, 2)
    arrays = dict(mixture.to_state().arrays)
    arrays["weights"] = arrays["weights"][None]
    again = Mixture.from_arrays(arrays)
    assert np.array_equal(again.sample(9, 1), mixture.sample(9, 1))
    assert again.name == "mixture-2"


@pytest.mark.parametrize("damage", ["deviation", "mean", "weight"])
def test_samples_that_are_not_finite_are_refused(latents: np.ndarray, damage: str) -> None:
    gaussian, flow = FullGaussian.fit(latents), Flow.fit(latents, 0, iterations=1)
    with torch.inference_mode():
        flow.network.last.weight.fill_(3e38)
    prior: Prior = {
        "deviation": IsotropicGaussian(4, 3e38),
        "mean": FullGaussian(np.full(4, 3.4e38), np.eye(4) * 1e76),
        "weight": Flow(gaussian, flow.network),
    }[damage]
    with pytest.raises(ModelError, match="not finite"):
        prior.sample(99, 0)


def test_numbers_beyond_float32_are_refused(latents: np.ndarray) -> None:
    with pytest.raises(ModelError, match="'deviation' is not finite"):
        prior_from_state(PriorState("isotropic", {"deviation": np.array([1e300]), "size": np.array([4])}))
