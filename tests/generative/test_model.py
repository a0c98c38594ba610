"""A trained model: images of latents, latents of images, and samples that are ordinary .fnc files."""

import math
import resource
from pathlib import Path

import numpy as np
import pytest
import torch

import fourcodec
from fourcodec.errors import LimitError, ModelError, UnsupportedFormatError
from fourcodec.generative import fnc, sheets, uses
from fourcodec.generative.checkpoints import FILE_NAME, read_checkpoint, write_checkpoint
from fourcodec.generative.datasets import load_dataset
from fourcodec.generative.model import TrainedModel, load_model, straight
from fourcodec.generative.schedules import Budget
from fourcodec.generative.training import Training
from tests.support import sets


def make(folder: Path, **tables: object) -> TrainedModel:
    data = load_dataset(sets.write_npz(folder / "discs.npz", sets.discs(120)))
    tables = {"training": {"batch": 8, "rate": 3e-3}, **tables}
    with Training.begin(data, sets.tiny(**tables), folder / "model", device="cpu", seed=0) as training:
        training.run(Budget(epochs=4))
    return load_model(folder / "model")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    return make(tmp_path_factory.mktemp("free"))


def test_latents_and_images_have_the_shapes_they_say(model: TrainedModel) -> None:
    z = model.sample(5, seed=3)
    assert (z.shape, z.dtype) == ((5, model.latent_size), np.float32)
    assert np.array_equal(z, model.sample(5, seed=3))
    images = model.decode(z)
    assert (images.shape, images.dtype) == ((5, *sets.SHAPE), np.float32)
    assert 0 <= images.min() <= images.max() <= 1
    assert model.encode(sets.discs(2)) is None
    assert len(model.train_latents) > 100


def test_a_lower_temperature_stays_nearer_to_the_middle(model: TrainedModel) -> None:
    assert np.allclose(model.sample(5, seed=3, temperature=0.5), model.sample(5, seed=3) / 2)


def test_embedding_finds_images_that_the_model_can_make(model: TrainedModel) -> None:
    images = sheets.to_bytes(model.decode(model.sample(6, seed=4)))
    fitted, start = model.embed(images), model.embed(images, iterations=0)
    assert uses.psnr_db(model, fitted, images) > 30
    assert uses.psnr_db(model, fitted, images) > uses.psnr_db(model, start, images) + 3


def test_an_encoder_is_where_embedding_starts(tmp_path: Path) -> None:
    model = make(tmp_path, encoder={"hidden": [8]})
    images = sets.discs(3)
    encoded = model.encode(images)
    assert encoded is not None
    assert np.array_equal(model.embed(images, iterations=0), encoded)
    training_images = load_dataset(tmp_path / "discs.npz").train
    assert np.allclose(model.train_latents, model.encode(training_images), atol=1e-5)


@pytest.mark.parametrize("activation", ["linear", "sigmoid"])
@pytest.mark.parametrize("cells", [[1, 1], [2, 3]], ids=str)
def test_fnc_files_decode_to_the_sheets_pixels_within_one_at_any_size(
    cells: list[int], activation: str, tmp_path: Path
) -> None:
    made = make(tmp_path, network={"width": 2, "depth": 2, "activation": activation, "cells": cells})
    z = made.sample(3, seed=1)
    for size in (None, (16, 24)):
        pixels = sheets.to_bytes(made.decode(z, size))
        for image, data in zip(pixels, fnc.to_fnc(made.core, z, size), strict=True):
            assert np.abs(fourcodec.decode(data).astype(int) - image).max() <= 1


def test_an_image_of_twice_the_size_shows_the_same(model: TrainedModel, tmp_path: Path) -> None:
    by_index = make(tmp_path, network={"width": 2, "depth": 2, "coordinates": "index"})
    for made in (model, by_index):
        z = made.sample(4, seed=1)
        small, large = made.decode(z), made.decode(z, (16, 24))
        means = large.reshape(4, 8, 2, 12, 2, 3).mean(axis=(2, 4))
        assert np.abs(means - small).mean() < 0.02


