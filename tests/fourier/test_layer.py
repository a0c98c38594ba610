"""The fused layer kernels against the formula."""

import numpy as np
import pytest

from fourcodec.fourier.layer import layer_kernels
from fourcodec.fourier.simd import BLOCK
from tests.support import reference

SHAPES = [(2, 8, False), (8, 3, False), (2, 1, False), (1, 3, False)] + [(m, m, True) for m in range(1, 11)]


def random_layer(inputs: int, outputs: int, pixels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(inputs * 100 + outputs)
    x = random.normal(0, 2, (inputs, pixels)).astype(np.float32)
    w = random.normal(0, 1, 2**inputs * 2 * outputs).astype(np.float32)
    dy = random.normal(0, 1, (outputs, pixels)).astype(np.float32)
    return x, w, dy


@pytest.mark.parametrize(("inputs", "outputs", "residual"), SHAPES)
@pytest.mark.parametrize("pixels", [1, BLOCK + 7])
def test_kernels_equal_the_formula(inputs: int, outputs: int, residual: bool, pixels: int) -> None:
    x, w, dy = random_layer(inputs, outputs, pixels)
    kernels = layer_kernels(outputs)
    y, dx, dw = np.empty_like(dy), np.empty_like(x), np.zeros_like(w)
    kernels.forward(x, w, residual, 0, pixels, y)
    kernels.backward(x, w, residual, 0, pixels, dy, dx, dw)

    exact_x, exact_w = reference.double(x), reference.double(w)
    exact_y = reference.layer(exact_w.reshape(-1, 2, outputs), exact_x, residual)
    (exact_y * reference.double(dy)).sum().backward()
    assert reference.largest_error(y, exact_y) < 3e-6
    assert reference.largest_error(dx, exact_x.grad) < 3e-6
    assert reference.largest_error(dw, exact_w.grad) < 3e-6


def test_a_range_of_pixels_touches_no_others() -> None:
    x, w, dy = random_layer(3, 5, 500)
    y, dx, dw = np.full_like(dy, 7), np.full_like(x, 7), np.zeros_like(w)
    layer_kernels(5).forward(x, w, False, 100, 420, y)
    layer_kernels(5).backward(x, w, False, 100, 420, dy, dx, dw)
    whole = np.empty_like(dy)
    layer_kernels(5).forward(x, w, False, 0, 500, whole)
    assert np.array_equal(y[:, 100:420], whole[:, 100:420])
    for outside in (y[:, :100], y[:, 420:], dx[:, :100], dx[:, 420:]):
        assert (outside == 7).all()


def test_weight_gradients_are_added() -> None:
    x, w, dy = random_layer(4, 4, 50)
    once, twice = np.zeros_like(w), np.zeros_like(w)
    no_dx = np.empty((0, 50), np.float32)
    layer_kernels(4).backward(x, w, True, 0, 50, dy, no_dx, once)
    for _ in range(2):
        layer_kernels(4).backward(x, w, True, 0, 50, dy, no_dx, twice)
    assert np.array_equal(twice, 2 * once)


def test_large_phases_stay_finite() -> None:
    x, w, _ = random_layer(3, 3, 10)
    y = np.empty((3, 10), np.float32)
    layer_kernels(3).forward(x * np.float32(1e8), w, True, 0, 10, y)
    assert np.isfinite(y).all()
