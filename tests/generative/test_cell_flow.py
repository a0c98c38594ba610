"""The flow over cells: it learns the latents' density by class, goes both ways, is stored, and resumes exactly."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fourcodec.errors import ModelError
from fourcodec.generative.cell_flow import CellFlow, moments
from fourcodec.generative.cell_flow_training import CellFlowTraining
from fourcodec.generative.config import FlowConfig
from fourcodec.generative.prior_choice import prior_from_state
from fourcodec.generative.priors import PriorState
from fourcodec.generative.schedules import Budget

CONFIG = FlowConfig(width=32, blocks=1, epochs=40, batch=64, rate=5e-3)
CELLS = 4


def latents(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Codes of two numbers in four cells, 600 of them, and their labels 3 and 7: of label 7 the second numbers are
    larger by 4. Neighbouring cells have nearly equal first numbers."""
    random = np.random.default_rng(seed)
    labels = random.choice([3, 7], 600)
    z = 0.3 * random.normal(size=(600, CELLS, 2))
    z[:, :, 0] += random.normal(size=(600, 1))
    z[:, :, 1] += 4.0 * (labels == 7)[:, None]
    return z.reshape(600, -1).astype(np.float32), labels


NOISE = np.array(CELLS * [0.3, 1.5], np.float32)


def begun(folder: Path, seed: int = 0, *, labelled: bool = True, config: FlowConfig = CONFIG) -> CellFlowTraining:
    z, labels = latents(seed)
    return CellFlowTraining(
        z,
        labels if labelled else None,
        None,
        noise=NOISE,
        cells=CELLS,
        config=config,
        directory=folder,
        device="cpu",
        seed=2,
    )


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> CellFlow:
    return begun(tmp_path_factory.mktemp("flow")).run(Budget(epochs=CONFIG.epochs))


def test_samples_have_the_moments_of_the_latents_and_their_classes(flow: CellFlow) -> None:
    z, labels = latents()
    for label in (3, 7):
        found = flow.sample(400, seed=1, label=label).reshape(-1, CELLS, 2)
        wanted = z[labels == label].reshape(-1, CELLS, 2)
        assert np.abs(found.mean((0, 1)) - wanted.mean((0, 1))).max() < 0.3
        assert np.corrcoef(found[:, 0, 0], found[:, 1, 0])[0, 1] > 0.7  # cells know of each other
    both = flow.sample(400, seed=1).reshape(-1, CELLS, 2)
    assert 0.35 < (both[:, :, 1].mean(1) > 2).mean() < 0.65


def test_guidance_moves_samples_of_a_class_away_from_the_others(flow: CellFlow) -> None:
    guided = dataclasses.replace(flow, guidance=1.0)
    for label, sign in ((3, -1), (7, 1)):
        plain, moved = (one.sample(300, seed=1, label=label).reshape(-1, CELLS, 2) for one in (flow, guided))
        assert sign * (moved[:, :, 1].mean() - plain[:, :, 1].mean()) > 0
    z = latents()[0][:20]
    assert np.array_equal(guided.to_noise(z), flow.to_noise(z))  # without a class there is nothing to move from


def test_noise_on_the_codes_is_a_part_of_the_density(flow: CellFlow, tmp_path: Path) -> None:
    noisy = begun(tmp_path, config=dataclasses.replace(CONFIG, noise=1.0)).run(Budget(epochs=CONFIG.epochs))
    plain, spread = (one.sample(600, seed=1, label=7).std(0) for one in (flow, noisy))
    assert (spread[1::2] > 1.5 * plain[1::2]).all()  # 0.3 and sqrt(0.3^2 + 1.5^2)
    assert np.allclose(spread[0::2], plain[0::2], rtol=0.25)


def test_samples_follow_from_the_seed_and_the_temperature(flow: CellFlow) -> None:
    one = flow.sample(30, seed=5, label=3)
    assert np.array_equal(one, flow.sample(30, seed=5, label=3))
    assert not np.array_equal(one, flow.sample(30, seed=6, label=3))
    assert flow.sample(200, seed=5, temperature=0.3, label=3).std() < one.std()
    assert flow.sample(0, seed=5).shape == (0, 2 * CELLS)