def test_coordinates_that_count_pixels_have_files_of_one_size_only(tmp_path: Path) -> None:
    made = make(tmp_path, network={"width": 2, "depth": 2, "coordinates": "index"})
    z = made.sample(1, seed=0)
    (data,) = fnc.to_fnc(made.core, z)
    assert np.abs(fourcodec.decode(data).astype(int) - sheets.to_bytes(made.decode(z))[0]).max() <= 1
    with pytest.raises(UnsupportedFormatError, match="12 x 8 only"):
        fnc.to_fnc(made.core, z, (16, 24))


def test_a_model_with_a_part_missing_or_of_another_shape_is_refused(model: TrainedModel, tmp_path: Path) -> None:
    make(tmp_path)
    tensors, facts = read_checkpoint(tmp_path / "model")
    broken = {
        "weight": ({name: t for name, t in tensors.items() if name != "decoder.mlp.0.weight"}, facts),
        "shape": ({**tensors, "decoder.base": tensors["decoder.base"][:-1]}, facts),
        "latents": ({**tensors, "latents.values": tensors["latents.values"][:, :2]}, facts),
        "config": (tensors, {**facts, "config": {"colour": 1}}),
        "facts": (tensors, {"config": facts["config"]}),
    }
    for name, (some, others) in broken.items():
        (tmp_path / name).mkdir()
        write_checkpoint(tmp_path / name, some, others)
        with pytest.raises(ModelError, match=f"{name}/{FILE_NAME}"):
            load_model(tmp_path / name)


def test_ways_between_latents_visit_every_stop() -> None:
    stops = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    way = straight(stops, 5)
    assert way.shape == (11, 4)
    assert np.allclose(way[[0, 5, 10]], stops)
    assert np.allclose(way[1], 0.8 * stops[0] + 0.2 * stops[1])


def test_nothing_is_allocated_by_what_a_strangers_configuration_says(model: TrainedModel, tmp_path: Path) -> None:
    make(tmp_path)
    tensors, facts = read_checkpoint(tmp_path / "model")
    config = facts["config"]
    broken = {
        "hidden": {"config": {**config, "decoder": {**config["decoder"], "hidden": [16384] * 3}}},
        "encoder": {"config": {**config, "encoder": {"hidden": [16384] * 3}}},
        "large": {"image_shape": [30000, 30000, 1]},
        "none": {"image_shape": [0, 0, 1]},
        "negative": {"image_shape": [-8, 8, 1]},
        "floats": {"image_shape": [8.0, 8, 1]},
        "text": {"image_shape": "888"},
        "channels": {"image_shape": [8, 8, 10**6]},
        "number": {"config": {**config, "training": {"rate": 10**400}}},
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, changed in broken.items():
        (tmp_path / name).mkdir()
        write_checkpoint(tmp_path / name, tensors, {**facts, **changed})
        with pytest.raises(ModelError, match=f"{name}/{FILE_NAME}"):
            load_model(tmp_path / name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["decoder.mlp.0.weight", "decoder.base", "latents.values"])
def test_weights_that_are_no_numbers_are_refused(name: str, value: float, model: TrainedModel, tmp_path: Path) -> None:
    make(tmp_path)
    tensors, facts = read_checkpoint(tmp_path / "model")
    tensors[name].view(-1)[0] = value
    write_checkpoint(tmp_path / "model", tensors, facts)
    with pytest.raises(ModelError, match=f"{name} is not finite"):
        load_model(tmp_path / "model")


def test_weights_that_overflow_are_refused_where_they_are_used(model: TrainedModel, tmp_path: Path) -> None:
    made = make(tmp_path)
    with torch.no_grad():
        for weights in made.core.decoder.parameters():
            weights.fill_(3e38)
    z = np.ones((1, 4), np.float32)
    for use in (made.decode, lambda z: fnc.to_fnc(made.core, z)):
        with pytest.raises(ModelError, match="not finite"):
            use(z)


def test_coefficients_beyond_the_coarsest_step_are_refused_without_a_warning(tmp_path: Path) -> None:
    made = make(tmp_path)
    with torch.no_grad():
        made.core.decoder.mlp[-1].bias.fill_(1e38)
    with pytest.raises(LimitError, match="more than 20 bits"), np.errstate(all="raise"):
        fnc.to_fnc(made.core, np.ones((1, 4), np.float32))
