"""The classifier that judges: it learns, is kept, and is found again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fourcodec.generative import classifier_cache
from fourcodec.generative.classifier import Classifier, settings_for, train_classifier
from fourcodec.generative.classifier_cache import cached_classifier, load_classifier, save_classifier
from tests.support import toy


@pytest.fixture(scope="module")
def trained() -> Classifier:
    return train_classifier(toy.dataset(), toy.SETTINGS, seed=0, progress=lambda _: None)


def test_it_learns_what_labels_tell_whatever_their_numbers(trained: Classifier) -> None:
    assert (trained.task, trained.classes) == ("labels", 2)
    assert trained.accuracy > 0.9


def test_a_judgement_has_features_confidences_and_classes(trained: Classifier) -> None:
    judgement = trained.judge(toy.dataset().test)
    assert judgement.features.shape == (40, 8)
    assert judgement.features.dtype == judgement.confidence.dtype == np.float32
    assert judgement.confidence.min() >= 0.5 - 1e-6  # of two classes, one has at least a half
    assert judgement.confidence.max() <= 1
    labels = toy.dataset().test_labels
    assert labels is not None
    numbers = np.searchsorted(np.unique(labels), labels)
    assert np.mean(judgement.classes == numbers) == pytest.approx(trained.accuracy)


@pytest.mark.filterwarnings("error")
def test_images_that_are_read_only_are_judged_without_a_warning(trained: Classifier) -> None:
    images = toy.dataset().test[:2]
    images.setflags(write=False)
    assert len(trained.judge(images).features) == 2


def test_the_seed_decides_on_the_weights(trained: Classifier) -> None:
    lines: list[str] = []
    again = train_classifier(toy.dataset(), toy.SETTINGS, seed=0, progress=lines.append)
    assert again.weights_hash == trained.weights_hash
    assert len(lines) == toy.SETTINGS.epochs
    other = train_classifier(toy.dataset(), toy.SETTINGS, seed=1, progress=lines.append)
    assert other.weights_hash != trained.weights_hash


def test_one_test_image_is_enough_for_rotations() -> None:
    found = train_classifier(toy.dataset(test=1, labelled=False), toy.SETTINGS, seed=0, progress=lambda _: None)
    assert (found.task, found.classes) == ("rotation", 2)


def test_without_labels_it_tells_rotations() -> None:
    """The ramp from dark to light tells half turns, the only ones that keep the shape of these images."""
    found = train_classifier(toy.dataset(labelled=False), toy.SETTINGS, seed=0, progress=lambda _: None)
    assert (found.task, found.classes) == ("rotation", 2)
    assert found.accuracy > 0.8


def test_a_class_that_only_the_test_part_has_counts_as_wrong() -> None:
    data = toy.dataset()
    assert data.test_labels is not None
    foreign = replace(data, test_labels=np.full_like(data.test_labels, 9))
    assert train_classifier(foreign, toy.SETTINGS, seed=0, progress=lambda _: None).accuracy == 0


@pytest.mark.parametrize("images", [np.zeros((2, 12, 8, 1), np.uint8), np.zeros((2, *toy.SHAPE), np.float32)])
def test_images_of_another_kind_are_not_judged(trained: Classifier, images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="judges uint8 images"):
        trained.judge(images)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (9, 64, 3), (3, 5, 1)])
def test_the_networks_fit_images_of_any_size(shape: tuple[int, int, int]) -> None:
    import torch

    from fourcodec.generative.classifier import Network

    settings = settings_for(shape)
    network = Network(settings, shape, 10).eval()
    height, width, channels = shape
    assert network.features(torch.zeros(2, channels, height, width)).shape == (2, settings.last_width)


def test_a_stored_classifier_judges_the_same(tmp_path: Path, trained: Classifier) -> None:
    path = tmp_path / "classifier.safetensors"
    save_classifier(path, trained)
    again = load_classifier(path, toy.SETTINGS)
    assert vars(again) | {"network": None} == vars(trained) | {"network": None}
    images = toy.dataset().test
    assert np.array_equal(again.judge(images).features, trained.judge(images).features)


def test_what_is_in_the_cache_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURCODEC_CACHE_DIR", str(tmp_path / "cache"))
    first = cached_classifier(toy.dataset(), settings=toy.SETTINGS)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".safetensors"]
    monkeypatch.setattr(classifier_cache, "train_classifier", None)  # calling it would fail
    again = cached_classifier(toy.dataset(), settings=toy.SETTINGS, folder=tmp_path / "cache")
    assert again.weights_hash == first.weights_hash


def test_other_data_seeds_or_settings_are_other_classifiers(tmp_path: Path) -> None:
    for data, seed, settings in (
        (toy.dataset(), 0, toy.SETTINGS),
        (toy.dataset(), 1, toy.SETTINGS),
        (toy.dataset(name="other"), 0, toy.SETTINGS),
        (toy.dataset(), 0, replace(toy.SETTINGS, epochs=1)),
    ):
        cached_classifier(data, seed=seed, folder=tmp_path, settings=settings)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign"])
def test_a_damaged_file_in_the_cache_is_replaced(tmp_path: Path, damage: str, trained: Classifier) -> None:
    cached_classifier(toy.dataset(), folder=tmp_path, settings=toy.SETTINGS)
    (path,) = tmp_path.iterdir()
    sound = path.read_bytes()
    damaged = {"truncated": sound[:-5], "flipped": sound[:-1] + bytes([sound[-1] ^ 64]), "foreign": b"not tensors"}
    path.write_bytes(damaged[damage])
    again = cached_classifier(toy.dataset(), folder=tmp_path, settings=toy.SETTINGS)
    assert again.weights_hash == trained.weights_hash
    assert load_classifier(path, toy.SETTINGS).weights_hash == trained.weights_hash
