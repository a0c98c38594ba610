"""The Fourier network on the CPU: values, gradients and sensitivities, with the kernels of fourier/layer.py and
fourier/limited.py.

Fitting and decoding share `_forward`. Work is divided into pieces of CHUNK pixels, and sums run over the pieces in
their order, so no result depends on the number of threads, which is `thread_count()`.
"""

from __future__ import annotations

import numpy as np

from fourcodec.arrays import Floats
from fourcodec.fourier.layer import LayerKernels, layer_kernels
from fourcodec.fourier.layout import BLOCK
from fourcodec.fourier.limited import limited_kernels
from fourcodec.fourier.shape import LayerShape, NetworkShape, share_size
from fourcodec.threads import map_threads, thread_count

CHUNK = 768  # pixels per piece of work: four blocks of the kernels, whose activations stay in the L2 cache


def evaluate(shape: NetworkShape, coefficients: Floats, x: Floats) -> Floats:
    """The network's values (channels, N) float32 at positions x (2, N). coefficients: flat float32."""
    y = np.empty((shape.channels, x.shape[1]), np.float32)

    def run(part: slice) -> None:
        # Whole blocks, so that the value at a position does not depend on its place in x, to the last bit.
        count = part.stop - part.start
        block = np.zeros((len(x), -(-count // BLOCK) * BLOCK), np.float32)
        block[:, :count] = x[:, part]
        y[:, part] = _forward(shape, coefficients, block)[-1][:, :count]

    map_threads(run, _pieces(x.shape[1]), thread_count())
    return y


def layer_outputs(shape: NetworkShape, coefficients: Floats, x: Floats) -> list[Floats]:
    """The outputs of each layer at positions x (2, N), (outputs, N) float32; the last are the network's values."""
    return _forward(shape, coefficients, x)[1:]


def mse_gradient(shape: NetworkShape, coefficients: Floats, x: Floats, target: Floats) -> tuple[float, Floats]:
    """The mean squared error over pixels and channels, and the sum of its gradients by all rows of coefficients, flat
    float32.

    coefficients: (rows, count). x: (2, N), target: (channels, N). All are float32. Each row is a network for its own
    share of the positions, N / rows of them: the first row for the first ones, and so on. Raises ValueError where N is
    not divisible by the number of rows.
    """
    share = share_size(len(coefficients), x.shape[1])
    pieces = [slice(n * share + p.start, n * share + p.stop) for n in range(len(coefficients)) for p in _pieces(share)]
    gradients = np.zeros((len(pieces), shape.coefficient_count), np.float32)
    scale = np.float32(2.0 / target.size)

    def run(index: int) -> float:
        part = pieces[index]
        own = coefficients[part.start // share]
        values = _forward(shape, own, np.ascontiguousarray(x[:, part]))
        error = values[-1] - target[:, part]
        _derivatives(shape, own, values, error * scale, gradients[index])
        return float(np.square(error, dtype=np.float64).sum())

    squares = map_threads(run, range(len(pieces)), thread_count())
    return sum(squares) / target.size, gradients.sum(axis=0)


def sensitivities(shape: NetworkShape, coefficients: Floats, x: Floats, signs: Floats) -> list[tuple[Floats, Floats]]:
    """The inputs (inputs, N) of each layer, and the derivatives (outputs, N) by its outputs of the network's values at
    the same position, summed over channels with `signs`; float32.

    coefficients: (count,). x: (2, N). signs: (channels, N) of random -1 and +1, float32: the square of a randomly
    signed sum of derivatives is, on average, the sum of their squares (Hutchinson, 1990).
    """
    found = [
        (np.empty((layer.inputs, x.shape[1]), np.float32), np.empty((layer.outputs, x.shape[1]), np.float32))
        for layer in shape.layers
    ]

    def run(part: slice) -> None:
        values = _forward(shape, coefficients, np.ascontiguousarray(x[:, part]))
        unused = np.zeros(shape.coefficient_count, np.float32)
        derivatives = _derivatives(shape, coefficients, values, np.ascontiguousarray(signs[:, part]), unused)
        for n, (all_inputs, all_derivatives) in enumerate(found):
            all_inputs[:, part], all_derivatives[:, part] = values[n], derivatives[n]

    map_threads(run, _pieces(x.shape[1]), thread_count())
    return found


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


def _derivatives(
    shape: NetworkShape, coefficients: Floats, values: list[Floats], derivative: Floats, gradient: Floats
) -> list[Floats]:
    """From the derivative (channels, N) by the network's values those by each layer's outputs, (outputs, N) each,
    computed on the calling thread. `values` are those of `_forward`. The gradient by the coefficients is added to
    `gradient` (count,)."""
    found = [derivative]
    for layer, inputs in zip(reversed(shape.layers), reversed(values[:-1]), strict=True):
        count = inputs.shape[1]
        # That by the positions is not needed: an array of 0 rows leaves it out.
        back = np.empty((layer.inputs if layer.offset else 0, count), np.float32)
        _kernels_of(layer).backward(
            inputs, coefficients[layer.span], layer.residual, 0, count, found[-1], back, gradient[layer.span]
        )
        found.append(back)
    return found[-2::-1]
