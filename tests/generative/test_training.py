"""Training: it learns, it can be killed, and it goes on as if nothing had happened."""

import math
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from fourcodec import cli
from fourcodec.cells import Grid
from fourcodec.errors import ConfigError, FitError, ModelError
from fourcodec.generative import training as training_module
from fourcodec.generative.baselines import PrincipalComponents
from fourcodec.generative.checkpoints import FILE_NAME, read_checkpoint, write_checkpoint
from fourcodec.generative.classifier_cache import cached_classifier
from fourcodec.generative.config import TrainingConfig
from fourcodec.generative.datasets import Dataset, load_dataset
from fourcodec.generative.model import TrainedModel
from fourcodec.generative.perception import SEED, Perception
from fourcodec.generative.schedules import Budget, rate_factor
from fourcodec.generative.training import Training
from fourcodec.generative.windows import cell_images
from tests.support import sets
from tests.support.door import Door
from tests.support.killed import bytes_below, killed, surroundings

# Resumes what is in the folder, with a checkpoint after every step, before which it waits at the door if there is one.
SCRIPT = """
import sys
from pathlib import Path
from fourcodec.generative.datasets import load_dataset
from fourcodec.generative.schedules import Budget
from fourcodec.generative.training import Training
from tests.support.door import wait_at_the_door
with Training.resume(load_dataset(Path(sys.argv[1])), Path(sys.argv[2]), device="cpu") as training:
    training.run(
        Budget(epochs=int(sys.argv[3])), lambda _: wait_at_the_door(), checkpoint_seconds=0
    )
"""
STEPS = 7  # of an epoch: 111 images in batches of 16


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("classifiers")


