"""An evaluation from end to end, on a model made of principal components."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fourcodec import cli
from fourcodec.errors import DatasetError
from fourcodec.generative import card, classifier_cache, evaluation, model, model_prior, prior_choice, prior_store
from fourcodec.generative.checkpoints import FILE_NAME
from fourcodec.generative.classifier import Classifier, train_classifier
from fourcodec.generative.datasets import load_dataset
from fourcodec.generative.evaluation import Evaluation, EvaluationSettings, evaluate
from fourcodec.generative.judging import Judge, memorisation
from fourcodec.generative.priors import ChosenPrior, IsotropicGaussian
from tests.support import toy

LATENTS = 3
SETTINGS = EvaluationSettings(samples=200, reconstructed=30)
KEYS = {
    "reconstruction_psnr_db",
    "refined_psnr_db",
    "frechet",
    "frechet_floor",
    "frechet_pca_gaussian",
    "precision",
    "recall",
    "density",
    "coverage",
    "malformed_share",
    "classifier_accuracy",
    "prior",
}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return train_classifier(toy.dataset(), toy.SETTINGS, seed=0, progress=lambda _: None)


@pytest.fixture(scope="module")
def found(classifier: Classifier) -> Evaluation:
    data = toy.dataset()
    return evaluate(toy.PcaModel(data, LATENTS, encoder=True), data, classifier, SETTINGS)


def test_json_has_the_promised_keys_and_only_plain_values(found: Evaluation) -> None:
    document = found.to_json()
    assert set(document) >= KEYS
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert (document["prior"], document["temperature"]) == ("gaussian", 1)


def test_samples_are_drawn_at_the_chosen_temperature_or_another(classifier: Classifier) -> None:
    data = toy.dataset()
    model = toy.PcaModel(data, LATENTS, encoder=False)
    model.chosen = replace(model.chosen, temperature=0.5)
    settings = replace(SETTINGS, temperature=0.5)
    cool = evaluate(model, data, classifier, SETTINGS).to_json()
    model.chosen = replace(model.chosen, temperature=1.0)
    assert cool == evaluate(model, data, classifier, settings).to_json()
    assert cool["temperature"] == 0.5


def test_a_model_of_principal_components_scores_as_they_do(found: Evaluation) -> None:
    document = found.to_json()
    assert document["refined_psnr_db"] == document["pca_psnr_db"] > document["reconstruction_psnr_db"]
    assert document["frechet"] == pytest.approx(document["frechet_pca_gaussian"], rel=0.5)
    assert document["frechet_floor"] < document["frechet"]


def test_without_an_encoder_the_fitted_latents_are_the_reconstruction(classifier: Classifier) -> None:
    data = toy.dataset()
    document = evaluate(toy.PcaModel(data, LATENTS, encoder=False), data, classifier, SETTINGS).to_json()
    assert document["refined_psnr_db"] is None
    assert document["reconstruction_psnr_db"] == document["pca_psnr_db"]


def test_the_same_seed_gives_the_same_numbers(found: Evaluation, classifier: Classifier) -> None:
    data = toy.dataset()
    again = evaluate(toy.PcaModel(data, LATENTS, encoder=True), data, classifier, SETTINGS)
    assert again.to_json() == found.to_json()


def test_an_isotropic_prior_scores_as_the_standard_normal(classifier: Classifier) -> None:
    data = toy.dataset()
    plain = toy.PcaModel(data, LATENTS, encoder=False)
    plain.chosen = ChosenPrior(IsotropicGaussian.fit(plain.train_latents))
    document = evaluate(plain, data, classifier, SETTINGS).to_json()
    assert document["prior"] == "isotropic"
    assert document["frechet"] == document["frechet_standard_normal"]


def test_psnr_is_that_of_the_mean_error_and_the_mean_of_images_stands_beside() -> None:
    images = np.zeros((2, 2, 3, 1), np.uint8)
    copies = images.copy()
    copies[0] += 1
    copies[1] += 10
    result = evaluation.reconstruction(images, copies)
    assert result.psnr_db == pytest.approx(10 * np.log10(255**2 / 50.5))
    assert result.image_psnr_db == pytest.approx(10 * np.log10(255**2) - 10)
    assert np.isfinite(evaluation.reconstruction(images, images).psnr_db)


def test_a_twentieth_of_the_test_images_counts_as_malformed(classifier: Classifier) -> None:
    data = toy.dataset(test=40)
    assert Judge(classifier, data).score(data.test).malformed_share == pytest.approx(0.05)


def test_the_test_images_themselves_are_perfect_samples(classifier: Classifier) -> None:
    data = toy.dataset()
    scores = Judge(classifier, data).score(data.test)
    assert scores.frechet == pytest.approx(0, abs=1e-6)
    assert (scores.precision, scores.recall, scores.coverage) == (1, 1, 1)


def test_copies_of_training_images_are_noticed() -> None:
    data = toy.dataset()
    copied = memorisation(data.train, data)
    assert (copied.nearest_is_train_share, copied.train_distance_ratio) == (1, pytest.approx(0, abs=0.05))
    assert copied.nearest_is_train_expected == 0.8
    assert memorisation(data.test, data).nearest_is_train_share == 0


def test_too_few_test_images_are_refused(classifier: Classifier) -> None:
    data = toy.dataset(test=9)
    with pytest.raises(DatasetError, match="9 test images: 10 are needed"):
        evaluate(toy.PcaModel(data, LATENTS, encoder=False), data, classifier, SETTINGS)


def test_data_of_another_shape_are_refused(classifier: Classifier) -> None:
    data = toy.dataset()
    other = toy.PcaModel(data, LATENTS, encoder=False)
    other.image_shape = (28, 28, 1)
    with pytest.raises(DatasetError, match="the model's images are 28 x 28 grey, those of 'bars' 12 x 8 grey"):
        evaluate(other, data, classifier, SETTINGS)


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    data = toy.dataset()
    path = tmp_path / "bars.npz"
    images, labels = np.concatenate([data.train, data.test]), np.concatenate([data.train_labels, data.test_labels])
    np.savez(path, images=images, labels=labels)
    return path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data_file: Path) -> list[str]:
    """A command line that evaluates a model of principal components."""
    monkeypatch.setattr(classifier_cache, "settings_for", lambda _: toy.SETTINGS)
    monkeypatch.setattr(model, "load_model", lambda _: toy.PcaModel(toy.dataset(), LATENTS, encoder=True))
    sizes = ["--samples", "100", "--reconstructed", "10", "--cache", str(tmp_path / "cache")]
    return ["generate", "evaluate", str(tmp_path), "--data", str(data_file), *sizes]


def test_the_command_prints_one_json_object_and_nothing_else(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*command, "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert set(json.loads(out)) >= KEYS
    assert err == ""


def test_the_command_prints_a_table_and_its_progress_apart(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(command) == 0
    out, err = capsys.readouterr()
    for title in ("gaussian at 1", "samples of N(0, I)", "PCA-3, Gaussian", "training images", "judge: labels"):
        assert title in out
    assert "classifier: epoch 3/3" in err


def test_the_prior_command_stores_a_prior_that_the_model_then_has(
    command: list[str], tmp_path: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_dataset(data_file)
    pca = toy.PcaModel(data, LATENTS, encoder=False)
    monkeypatch.setattr(model_prior, "load_model", lambda _: pca)
    (tmp_path / FILE_NAME).touch()  # the model's file, which the toy stands for
    few = {name: prior_choice.CANDIDATES[name] for name in ("isotropic", "gaussian")}
    monkeypatch.setattr(prior_choice, "CANDIDATES", few)
    said: list[str] = []
    monkeypatch.setattr(card, "write_card", lambda _folder, _today, note: said.append(note))
    assert cli.run(["generate", "prior", *command[2:5], "--cache", str(tmp_path / "cache"), "--quiet"]) == 0
    stored = prior_store.read_prior(tmp_path, pca.train_latents)
    assert stored is not None
    assert stored.prior.name in few
    assert said[0].startswith(f"{stored.prior.name} at temperature")
    monkeypatch.setattr(model_prior, "load_model", lambda _: toy.PcaModel(toy.dataset(), LATENTS, encoder=False))
    assert cli.run(["generate", "prior", *command[2:5]]) == 1  # the toy's parts are split otherwise: other data


def test_a_folder_that_holds_no_model_is_refused(
    data_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["generate", "evaluate", str(tmp_path), "--data", str(data_file)]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "holds no model: there is no model.safetensors in it" in err


def test_data_of_another_shape_are_refused_before_a_classifier_is_trained(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "other.npz", images=np.random.default_rng(0).integers(0, 255, (60, 9, 9, 3)).astype(np.uint8))
    command[command.index("--data") + 1] = str(tmp_path / "other.npz")
    assert cli.run(command) == 1
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "the model's images are 12 x 8 grey, those of 'other' 9 x 9 colour" in err
    assert not (tmp_path / "cache").exists()
