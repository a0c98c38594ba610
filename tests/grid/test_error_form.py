"""The quadratic form of errors: its kernels against the formula, and every part of a fit counts the same form."""

import numpy as np
import pytest
import torch

from fourcodec.grid.cuda import error_form
from fourcodec.grid.cuda.error_form import TorchForm
from fourcodec.grid.error_form import BOUND, PHASE_TURNS, STRENGTH, ErrorForm, FormKernels
from fourcodec.grid.gradient import GridGradient
from fourcodec.grid.ssimulacra2 import PHASES, Ssimulacra2
from fourcodec.grid.weights import GridWeights
from tests.support.grid_problems import DISTORTION, problem_of
from tests.support.grids import config_of

SIZES = [(3, 37, 50), (3, 64, 33), (1, 16, 33), (3, 1, 1), (1, 3, 2)]
SCALES = 3


def form_of(height: int, width: int, metric_share: float = 0.0) -> ErrorForm:
    random = np.random.default_rng(height + width)
    weights = []
    for _ in range(SCALES):
        weights.append((random.random((height, width)) + 0.1).astype(np.float32))
        height, width = -(-height // 2), -(-width // 2)
    return ErrorForm(tuple(weights), metric_share)


def value_of(form: ErrorForm, errors: np.ndarray) -> float:
    """The formula in float64, pixel by pixel."""
    planes = errors.astype(np.float64)
    total = 0.0
    for k, weight in enumerate(form.weights):
        if k:
            sums = np.zeros((len(planes), *weight.shape))
            for row in range(planes.shape[1]):
                for column in range(planes.shape[2]):
                    sums[:, row // 2, column // 2] += planes[:, row, column]
            planes = sums / 4
        total += 4.0**k * float(np.einsum("hw,chw->", weight.astype(np.float64), planes**2))
    return total


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_value_and_gradient_are_those_of_the_formula(size: tuple[int, int, int]) -> None:
    form, random = form_of(*size[1:]), np.random.default_rng(1)
    errors, change = random.standard_normal((2, *size))
    kernels, planes = FormKernels(form, np.zeros(size, np.float32), 2), errors.astype(np.float32)
    assert kernels.measure(planes) == pytest.approx(value_of(form, errors), rel=1e-5)
    kernels.weigh(planes)
    slope = value_of(form, errors + change) - value_of(form, errors - change)  # exact: the form is quadratic
    assert 4 * float((planes * change).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("size", [(3, 40, 64), (1, 16, 32)], ids=str)
def test_costs_of_pixels_sum_to_the_value(size: tuple[int, int, int]) -> None:
    kernels = FormKernels(form_of(*size[1:]), np.zeros(size, np.float32), 1)
    planes = np.random.default_rng(2).standard_normal(size).astype(np.float32)
    value = kernels.measure(planes)
    assert kernels.costs(planes, 2.5).sum(dtype=np.float64) == pytest.approx(2.5 * value, rel=1e-5)


def test_nothing_depends_on_threads() -> None:
    planes, target = np.random.default_rng(3).random((2, 3, 70, 51), np.float32)
    planes -= 0.5
    found = []
    for threads in (1, 3):
        kernels, own = FormKernels(form_of(70, 51, 0.5), target, threads), planes.copy()
        value = kernels.measure(own)
        costs = kernels.costs(own, 1.0)
        kernels.weigh(own)
        found.append((value, costs.tobytes(), own.tobytes()))
    assert found[0] == found[1]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_torch_form_is_that_of_the_kernels(size: tuple[int, int, int]) -> None:
    form = form_of(*size[1:])
    errors, target = np.random.default_rng(4).standard_normal((2, *size)).astype(np.float32)
    twin = TorchForm.of(form, target, torch.from_numpy)
    other = twin.empty()
    other.take(twin)
    kernels, planes = FormKernels(form, target, 1), errors.copy()
    kernels.measure(planes)
    assert np.allclose(other.costs(torch.from_numpy(errors)).numpy(), kernels.costs(planes, 1.0), rtol=1e-4, atol=1e-5)
    assert float(other.measure(torch.from_numpy(errors))) == pytest.approx(kernels.measure(errors), rel=1e-5)


def test_the_metric_pulls_the_gradient() -> None:
    size = (3, 70, 51)
    target, noise = np.random.default_rng(6).random((2, *size), np.float32)
    errors = 0.2 * (noise - 0.5)
    form = form_of(*size[1:], 0.25)
    alone, both = FormKernels(form_of(*size[1:]), target, 1), FormKernels(form, target, 1)
    half, mixed = errors.copy(), errors.copy()
    value = alone.measure(half)
    alone.weigh(half)
    assert both.measure(mixed) == value
    both.weigh(mixed)
    slope = Ssimulacra2(target, 1).gradient(errors)[1].astype(np.float64)
    strength = STRENGTH * np.sqrt((half.astype(np.float64) ** 2).mean())
    slope *= strength / np.sqrt((slope**2).mean())
    bounded = slope / np.sqrt(1 + (slope / (BOUND * strength)) ** 2)
    pull = 0.25 * (bounded - half)
    assert np.allclose(mixed, half + pull, rtol=1e-4, atol=1e-5)

    alone.measure(planes := errors.copy())
    both.measure(errors)
    more = both.costs(errors, 2.0) - alone.costs(planes, 2.0)
    assert np.allclose(more, 4 * (pull * errors).sum(axis=0), rtol=1e-3, atol=1e-4)
    again = errors.copy()
    both.measure(again)
    both.weigh(again, anew=False)
    assert np.array_equal(again, mixed)


def test_the_phases_of_the_metric_come_in_turns_of_equal_length(monkeypatch: pytest.MonkeyPatch) -> None:
    phases, gradient = [], Ssimulacra2.gradient

    def noting(self: Ssimulacra2, errors: np.ndarray, phase: int) -> tuple[float, np.ndarray]:
        phases.append(phase)
        return gradient(self, errors, phase)

    monkeypatch.setattr(Ssimulacra2, "gradient", noting)
    target, errors = np.random.default_rng(10).random((2, 1, 20, 20), np.float32)
    kernels = FormKernels(form_of(20, 20, 0.5), target, 1)
    for turn in range(2 * PHASE_TURNS * PHASES):
        planes = errors - 0.5
        kernels.measure(planes)
        kernels.weigh(planes, anew=turn % 2 == 0)
    held = np.reshape(phases, (PHASES, PHASE_TURNS))
    assert (held == held[:, :1]).all()
    assert sorted(held[:, 0]) == list(range(PHASES))


def test_the_torch_form_is_pulled_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_form, "_PHASES", (0,))  # that of the kernels' first turn
    size = (3, 70, 51)
    target, noise = np.random.default_rng(7).random((2, *size), np.float32)
    errors, form = 0.2 * (noise - 0.5), form_of(*size[1:], 0.5)
    kernels, planes = FormKernels(form, target, 1), errors.copy()
    value = kernels.measure(planes)
    costs_alone = FormKernels(form_of(*size[1:]), target, 1)
    kernels.weigh(planes)
    x = torch.from_numpy(errors).requires_grad_()
    twin = TorchForm.of(form, target, torch.from_numpy)
    weighed = twin.weighed(x)
    weighed.backward()
    assert weighed.item() == pytest.approx(value, rel=1e-5)
    assert x.grad is not None
    assert np.abs(x.grad.numpy() / 2 - planes).max() < 0.02 * np.abs(planes).max()
    kernels.measure(errors)
    costs_alone.measure(errors)
    wanted = kernels.costs(errors, 1.0) - costs_alone.costs(errors, 1.0)
    found = twin.pull_cost(torch.from_numpy(errors)).numpy()
    assert np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max()


@pytest.mark.parametrize("size", [(3, 70, 51), (3, 9, 9)], ids=str)
def test_nothing_pulls_where_nothing_is_wrong_or_the_picture_is_small(size: tuple[int, int, int]) -> None:
    target = np.random.default_rng(8).random(size, np.float32)
    errors = np.zeros(size, np.float32) if size[1] > 20 else target - 0.5
    gradients = []
    for share in (0.0, 0.5):
        kernels, planes = FormKernels(form_of(*size[1:], share), target, 1), errors.copy()
        kernels.measure(planes)
        kernels.weigh(planes)
        gradients.append(planes)
        x = torch.from_numpy(errors.copy()).requires_grad_()
        TorchForm.of(form_of(*size[1:], share), target, torch.from_numpy).weighed(x).backward()
        assert x.grad is not None
        assert np.allclose(x.grad.numpy() / 2, planes, rtol=1e-4, atol=1e-5)
    assert np.array_equal(*gradients)


def test_a_tile_has_the_picture_s_weights() -> None:
    form = form_of(100, 84, 0.5)
    tile = form.cut(slice(64, 100), slice(0, 64))
    assert tile.metric_share == form.metric_share == 0.5
    for k, plane in enumerate(tile.weights):
        assert np.array_equal(plane, form.weights[k][64 >> k :, : 64 >> k])


def network_of(form: ErrorForm | None) -> tuple[GridGradient, GridWeights, np.ndarray]:
    problem = problem_of(config_of(37, 50, 3, levels=5, smooth=True))
    network = problem.network()
    network.form = None if form is None else FormKernels(form, problem.target.copy(), 1)
    return network, problem.weights, problem.target


def assert_is_kernel_gradient(
    found: np.ndarray, network: GridGradient, weights: GridWeights, target: np.ndarray
) -> None:
    """Asserts that `found` is the gradient of the distortion by the residual filter, on which no rate depends."""
    change = np.random.default_rng(5).normal(0, 1e-3, weights.kernel.shape).astype(np.float32)
    values = []
    for sign in (1, -1):
        weights.kernel[:] += sign * change
        values.append(network.squared_error(weights, target))
        weights.kernel[:] -= sign * change
    slope = DISTORTION * (values[0] - values[1]) / 2
    assert float((found * change).sum()) == pytest.approx(slope, rel=2e-2)


def test_gradients_errors_and_costs_count_the_same_form() -> None:
    """What steps, the choice of quantisers and RDOQ see."""
    form = form_of(37, 50)
    network, weights, target = network_of(form)
    squares, _, gradients = network.gradient(weights, target, DISTORTION)
    assert network.squared_error(weights, target) == squares
    errors = network.synthesise(weights) - target
    assert squares == pytest.approx(value_of(form, errors), rel=1e-4)
    costs, _ = network.costs(weights, target, DISTORTION, [0])
    kernels = FormKernels(form, target, 1)
    kernels.measure(errors)
    assert np.allclose(costs, kernels.costs(errors, DISTORTION), rtol=1e-3, atol=1e-5)
    assert_is_kernel_gradient(gradients.kernel, network, weights, target)


def test_hidden_pixels_do_not_count_in_a_form() -> None:
    form = form_of(37, 50, 0.5)
    network, weights, target = network_of(form)
    shown = target.copy()
    network.visible = (np.arange(50) < 30).astype(np.float32)[None].repeat(37, axis=0)
    found = []
    for hidden in (0.0, 1.0):
        target[:, :, 30:] = hidden
        network.form = FormKernels(form, shown, 1)  # PyramidFit hides what is hidden from it
        squares, _, gradients = network.gradient(weights, target, DISTORTION)
        found.append((squares, network.latent_gradients.tobytes(), gradients.flat().tobytes()))
    assert found[0] == found[1]


@pytest.mark.parametrize("formed", [False, True])
def test_gradients_of_partly_hidden_pixels_are_those_of_their_errors(formed: bool) -> None:
    """At half the size of a picture, a pixel may be hidden in part."""
    network, weights, target = network_of(form_of(37, 50) if formed else None)
    network.visible = np.random.default_rng(6).integers(0, 5, (37, 50)).astype(np.float32) / 4
    gradients = network.gradient(weights, target, DISTORTION)[2]
    assert_is_kernel_gradient(gradients.kernel, network, weights, target)


def test_equal_weights_of_one_scale_are_squared_errors() -> None:
    network, weights, target = network_of(None)
    squares = network.squared_error(weights, target)
    form = ErrorForm((np.ones((37, 50), np.float32),))
    network.form = FormKernels(form, target, 1)
    assert network.squared_error(weights, target) == pytest.approx(squares, rel=1e-5)
