"""Profile 1, `fnet`, from integers to numbers: coefficients, samples on a lattice, and the outputs of every layer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fourcodec.cells import patches
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.fnet.quantize import dequantize, step_size
from fourcodec.fourier.layout import SIGMOID
from fourcodec.fourier.shape import NetworkShape
from fourcodec.positions import lattice_positions
from fourcodec.views import Lattice

_STRIP_SAMPLES = 1 << 18  # evaluated at a time: positions take 2 MB, and there is plenty for every thread


def coefficients_of(network: QuantizedFnet) -> NDArray[np.float32]:
    """The flat coefficient vector, float32, exact on every machine; of several cells, one behind the other."""
    shape = network.config.shape
    return np.concatenate(
        [dequantize(symbols, spread_steps(shape, step_size(indices))) for indices, symbols in network.by_cell()]
    )


def spread_steps(shape: NetworkShape, steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """One step per coefficient, float32, from one step per output of every layer."""
    spread, first = np.empty(shape.coefficient_count, np.float32), 0
    for layer in shape.layers:
        spread[layer.span].reshape(-1, layer.outputs)[:] = steps[first : first + layer.outputs]
        first += layer.outputs
    return spread


def samples(network: QuantizedFnet, size: tuple[int, int], lattice: Lattice, device: str) -> NDArray[np.float32]:
    """The network's values on a lattice over a picture of (height, width): (channels, rows, columns) float32, about
    [0, 1], not clamped. `device` is "cpu" or "cuda"."""
    from fourcodec.fnet.backends import backend_of

    config = network.config
    cells = coefficients_of(network).reshape(config.cells.count, -1)
    backend = backend_of(device)
    if config.cells.count > 1:
        planes = _blended(
            config, size, lattice, config.channels, lambda cell, x: backend.evaluate(config.shape, cells[cell], x)
        )
    else:
        planes = np.empty((config.channels, lattice.count), np.float32)
        for start in range(0, lattice.count, _STRIP_SAMPLES):
            part = slice(start, min(start + _STRIP_SAMPLES, lattice.count))
            x = lattice_positions(lattice, size, np.arange(part.start, part.stop), config.coordinates)
            planes[:, part] = backend.evaluate(config.shape, cells[0], x)
    if config.activation == SIGMOID:  # 2 sigmoid(y) - 1 lies in [-1, 1], samples in [0, 1]
        planes = np.float32(0.5) + np.float32(0.5) * np.tanh(planes / 2)
    return planes.reshape(config.channels, lattice.rows, lattice.columns)


def layer_outputs(network: QuantizedFnet, size: tuple[int, int], lattice: Lattice) -> list[NDArray[np.float32]]:
    """The outputs of every layer on a lattice over an image of (height, width): (outputs, rows, columns) float32 each.
    Hidden states are phases in turns, the last layer's outputs samples before the activation. Those of several cells
    are blended as their samples are."""
    from fourcodec.fnet import network as fourier

    config = network.config
    coefficients = coefficients_of(network).reshape(config.cells.count, -1)
    if config.cells.count == 1:
        x = lattice_positions(lattice, size, np.arange(lattice.count), config.coordinates)
        outputs = fourier.layer_outputs(config.shape, coefficients[0], x)
        return [y.reshape(-1, lattice.rows, lattice.columns) for y in outputs]
    sizes = [layer.outputs for layer in config.shape.layers]

    def all_outputs(cell: int, x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate(fourier.layer_outputs(config.shape, coefficients[cell], x))

    return np.split(_blended(config, size, lattice, sum(sizes), all_outputs), np.cumsum(sizes)[:-1])


def _blended(
    config: FnetConfig,
    size: tuple[int, int],
    lattice: Lattice,
    count: int,
    values_of: Callable[[int, NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """The blend (count, rows, columns) of what values_of(cell, x) gives, (count, N), at the inputs x (2, N) of each
    cell's network."""
    planes = np.zeros((count, lattice.rows, lattice.columns), np.float32)
    for patch in patches(lattice, size, config.cells, _STRIP_SAMPLES):
        own = values_of(patch.cell, patch.x).reshape(count, *patch.weights.shape)
        planes[:, patch.rows, patch.columns] += patch.weights * own
    return planes
