"""The Fourier network on the CPU: values, gradients and curvatures, over the kernels of fourier/layer.py and
fourier/limited.py.

Fitting and decoding share `_forward`. Work is cut into pieces of CHUNK pixels and sums run over the pieces in their
order, so that nothing depends on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.fourier.layer import LayerKernels, layer_kernels
from fourcodec.fourier.layout import BLOCK
from fourcodec.fourier.limited import limited_kernels
from fourcodec.fourier.shape import LayerShape, NetworkShape
from fourcodec.threads import map_threads

CHUNK = 768  # pixels per piece of work: four kernel blocks, whose activations stay in L2


def evaluate(shape: NetworkShape, coefficients: Floats, x: Floats, threads: int) -> Floats:
    """The network at positions x (2, N): (channels, N) float32."""
    y = np.empty((shape.channels, x.shape[1]), np.float32)

    def run(part: slice) -> None:
        # Whole blocks, so that a position has the same value wherever it stands among others, to the last bit.
        count = part.stop - part.start
        block = np.zeros((len(x), -(-count // BLOCK) * BLOCK), np.float32)
        block[:, :count] = x[:, part]
        y[:, part] = _forward(shape, coefficients, block)[-1][:, :count]

    map_threads(run, _pieces(x.shape[1]), threads)
    return y


def layer_outputs(shape: NetworkShape, coefficients: Floats, x: Floats) -> list[Floats]:
    """What each layer makes of positions x (2, N): (outputs, N) float32, the last being the network's values."""
    return _forward(shape, coefficients, x)[1:]


def mse_gradient(
    shape: NetworkShape, coefficients: Floats, x: Floats, target: Floats, threads: int
) -> tuple[float, Floats]:
    """Mean squared error over pixels and channels, and its gradient by the coefficients (flat float32).

    x (2, N), target (channels, N), float32.
    """
    scale = np.float32(2.0 / target.size)
    squares: dict[int, float] = {}

    def slope(part: slice, y: Floats) -> Floats:
        error = y - target[:, part]
        squares[part.start] = float(np.square(error, dtype=np.float64).sum())
        return error * scale

    gradients = _backward(shape, coefficients, x, slope, threads)
    return sum(squares[start] for start in sorted(squares)) / target.size, gradients.sum(axis=0)


def curvature(shape: NetworkShape, coefficients: Floats, x: Floats, signs: Floats, threads: int) -> NDArray[np.float64]:
    """An estimate of h with MSE(c + e) - MSE(c) ~ sum_i h_i e_i^2: the diagonal of the Gauss-Newton matrix, (count,).

    x (2, N); signs (channels, N) of random -1 and +1: the square of a randomly signed sum of slopes is, on average, the
    sum of their squares (Hutchinson, 1990).
    """
    gradients = _backward(shape, coefficients, x, lambda part, y: np.ascontiguousarray(signs[:, part]), threads)
    return np.square(gradients, dtype=np.float64).sum(axis=0) / signs.size


def output_shifts(shape: NetworkShape, coefficients: Floats, direction: Floats, x: Floats) -> list[float]:
    """How far each layer's outputs would move if `direction` were added to its coefficients alone: root mean
    squares."""
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
    """The input and every layer's output, each (features, N), on the calling thread."""
    values = [x]
    for layer in shape.layers:
        y = np.empty((layer.outputs, x.shape[1]), np.float32)
        _kernels_of(layer).forward(values[-1], coefficients[layer.span], layer.residual, 0, x.shape[1], y)
        values.append(y)
    return values


def _backward(
    shape: NetworkShape, coefficients: Floats, x: Floats, slope_of: Callable[[slice, Floats], Floats], threads: int
) -> Floats:
    """Gradients (pieces, count) of the sum over pixels of slope_of(piece, y) . y, slope_of taken as constant."""
    pieces = _pieces(x.shape[1])
    gradients = np.zeros((len(pieces), shape.coefficient_count), np.float32)

    def run(index: int) -> None:
        part = pieces[index]
        values = _forward(shape, coefficients, np.ascontiguousarray(x[:, part]))
        slope, count = slope_of(part, values[-1]), part.stop - part.start
        for layer, inputs in zip(reversed(shape.layers), reversed(values[:-1]), strict=True):
            back = np.empty((layer.inputs if layer.offset else 0, count), np.float32)  # none needed by position
            _kernels_of(layer).backward(
                inputs, coefficients[layer.span], layer.residual, 0, count, slope, back, gradients[index, layer.span]
            )
            slope = back

    map_threads(run, range(len(pieces)), threads)
    return gradients