@pytest.fixture(autouse=True)
def in_a_folder_of_the_test(classifiers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Classifiers of this data are kept there, and not beside the user's."""
    monkeypatch.setattr(training_module, "cached_classifier", partial(cached_classifier, folder=classifiers))


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    return load_dataset(sets.write_npz(tmp_path / "discs.npz", sets.discs(120)))


def trained(data: Dataset, folder: Path, epochs: int, **tables: object) -> Training:
    with Training.begin(data, sets.tiny(**tables), folder, device="cpu", seed=1) as training:
        training.run(Budget(epochs=epochs))
    return training


def test_training_learns_and_says_so(data: Dataset, tmp_path: Path) -> None:
    history = trained(data, tmp_path / "model", 8, training={"batch": 8, "rate": 5e-3}).history
    assert history[-1].psnr_db > history[0].psnr_db + 1
    assert len((tmp_path / "model" / "log.csv").read_text().splitlines()) == 9
    assert (tmp_path / "model" / "log.png").exists()
    assert list((tmp_path / "model" / "sheets").glob("epoch-*.png"))


CELLS = {
    "latents": {"size": 4, "linear": True},
    "network": {"width": 3, "depth": 2, "activation": "linear", "cells": [2, 3]},
    "decoder": {"hidden": [8], "first_start": 0.3},
}
LINEAR = {"latents": {"size": 4, "linear": True}, "network": {"width": 5, "depth": 2, "activation": "linear"}}


def test_linear_parts_begin_as_principal_component_analysis(data: Dataset, tmp_path: Path) -> None:
    tables = {**LINEAR, "encoder": {"hidden": [8]}, "decoder": {"hidden": [8], "first_start": 0.3}}
    with Training.begin(data, sets.tiny(**tables), tmp_path / "model", device="cpu", seed=1) as training:
        core = training.core
    components = PrincipalComponents.fit(data.train, 4)
    assert core.encoder is not None
    with torch.no_grad():
        z = core.encoder(core.pixels(data.train)).numpy()
    assert np.allclose(z, components.whiten(data.train), atol=1e-4)

    def error(shown: np.ndarray) -> float:
        return float(np.square(shown - data.train / 255).mean())

    least, most = error(components.decode(components.encode(data.train))), error(data.train.mean(0) / 255)
    assert least < error(core.decode(z)) < least + (most - least) / 3


def test_linear_parts_of_cells_begin_as_components_of_the_cells(data: Dataset, tmp_path: Path) -> None:
    tables = {"encoder": {"hidden": [8]}, **CELLS}
    with Training.begin(data, sets.tiny(**tables), tmp_path / "model", device="cpu", seed=1) as training:
        core = training.core
    cells = cell_images(data.train, Grid(2, 3))
    components = PrincipalComponents.fit(cells, 4)
    assert core.encoder is not None
    with torch.no_grad():
        z = core.encoder(core.pixels(data.train)).numpy()
    assert np.allclose(z.reshape(-1, 4), components.whiten(cells), atol=1e-4)
    least = float(np.square(components.decode(components.encode(cells)) - cells / 255).mean())
    most = float(np.square(data.train.mean(0) / 255 - data.train / 255).mean())
    error = float(np.square(core.decode(z) - data.train / 255).mean())
    assert least < error < least + (most - least) / 2


def test_cells_that_do_not_divide_the_images_are_refused(data: Dataset, tmp_path: Path) -> None:
    tables = {"network": {"width": 2, "depth": 2, "cells": [3, 3]}}
    refused = pytest.raises(ConfigError, match="3 x 3 cells do not divide images of 8 x 12 pixels")
    with refused, Training.begin(data, sets.tiny(**tables), tmp_path / "model", device="cpu", seed=1):
        pass
    assert not (tmp_path / "model").exists()


def test_linear_latents_of_more_numbers_than_samples_are_refused(data: Dataset, tmp_path: Path) -> None:
    tables = {**LINEAR, "latents": {"size": 289, "linear": True}}
    refused = pytest.raises(ConfigError, match="289 linear latents for cells of 288 samples")
    with refused, Training.begin(data, sets.tiny(**tables), tmp_path / "model", device="cpu", seed=1):
        pass


def test_mirrored_images_are_learned_too(tmp_path: Path) -> None:
    images = sets.discs(400)
    at_left = images[images[:, :, :6].sum((1, 2, 3)) > images[:, :, 6:].sum((1, 2, 3))]
    data = load_dataset(sets.write_npz(tmp_path / "left.npz", at_left))

    def learned(mirrored: bool) -> TrainedModel:
        training = {"batch": 16, "rate": 3e-3, "mirrored": mirrored}
        core = trained(data, tmp_path / str(mirrored), 4, encoder={"hidden": [8]}, training=training, **LINEAR).core
        return TrainedModel(core, np.ones((2, core.config.latents.size), np.float32), data.content_hash, None)

    turned = np.ascontiguousarray(at_left[:, :, ::-1])

    def error(model: TrainedModel) -> float:
        z = model.encode(turned)
        assert z is not None
        return float(np.square(model.decode(z) - turned / 255).mean())

    with_mirrors, without = learned(mirrored=True), learned(mirrored=False)
    assert error(with_mirrors) < 0.8 * error(without)
    mirrored = with_mirrors.encode_mirrored(at_left)
    assert mirrored is not None
    assert np.array_equal(mirrored, with_mirrors.encode(turned))
    assert without.encode_mirrored(at_left) is None


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"encoder": {"hidden": [8]}},
        {"encoder": {"hidden": [8]}, **LINEAR},
        {"encoder": {"hidden": [8]}, "training": {"batch": 16, "mirrored": True}},
        CELLS,
        {"encoder": {"hidden": [8]}, **CELLS},
        {"training": {"batch": 16, "perceptual": 0.1}},
    ],
    ids=["free", "encoder", "linear", "mirrored", "cells", "cells with linear encoder", "perceptual"],
)
def test_a_training_in_two_parts_equals_one_without_a_break(
    tables: dict[str, object], data: Dataset, tmp_path: Path
) -> None:
    whole = trained(data, tmp_path / "whole", 3, **tables)

    class Stop(Exception):
        pass

    def stop_in_the_second_epoch(progress: object) -> None:
        broken.save()
        if getattr(progress, "epoch") == 2:  # noqa: B009
            raise Stop

    beginning = Training.begin(data, sets.tiny(**tables), tmp_path / "broken", device="cpu", seed=1)
    with pytest.raises(Stop), beginning as broken:
        broken.run(Budget(epochs=3), stop_in_the_second_epoch)
    with Training.resume(data, tmp_path / "broken", device="cpu") as resumed:
        resumed.run(Budget(epochs=3))
    assert_equal_models(tmp_path / "whole", tmp_path / "broken")
    assert [record.loss for record in whole.history] == [record.loss for record in resumed.history]


