"""The layer over frequencies of few ones against the formula."""

import numpy as np
import pytest

from fourcodec.fourier.frequencies import frequency_bits, subsets
from fourcodec.fourier.layout import BLOCK
from fourcodec.fourier.limited import limited_kernels
from tests.support import reference

SHAPES = [(2, 1, 8, False), (8, 3, 3, False), (2, 1, 2, True)] + [
    (m, order, m, True) for m in (3, 5, 8, 10) for order in (1, 2, m - 1)
]


def random_layer(inputs: int, order: int, outputs: int, pixels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(inputs * 100 + outputs)
    x = random.normal(0, 2, (inputs, pixels)).astype(np.float32)
    w = random.normal(0, 1, len(subsets(inputs, order)) * 2 * outputs).astype(np.float32)
    return x, w, random.normal(0, 1, (outputs, pixels)).astype(np.float32)


@pytest.mark.parametrize(("inputs", "order", "outputs", "residual"), SHAPES)
@pytest.mark.parametrize("pixels", [1, BLOCK + 7])
def test_kernels_equal_the_formula(inputs: int, order: int, outputs: int, residual: bool, pixels: int) -> None:
    x, w, dy = random_layer(inputs, order, outputs, pixels)
    kernels = limited_kernels(inputs, order, outputs)
    y, dx, dw = np.empty_like(dy), np.empty_like(x), np.zeros_like(w)
    kernels.forward(x, w, residual, 0, pixels, y)
    kernels.backward(x, w, residual, 0, pixels, dy, dx, dw)

    exact_x, exact_w = reference.double(x), reference.double(w)
    exact_y = reference.layer(exact_w.reshape(-1, 2, outputs), exact_x, residual, order)
    (exact_y * reference.double(dy)).sum().backward()
    assert reference.largest_error(y, exact_y) < 3e-6
    assert reference.largest_error(dx, exact_x.grad) < 3e-6
    assert reference.largest_error(dw, exact_w.grad) < 3e-6


def test_a_range_of_pixels_touches_no_others_and_weight_gradients_are_added() -> None:
    x, w, dy = random_layer(4, 2, 5, 500)
    kernels = limited_kernels(4, 2, 5)
    y, dx, once, twice = np.full_like(dy, 7), np.full_like(x, 7), np.zeros_like(w), np.zeros_like(w)
    kernels.forward(x, w, False, 100, 420, y)
    kernels.backward(x, w, False, 100, 420, dy, dx, once)
    whole = np.empty_like(dy)
    kernels.forward(x, w, False, 0, 500, whole)
    assert np.array_equal(y[:, 100:420], whole[:, 100:420])
    for outside in (y[:, :100], y[:, 420:], dx[:, :100], dx[:, 420:]):
        assert (outside == 7).all()
    for _ in range(2):
        kernels.backward(x, w, False, 100, 420, dy, dx, twice)
    assert np.array_equal(twice, 2 * once)


@pytest.mark.parametrize(("m", "order"), [(1, 1), (4, 4), (5, 2), (10, 3)])
def test_frequencies_are_different_and_of_few_ones(m: int, order: int) -> None:
    bits = frequency_bits(m, order)
    assert len({tuple(row) for row in bits}) == len(bits) == len(subsets(m, order))
    assert bits.sum(axis=1).max() == order
    assert not bits[0].any()
