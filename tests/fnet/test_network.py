"""The whole network: values, gradients and sensitivities, numba and torch against the formula."""

import numpy as np
import pytest

from fourcodec.fnet import network as fourier
from fourcodec.fnet.backends import Backend, backend_of
from fourcodec.fnet.network_torch import TorchBackend
from fourcodec.fourier.shape import NetworkShape
from tests.support import reference

SHAPE = NetworkShape(width=4, depth=3, channels=3)
SHAPES = [SHAPE, NetworkShape(5, 3, 3, order=2), NetworkShape(3, 2, 3, order=1)]
DEVICES = ["cpu", "torch", pytest.param("cuda", marks=pytest.mark.cuda)]


def backend_named(name: str) -> Backend:
    return backend_of("cpu") if name == "cpu" else TorchBackend("cuda" if name == "cuda" else "cpu")


@pytest.fixture
def problem() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    coefficients = random.normal(0, 0.1, SHAPE.coefficient_count).astype(np.float32)
    return coefficients, random.random((2, 2000), np.float32), random.random((3, 2000), np.float32)


def test_counts_are_those_of_the_thesis() -> None:
    assert NetworkShape(8, 6, 3).coefficient_count == 22_080
    assert NetworkShape(1, 1, 1).coefficient_count == 2 * (4 * 1 + 2)
    assert NetworkShape(8, 6, 3, order=3).coefficient_count == 8_062


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("device", DEVICES)
def test_values_and_gradients_equal_the_formula(
    device: str, shape: NetworkShape, problem: tuple[np.ndarray, ...]
) -> None:
    _, x, target = problem
    coefficients = np.random.default_rng(5).normal(0, 0.1, shape.coefficient_count).astype(np.float32)
    backend = backend_named(device)
    exact = reference.double(coefficients)
    y = reference.network(shape.layers, exact, reference.double(x))
    mse = (y - reference.double(target)).square().mean()
    mse.backward()
    assert reference.largest_error(backend.evaluate(shape, coefficients, x), y) < 1e-4  # composition amplifies rounding
    found, gradient = backend.mse_gradient(shape, coefficients[None], x, target)
    assert found == pytest.approx(float(mse.detach()), rel=1e-4)
    assert reference.largest_error(gradient, exact.grad) < 3e-4


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("device", DEVICES)
def test_rows_of_coefficients_have_equal_shares_of_the_positions(
    device: str, shape: NetworkShape, problem: tuple[np.ndarray, ...]
) -> None:
    _, x, target = problem
    rows = np.random.default_rng(5).normal(0, 0.1, (5, shape.coefficient_count)).astype(np.float32)
    backend = backend_named(device)
    mse, gradient = backend.mse_gradient(shape, rows, x, target)
    shares = zip(rows, np.split(x, 5, axis=1), np.split(target, 5, axis=1), strict=True)
    errors, gradients = zip(*(backend.mse_gradient(shape, row[None], *share) for row, *share in shares), strict=True)
    assert mse == pytest.approx(np.mean(errors), rel=1e-6)
    np.testing.assert_allclose(gradient, np.mean(gradients, axis=0), rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="2000 positions cannot be shared equally among 3 networks"):
        backend.mse_gradient(shape, rows[:3], x, target)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("device", DEVICES)
def test_sensitivities_equal_the_formula(device: str, shape: NetworkShape, problem: tuple[np.ndarray, ...]) -> None:
    _, x, _ = problem
    random = np.random.default_rng(5)
    coefficients = random.normal(0, 0.1, shape.coefficient_count).astype(np.float32)
    signs = random.choice(np.array([-1, 1], np.float32), (3, 2000))
    values, outputs = reference.double(x), []
    for layer in shape.layers:
        w = reference.double(coefficients[layer.span].reshape(-1, 2, layer.outputs))
        outputs.append(reference.layer(w, values, layer.residual, layer.order))
        outputs[-1].retain_grad()
        values = outputs[-1]
    (values * reference.double(signs)).sum().backward()
    found = backend_named(device).sensitivities(shape, coefficients, x, signs)
    for (inputs, derivatives), before, after in zip(found, [reference.double(x), *outputs], outputs, strict=False):
        assert reference.largest_error(inputs, before) < 1e-4
        assert reference.largest_error(derivatives, after.grad) < 3e-4


@pytest.mark.parametrize("device", DEVICES)
def test_output_shifts_are_those_of_each_layer(device: str, problem: tuple[np.ndarray, ...]) -> None:
    coefficients, x, _ = problem
    direction = np.random.default_rng(1).normal(0, 1, coefficients.shape).astype(np.float32)
    shifts = backend_named(device).output_shifts(SHAPE, coefficients, direction, x)
    values = reference.double(x)
    for layer, shift in zip(SHAPE.layers, shifts, strict=True):
        moved = reference.layer(reference.double(direction[layer.span].reshape(-1, 2, layer.outputs)), values, False)
        assert shift == pytest.approx(float(moved.detach().square().mean().sqrt()), rel=1e-4)
        w = reference.double(coefficients[layer.span].reshape(-1, 2, layer.outputs))
        values = reference.layer(w, values, layer.residual)


def test_nothing_depends_on_the_number_of_threads(
    problem: tuple[np.ndarray, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    coefficients, x, target = problem
    found = []
    for threads in ("1", "4"):
        monkeypatch.setenv("FOURCODEC_THREADS", threads)
        mse, gradient = fourier.mse_gradient(SHAPE, coefficients[None], x, target)
        found.append((mse, gradient, fourier.evaluate(SHAPE, coefficients, x)))
    for one, four in zip(*found, strict=True):
        assert np.array_equal(one, four)