def test_the_perceptual_distance_is_zero_for_the_image_itself_and_falls(data: Dataset, classifiers: Path) -> None:
    perception = Perception(cached_classifier(data, seed=SEED, folder=classifiers), torch.device("cpu"))
    images = torch.from_numpy(np.array(data.train[:3].transpose(0, 3, 1, 2))).flatten(2)
    samples = (images.float() * (2 / 255) - 1).requires_grad_()
    assert perception.distances(samples, images).abs().max() < 1e-4
    blurred = samples.detach().unflatten(2, data.image_shape[:2]).roll(1, 3).flatten(2).requires_grad_()
    distances = perception.distances(blurred, images)
    assert distances.min() > 1
    distances.sum().backward()
    assert blurred.grad is not None
    assert perception.distances(blurred.detach() - 1e-3 * blurred.grad, images).sum() < distances.sum()


def test_a_perceptual_training_is_not_resumed_with_another_classifier(data: Dataset, tmp_path: Path) -> None:
    trained(data, tmp_path / "model", 1, training={"batch": 16, "perceptual": 0.1})
    tensors, facts = read_checkpoint(tmp_path / "model")
    write_checkpoint(tmp_path / "model", tensors, {**facts, "perception": "0" * 64})
    refused = pytest.raises(ModelError, match="another classifier")
    with refused, Training.resume(data, tmp_path / "model", device="cpu"):
        pass


def test_killed_three_times_it_ends_where_an_unbroken_run_does(data: Dataset, tmp_path: Path) -> None:
    """While a checkpoint is written and before it has its name, early in an epoch and at its end."""
    epochs, folder = 5, tmp_path / "killed"
    trained(data, tmp_path / "whole", epochs)
    with Training.begin(data, sets.tiny(), folder, device="cpu", seed=1) as begun:
        begun.save()
    arguments = str(tmp_path / "discs.npz"), str(folder), str(epochs)
    steps = [0]  # that the checkpoint holds
    for moment, number in (("fsync", 2), ("replace", 8), ("fsync", 5)):
        killed(SCRIPT, *arguments, moment=moment, number=number)
        facts = read_checkpoint(folder)[1]
        steps.append(STEPS * facts["epoch"] + facts["step"])
        assert steps[-2] < steps[-1] < STEPS * epochs
    subprocess.run([sys.executable, "-c", SCRIPT, *arguments], check=True, stdout=subprocess.DEVNULL)
    assert_equal_models(tmp_path / "whole", folder)
    assert not list(folder.rglob(".*.tmp"))


@pytest.mark.parametrize("mode", ["resume", "begin"])
def test_a_second_training_is_refused_and_the_first_loses_nothing(
    mode: str, data: Dataset, tmp_path: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    epochs, folder = 3, tmp_path / "model"
    (tmp_path / "tiny.toml").write_text(sets.TINY)
    with Training.begin(data, sets.tiny(), folder, device="cpu", seed=1) as begun:
        begun.save()
    arguments = [str(tmp_path / "discs.npz"), str(folder), str(epochs)]
    first = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], env=surroundings())
    door.let_in(STEPS)
    door.knock()  # it is in its second epoch
    (folder / f".{FILE_NAME}.0123456789ab.tmp").write_bytes(b"what it has written of a checkpoint")
    before = bytes_below(folder)
    options = {"resume": ["--resume"], "begin": ["--config", str(tmp_path / "tiny.toml")]}[mode]
    assert cli.run(["generate", "train", arguments[0], "-o", str(folder), "--device", "cpu", *options]) == 1
    err = capsys.readouterr().err
    assert "another run is writing to" in err
    assert len(err.splitlines()) == 1
    assert bytes_below(folder) == before
    door.open()
    assert first.wait() == 0
    trained(data, tmp_path / "whole", epochs)
    assert_equal_models(tmp_path / "whole", folder)


def assert_equal_models(first: Path, second: Path) -> None:
    (one, facts), (other, others) = read_checkpoint(first), read_checkpoint(second)
    assert all(torch.equal(one[name], other[name]) for name in one)
    losses, same = ([record["loss"] for record in found["history"]] for found in (facts, others))
    assert losses == same


def test_a_model_is_never_begun_over_another_or_resumed_on_other_data(data: Dataset, tmp_path: Path) -> None:
    trained(data, tmp_path / "model", 1)
    with pytest.raises(FileExistsError, match="holds a model already"):
        trained(data, tmp_path / "model", 1)
    other = load_dataset(sets.write_npz(tmp_path / "other.npz", sets.discs(120, seed=5)))
    with pytest.raises(ModelError, match="other data"), Training.resume(other, tmp_path / "model", device="cpu"):
        pass


