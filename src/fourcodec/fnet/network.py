"""The Fourier network on the CPU: values, gradients and curvatures, with the kernels of fourier/layer.py and
fourier/limited.py.

Fitting and decoding share `_forward`. Work is divided into pieces of CHUNK pixels, and sums run over the pieces in
their order, so no result depends on the number of threads. With 0 `threads` there are as many as cores.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.fourier.layer import LayerKernels, layer_kernels
from fourcodec.fourier.layout import BLOCK
from fourcodec.fourier.limited import limited_kernels
from fourcodec.fourier.shape import LayerShape, NetworkShape, share_size
from fourcodec.threads import map_threads, thread_count

CHUNK = 768  # pixels per piece of work: four blocks of the kernels, whose activations stay in the L2 cache


def evaluate(shape: NetworkShape, coefficients: Floats, x: Floats, threads: int = 0) -> Floats:
    """The network's values (channels, N) float32 at positions x (2, N). coefficients: flat float32."""
    y = np.empty((shape.channels, x.shape[1]), np.float32)

    def run(part: slice) -> None:
        # Whole blocks, so that the value at a position does not depend on its place in x, to the last bit.
        count = part.stop - part.start
        block = np.zeros((len(x), -(-count // BLOCK) * BLOCK), np.float32)
        block[:, :count] = x[:, part]
        y[:, part] = _forward(shape, coefficients, block)[-1][:, :count]

    map_threads(run, _pieces(x.shape[1]), threads or thread_count())
    return y


def layer_outputs(shape: NetworkShape, coefficients: Floats, x: Floats) -> list[Floats]:
    """The outputs of each layer at positions x (2, N), (outputs, N) float32; the last are the network's values."""
    return _forward(shape, coefficients, x)[1:]


def mse_gradient(
    shape: NetworkShape, coefficients: Floats, x: Floats, target: Floats, threads: int = 0
) -> tuple[float, Floats]:
    """The mean squared error over pixels and channels, and the sum of its gradients by all rows of coefficients, flat
    float32.

    coefficients: (rows, count). x: (2, N), target: (channels, N). All are float32. Each row is a network for its own
    share of the positions, N / rows of them: the first row for the first ones, and so on. Raises ValueError where N is
    not divisible by the number of rows.
    """
    scale = np.float32(2.0 / target.size)
    squares: dict[int, float] = {}

    def gradient_of(part: slice, y: Floats) -> Floats:
        error = y - target[:, part]
        squares[part.start] = float(np.square(error, dtype=np.float64).sum())
        return error * scale

    gradients = _backward(shape, coefficients, x, gradient_of, threads)
    return sum(squares[start] for start in sorted(squares)) / target.size, gradients.sum(axis=0)


def curvature(
    shape: NetworkShape, coefficients: Floats, x: Floats, signs: Floats, threads: int = 0
) -> NDArray[np.float64]:
    """An estimate of the curvature h, (count,) float64, where MSE(c + e) is about MSE(c) + sum_i h_i e_i^2: the
    diagonal of the Gauss-Newton matrix.

    x: (2, N). signs: (channels, N) of random -1 and +1: the square of a randomly signed sum of gradients is, on
    average, the sum of their squares (Hutchinson, 1990).
    """
    gradients = _backward(shape, coefficients[None], x, lambda part, y: np.ascontiguousarray(signs[:, part]), threads)
    return np.square(gradients, dtype=np.float64).sum(axis=0) / signs.size


def output_shifts(shape: NetworkShape, coefficients: Floats, direction: Floats, x: Floats) -> list[float]:
    """The root mean square change of each layer's outputs at positions x (2, N), if `direction` were added to that
    layer's coefficients alone."""
    shifts = []
    for layer, inputs in zip(shape.layers, _forward(shape, coefficients, x), strict=False):
        moved = np.empty((layer.outputs, x.shape[1]), np.float32)
        _kernels_of(layer).forward(inputs, direction[layer.span], False, 0, x.shape[1], moved)
        shifts.append(float(np.sqrt(np.square(moved).mean())))
    return shifts


def _kernels_of(layer: LayerShape) -> LayerKernels:
    if layer.order == layer.inputs:
        return layer_kernels(layer.outputs)
    return limited_kernels(layer.inputs, layer.order, layer.outputs)


def _pieces(count: int) -> list[slice]:
    return [slice(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]


def _forward(shape: NetworkShape, coefficients: Floats, x: Floats) -> list[Floats]:
    """The input and each layer's outputs, (features, N) each, computed on the calling thread."""
    values = [x]
    for layer in shape.layers:
        y = np.empty((layer.outputs, x.shape[1]), np.float32)
        _kernels_of(layer).forward(values[-1], coefficients[layer.span], layer.residual, 0, x.shape[1], y)
        values.append(y)
    return values


def _backward(
    shape: NetworkShape, coefficients: Floats, x: Floats, gradient_of: Callable[[slice, Floats], Floats], threads: int
) -> Floats:
    """The gradients (pieces, count) of each piece by its row of coefficients (rows, count), where gradient_of(piece, y)
    is the gradient by the outputs y (channels, pixels) of the network."""
    share = share_size(len(coefficients), x.shape[1])
    pieces = [slice(n * share + p.start, n * share + p.stop) for n in range(len(coefficients)) for p in _pieces(share)]
    gradients = np.zeros((len(pieces), shape.coefficient_count), np.float32)

    def run(index: int) -> None:
        part = pieces[index]
        own = coefficients[part.start // share]
        values = _forward(shape, own, np.ascontiguousarray(x[:, part]))
        gradient, count = gradient_of(part, values[-1]), part.stop - part.start
        for layer, inputs in zip(reversed(shape.layers), reversed(values[:-1]), strict=True):
            # The gradient by the positions is not needed: an array of 0 rows leaves it out.
            back = np.empty((layer.inputs if layer.offset else 0, count), np.float32)
            _kernels_of(layer).backward(
                inputs, own[layer.span], layer.residual, 0, count, gradient, back, gradients[index, layer.span]
            )
            gradient = back

    map_threads(run, range(len(pieces)), threads or thread_count())
    return gradients
