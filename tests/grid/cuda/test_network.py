"""The grid's network in torch against the kernels, which tests/grid/test_network.py holds to the formulas."""

import numpy as np
import pytest

from fourcodec.grid.config import GridConfig
from fourcodec.grid.cuda import network as grid_torch
from fourcodec.grid.cuda.error_form import TorchForm
from fourcodec.grid.cuda.network import TorchGridGradient
from fourcodec.grid.error_form import ErrorForm, FormKernels
from tests.support.grid_problems import CONFIGS, DISTORTION, EDGES, SCALE, Problem, problem_of
from tests.support.grids import config_of

ALL = CONFIGS + [config_of(*size, 1, levels=2) for size in EDGES] + [config_of(9, 14, 1, levels=1)]
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]


def network_of(problem: Problem, device: str) -> TorchGridGradient:
    network = TorchGridGradient(problem.config.pyramid, problem.config.shape, SCALE, device)
    network.planes[:] = problem.network().planes
    return network


def assert_near(found: np.ndarray, wanted: np.ndarray, share: float = 3e-6) -> None:
    assert found.shape == wanted.shape
    if found.size:
        assert np.abs(found - wanted).max() <= share * np.abs(wanted).max()


def assert_equal_gradients(problem: Problem, network: TorchGridGradient, visible: np.ndarray | None = None) -> None:
    kernels = problem.network()
    kernels.visible = visible
    network.visible = None if visible is None else network.send(visible)
    wanted = kernels.gradient(problem.weights, problem.target, DISTORTION)
    found = network.gradient(problem.weights, network.send(problem.target), DISTORTION)
    assert found[0] == pytest.approx(wanted[0], rel=1e-6)
    assert_near(found[1], wanted[1])
    for one, other in zip(found[2].parts(), wanted[2].parts(), strict=True):
        assert_near(one, other)
    there = kernels.mask > 0
    assert_near(network.latent_gradients[:4, there], kernels.latent_gradients[:4, there])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("config", ALL, ids=lambda config: f"{config.height}x{config.width}")
def test_values_and_gradients_are_those_of_the_kernels(config: GridConfig, device: str) -> None:
    problem = problem_of(config)
    assert_equal_gradients(problem, network_of(problem, device))


@pytest.mark.parametrize("device", DEVICES)
def test_what_is_not_visible_has_no_slopes(device: str) -> None:
    problem = problem_of(config_of(37, 50, 3, smooth=True))
    visible = (np.random.default_rng(0).random((37, 50)) < 0.5).astype(np.float32)
    assert_equal_gradients(problem, network_of(problem, device), visible)


@pytest.mark.parametrize("device", DEVICES)
def test_a_form_of_errors_is_that_of_the_kernels(device: str) -> None:
    problem = problem_of(config_of(37, 50, 3, smooth=True))
    random = np.random.default_rng(0)
    form = ErrorForm(tuple(random.random(size, np.float32) + np.float32(0.1) for size in ((37, 50), (19, 25))))
    kernels, network = problem.network(), network_of(problem, device)
    kernels.form, network.form = FormKernels(form, problem.target, 1), TorchForm.of(form, problem.target, network.send)
    kernels.visible = (random.random((37, 50)) < 0.5).astype(np.float32)
    network.visible = network.send(kernels.visible)
    wanted = kernels.gradient(problem.weights, problem.target, DISTORTION)
    target = network.send(problem.target)
    found = network.gradient(problem.weights, target, DISTORTION)
    assert found[0] == pytest.approx(wanted[0], rel=1e-5)
    for one, other in zip(found[2].parts(), wanted[2].parts(), strict=True):
        assert_near(one, other, 1e-5)
    costs = [
        one.costs(problem.weights, any_, DISTORTION, [0])[0]
        for one, any_ in ((kernels, problem.target), (network, target))
    ]
    assert_near(costs[1], costs[0], 1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_large_pictures_in_slabs_are_equal_too(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid_torch, "_SLAB", 500)
    problem = problem_of(config_of(37, 50, 3, smooth=True))
    assert_equal_gradients(problem, network_of(problem, device))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("config", [CONFIGS[0], CONFIGS[-2]], ids=lambda config: f"{config.height}x{config.width}")
def test_costs_are_those_of_the_kernels(config: GridConfig, device: str) -> None:
    problem = problem_of(config)
    kernels, network, levels = problem.network(), network_of(problem, device), range(config.levels)
    target = network.send(problem.target)
    wanted = kernels.costs(problem.weights, problem.target, DISTORTION, levels)
    for one, other in zip(network.costs(problem.weights, target, DISTORTION, levels), wanted, strict=True):
        assert_near(one, other)
    entropy_model = problem.weights.entropy_model
    assert network.latent_bits(entropy_model) == pytest.approx(kernels.latent_bits(entropy_model), rel=1e-6)
    squares = kernels.squared_error(problem.weights, problem.target)
    assert network.squared_error(problem.weights, target) == pytest.approx(squares, rel=1e-6)
    network.arrange()
    for mine, theirs in zip(network.latents, kernels.latents, strict=True):
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("device", DEVICES)
def test_equal_arguments_give_equal_gradients(device: str) -> None:
    problem = problem_of(config_of(170, 157, 3, smooth=True))
    network = network_of(problem, device)
    target, found = network.send(problem.target), []
    for _ in range(3):
        squares, _, gradients = network.gradient(problem.weights, target, DISTORTION)
        found.append((squares, gradients.flat(), network.latent_gradients.copy()))
    for squares, gradients, latent_gradients in found[1:]:
        assert squares == found[0][0]
        assert np.array_equal(gradients, found[0][1])
        assert np.array_equal(latent_gradients, found[0][2])
