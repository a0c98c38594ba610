"""Many networks at once: the fused kernels and their torch twin against the formula."""

import math

import numpy as np
import pytest
import torch

from fourcodec.cells import Grid
from fourcodec.fourier.batch import FourierImages
from fourcodec.fourier.layout import LINEAR, SIGMOID
from fourcodec.fourier.shape import NetworkShape
from fourcodec.positions import INDEX_OVER_32, positions
from tests.support import reference

SIZE = (14, 15)  # 210 positions: a whole block and a part of one
SHAPES = [NetworkShape(5, 3, 1), NetworkShape(2, 2, 3)]


def problem(shape: NetworkShape, activation: int) -> tuple[FourierImages, np.ndarray, np.ndarray, np.ndarray]:
    """Networks, coefficients of five images, their targets, and the positions."""
    random = np.random.default_rng(1)
    x = positions(SIZE, np.arange(SIZE[0] * SIZE[1]), INDEX_OVER_32)
    coefficients = random.normal(0, 0.1, (5, shape.coefficient_count)).astype(np.float32)
    targets = random.integers(0, 256, (5, shape.channels, x.shape[1]), dtype=np.uint8)
    return FourierImages.of_one_cell(shape, x, activation), coefficients, targets, x


def samples_by_formula(shape: NetworkShape, coefficients: torch.Tensor, x: np.ndarray, activation: int) -> torch.Tensor:
    y = reference.network(shape.layers, coefficients, reference.double(x))
    return 2 * torch.sigmoid(y) - 1 if activation == SIGMOID else 2 * y - 1


@pytest.mark.parametrize("activation", [LINEAR, SIGMOID])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values_errors_and_gradients_equal_the_formula(shape: NetworkShape, activation: int) -> None:
    fourier, coefficients, targets, x = problem(shape, activation)
    samples = fourier.evaluate(torch.from_numpy(coefficients)).numpy()
    errors, gradients = fourier.errors_and_gradients(coefficients, targets)
    for image in range(len(coefficients)):
        exact = reference.double(coefficients[image])
        wanted = samples_by_formula(shape, exact, x, activation)
        error = (wanted - reference.double(targets[image]) * 2 / 255 + 1).square().sum()
        error.backward()
        assert reference.largest_error(samples[image], wanted) < 1e-4
        assert errors[image] == pytest.approx(float(error.detach()), rel=1e-4)
        assert reference.largest_error(gradients[image], exact.grad) < 3e-4


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_the_torch_twin_equals_the_kernels(device: str) -> None:
    fourier, coefficients, targets, _ = problem(SHAPES[0], SIGMOID)
    plain = torch.from_numpy(coefficients).to(device).requires_grad_()
    errors = fourier.squared_errors_by_formula(plain, torch.from_numpy(targets).to(device))
    errors.sum().backward()
    found, gradients = fourier.errors_and_gradients(coefficients, targets)
    assert np.allclose(errors.detach().cpu(), found, rtol=1e-4)
    assert plain.grad is not None
    assert reference.largest_error(gradients, plain.grad.cpu()) < 3e-4


def test_autograd_passes_each_images_slope_on() -> None:
    fourier, coefficients, targets, _ = problem(SHAPES[0], SIGMOID)
    weights = torch.arange(5.0)
    inner = torch.from_numpy(coefficients).requires_grad_()
    (fourier.squared_errors(inner, torch.from_numpy(targets)) * weights).sum().backward()
    _, gradients = fourier.errors_and_gradients(coefficients, targets)
    assert inner.grad is not None
    assert np.array_equal(inner.grad.numpy(), gradients * weights.numpy()[:, None])


def test_no_image_depends_on_the_others_or_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    fourier, coefficients, targets, _ = problem(SHAPES[0], SIGMOID)
    many = np.repeat(coefficients, 5, axis=0), np.repeat(targets, 5, axis=0)  # four pieces of work
    monkeypatch.setenv("FOURCODEC_THREADS", "1")
    one = fourier.errors_and_gradients(*many)
    monkeypatch.setenv("FOURCODEC_THREADS", "3")
    three = fourier.errors_and_gradients(*many)
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))
    alone = fourier.errors_and_gradients(coefficients[:1], targets[:1])
    assert np.array_equal(alone[1][0], one[1][4])


def of_cells(shape: NetworkShape, activation: int, grid: Grid) -> tuple[FourierImages, np.ndarray, np.ndarray]:
    """The networks of the cells of pictures of 18 x 22 pixels, coefficients of five pictures, and their targets."""
    random, size = np.random.default_rng(2), (18, 22)
    coefficients = random.normal(0, 0.1, (5, grid.count * shape.coefficient_count)).astype(np.float32)
    targets = random.integers(0, 256, (5, shape.channels, math.prod(size)), dtype=np.uint8)
    return FourierImages.of_cells(shape, size, grid, activation), coefficients, targets


@pytest.mark.parametrize("activation", [LINEAR, SIGMOID])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cells_are_blended_as_the_formula_says(shape: NetworkShape, activation: int) -> None:
    fourier, coefficients, targets = of_cells(shape, activation, Grid(2, 3))
    plain = reference.double(coefficients)
    samples = fourier.formula(plain)
    errors = fourier.squared_errors_by_formula(plain, torch.from_numpy(targets))
    errors.sum().backward()
    found, gradients = fourier.errors_and_gradients(coefficients, targets)
    assert reference.largest_error(fourier.samples(coefficients), samples) < 1e-4
    assert np.allclose(errors.detach(), found, rtol=1e-4)
    assert reference.largest_error(gradients, plain.grad) < 3e-4


@pytest.mark.parametrize("activation", [LINEAR, SIGMOID])
def test_gradients_of_anything_by_the_samples_go_back_to_the_coefficients(activation: int) -> None:
    fourier, coefficients, _ = of_cells(SHAPES[0], activation, Grid(2, 3))
    factors = torch.from_numpy(np.random.default_rng(3).normal(size=(5, 1, 18 * 22)).astype(np.float32))
    inner, plain = torch.from_numpy(coefficients).requires_grad_(), reference.double(coefficients)
    (fourier.evaluate(inner) * factors).square().sum().backward()
    (fourier.formula(plain) * factors).square().sum().backward()
    assert inner.grad is not None
    assert reference.largest_error(inner.grad.numpy(), plain.grad) < 3e-4