def test_what_is_no_model_is_refused_in_one_line(data: Dataset, tmp_path: Path) -> None:
    from safetensors.numpy import save

    trained(data, tmp_path / "model", 1)
    sound = (tmp_path / "model" / FILE_NAME).read_bytes()
    bad = {
        "cut": sound[: len(sound) // 2],
        "empty": b"",
        "text": b"hello" * 100,
        "foreign": save({"weights": np.zeros(3, np.float32)}),
        "bare": save({"weights": np.zeros(3, np.float32)}, {"fourcodec": '{"version": 1}'}),
        "newer": save({}, {"fourcodec": '{"version": 99}'}),
        "json": save({}, {"fourcodec": "{"}),
    }
    for name, content in bad.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE_NAME).write_bytes(content)
    (tmp_path / "nothing").mkdir()
    for name in (*bad, "nothing", "missing"):
        resumed = Training.resume(data, tmp_path / name, device="cpu")
        with pytest.raises(ModelError, match=name) as caught, resumed:
            pass
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["log.csv", "log.png", "model.md"])
def test_a_training_overwrites_no_file_of_another_kind(name: str, data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("my own")
    with pytest.raises(FileExistsError, match=f"holds {name}, which a training would overwrite"):
        trained(data, tmp_path / "mine", 1)
    assert (tmp_path / "mine" / name).read_text() == "my own"


def changed_optimiser(folder: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor | None]) -> None:
    """Changes a tensor of the optimiser in a checkpoint, or removes it where `change` gives None."""
    tensors, facts = read_checkpoint(folder)
    new = change(tensors.pop(f"optimiser.{name}"))
    write_checkpoint(folder, tensors if new is None else {**tensors, f"optimiser.{name}": new}, facts)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("0.exp_avg", lambda _: torch.zeros(3)),
        ("0.exp_avg", lambda tensor: tensor.double()),
        ("0.exp_avg_sq", lambda tensor: tensor - 1),
        ("0.exp_avg_sq", lambda _: None),
        ("0.step", lambda tensor: 0 * tensor),
    ],
)
def test_an_optimiser_whose_state_is_damaged_is_refused(
    name: str, change: Callable[[torch.Tensor], torch.Tensor | None], data: Dataset, tmp_path: Path
) -> None:
    trained(data, tmp_path / "model", 1)
    changed_optimiser(tmp_path / "model", name, change)
    with pytest.raises(ModelError, match="no sound model"), Training.resume(data, tmp_path / "model", device="cpu"):
        pass


def test_a_training_that_diverges_keeps_its_checkpoint(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(data, tmp_path / "model", 1)
    sound = (tmp_path / "model" / FILE_NAME).read_bytes()
    with Training.resume(data, tmp_path / "model", device="cpu") as training:
        monkeypatch.setattr(training, "_descend", lambda *_: (math.nan, math.nan))
        with pytest.raises(FitError, match="diverged"):
            training.run(Budget(epochs=2))
        next(iter(training.core.decoder.parameters())).data[:] = math.inf
        with pytest.raises(FitError, match="diverged"):
            training.save()
    assert (tmp_path / "model" / FILE_NAME).read_bytes() == sound


def test_latents_of_a_stopped_training_are_those_of_the_images_as_they_are(tmp_path: Path) -> None:
    data = load_dataset(sets.write_npz(tmp_path / "set.npz", sets.discs(400)))
    tables = {"encoder": {"hidden": [8]}, "training": {"batch": 16, "rate": 1e-9, "mirrored": True}, **LINEAR}
    with Training.begin(data, sets.tiny(**tables), tmp_path / "model", device="cpu", seed=0) as training:
        for _ in range(training._steps):
            training._train_step(1.0)
        wanted, found = training.core.encode(training._images), training._table.values
        seen = found.any(1)
        assert seen.float().mean() > 0.4
        assert torch.allclose(found[seen], wanted[seen], atol=1e-3)


def test_rates_rise_and_fall_to_nothing_by_epochs_or_by_time() -> None:
    settings = TrainingConfig(warm_up=0.1, schedule="cosine")
    factors = [rate_factor(settings, fraction) for fraction in np.linspace(0, 1, 21)]
    assert factors[0] == 0
    assert factors[2] == 1
    assert factors[-1] == 0
    assert factors[2:] == sorted(factors[2:], reverse=True)
    assert Budget(minutes=2).fraction(epochs=7, seconds=60) == 0.5
    assert Budget(epochs=8).fraction(epochs=2, seconds=60) == 0.25
    with pytest.raises(ValueError, match="either"):
        Budget(epochs=1, minutes=1)