def test_a_class_that_no_image_had_is_refused(flow: CellFlow, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no class 4; it knows 3, 7"):
        flow.sample(1, seed=0, label=4)
    without = begun(tmp_path, labelled=False).run(Budget(epochs=1))
    with pytest.raises(ModelError, match="without labels"):
        without.sample(1, seed=0, label=3)


def test_the_way_to_noise_and_back_ends_where_it_began(flow: CellFlow) -> None:
    z = latents()[0][:20]
    noise = flow.to_noise(z)
    assert 0.5 < noise.std() < 1.5
    assert np.abs(flow.from_noise(noise) - z).max() < 0.2


def test_ways_through_the_flow_visit_every_stop(flow: CellFlow) -> None:
    stops = latents()[0][:3]
    way = flow.interpolate(stops, 4)
    assert way.shape == (9, 2 * CELLS)
    assert np.array_equal(way[[0, 4, 8]], stops)
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    assert steps.max() < np.linalg.norm(np.diff(stops, axis=0), axis=1).max()
    assert np.array_equal(flow.interpolate(stops, 1), stops)


def test_a_stored_flow_samples_the_same_and_a_damaged_one_is_refused(flow: CellFlow) -> None:
    guided = dataclasses.replace(flow, guidance=0.5)
    state = guided.to_state()
    stored = prior_from_state(state)
    assert np.array_equal(stored.sample(5, seed=1), guided.sample(5, seed=1))
    before = {name: array for name, array in state.arrays.items() if name != "guidance"}  # as older models have it
    assert np.array_equal(prior_from_state(PriorState(state.kind, before)).sample(5, 1), flow.sample(5, 1))
    damaged = {
        "missing": {name: array for name, array in state.arrays.items() if name != "network.last.bias"},
        "shape": {**state.arrays, "network.first.weight": np.zeros((32, 3), np.float32)},
        "nan": {**state.arrays, "network.last.bias": np.full(2, np.nan, np.float32)},
        "cells": {**state.arrays, "network.places": np.zeros((3, 32), np.float32)},
        "width": {**state.arrays, "network.places": np.zeros((4, 33), np.float32)},
        "deviation": {**state.arrays, "deviation": np.zeros(2 * CELLS)},
        "labels": {**state.arrays, "labels": np.zeros(3, np.int64)},
        "shares": {**state.arrays, "shares": np.array([np.inf, 1.0])},
        "guidance": {**state.arrays, "guidance": np.array([-1.0])},
    }
    for name, arrays in damaged.items():
        with pytest.raises(ModelError, match="cell-flow"):
            print(name, prior_from_state(PriorState(state.kind, arrays)))


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_training_in_two_parts_equals_one_without_a_break(tmp_path: Path, noise: float) -> None:
    config = dataclasses.replace(CONFIG, noise=noise)
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole = begun(tmp_path / "whole", config=config).run(Budget(epochs=4))

    class Stop(Exception):
        pass

    def stop(progress: object) -> None:
        if getattr(progress, "fraction") > 0.4:  # noqa: B009
            raise Stop

    with pytest.raises(Stop):
        begun(tmp_path / "broken", config=config).run(Budget(epochs=4), stop, checkpoint_seconds=0)
    resumed = begun(tmp_path / "broken", config=config).run(Budget(epochs=4))
    assert np.array_equal(whole.sample(6, seed=1), resumed.sample(6, seed=1))
    assert np.array_equal(
        whole.sample(6, seed=1), begun(tmp_path / "whole", config=config).run(Budget(epochs=4)).sample(6, seed=1)
    )


def test_other_latents_begin_anew_and_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    begun(tmp_path).run(Budget(epochs=1))
    (tmp_path / "new").mkdir()
    other = begun(tmp_path, seed=1).run(Budget(epochs=1))
    assert np.array_equal(other.sample(3, seed=0), begun(tmp_path / "new", seed=1).run(Budget(epochs=1)).sample(3, 0))
    file = tmp_path / "flow-training.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"flow-training.safetensors"):
        begun(tmp_path)


def test_numbers_that_never_change_have_a_deviation() -> None:
    mean, deviation = moments(np.array([[1.0, 5.0], [3.0, 5.0]], np.float32))
    assert np.array_equal(mean, [2, 5])
    assert deviation[0] == 1
    assert 0 < deviation[1] < 0.01
