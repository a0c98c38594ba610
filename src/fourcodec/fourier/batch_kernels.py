"""Kernels for many small Fourier networks at once: each image has coefficients of its own, and all are evaluated at
the same positions (numba, GIL released, one core a call).

    2 -> m,  depth - 1 times m -> m with + x,  m -> channels          see fourier/layer.py for the layer

An image is the weighted sum of the networks of its cells, each at positions of its own; mostly there is one cell, whose
weight is 1. The positions of the cells are cut into blocks. An image goes through all layers block by block, so that
its coefficients, their gradients and the phasors of all layers stay in the L1 and L2 caches. Only results are written
to memory. The features of the positions are the same for every image and are computed once by the caller. The backward
pass keeps each layer's phasors and recomputes their products.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fourcodec.compiling import float_kernel, inline_kernel
from fourcodec.fourier.elementary import LOG2_E, exp2
from fourcodec.fourier.layer import LOW_BITS, add_marginals, fill_phasors, fill_products
from fourcodec.fourier.layout import BLOCK, SIGMOID
from fourcodec.fourier.simd import (
    accumulate_outputs,
    accumulate_phase_gradients,
    accumulate_weight_gradients,
    multiply_phasors,
)

POSITION_FEATURES = 8  # cosine and sine of four frequencies
_ZERO, _HALF, _ONE, _TWO = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(2.0)
_TO_SAMPLE = np.float32(2 / 255)  # uint8 -> [-1, 1]
# In place of what a call does not ask for or is not given.
NO_SAMPLES, NO_TARGETS = np.empty((0, 0, 0), np.float32), np.empty((0, 0, 0), np.uint8)
NO_ERRORS, NO_GRADIENTS = np.empty(0, np.float32), np.empty((0, 0), np.float32)


class Blocks(NamedTuple):
    """The positions of all cells of an image, in blocks.

    cells: (blocks,) int64, the cell that a block belongs to. features: (blocks, 8, BLOCK) float32, from
    `position_features`. pixels: (blocks, BLOCK) int64, the pixel that each position adds to. weights: (blocks, BLOCK)
    float32, with which it does; 0 for the padding at a block's end.
    """

    cells: NDArray[np.int64]
    features: NDArray[np.float32]
    pixels: NDArray[np.int64]
    weights: NDArray[np.float32]

    @classmethod
    def of_cell(
        cls, cell: int, x: NDArray[np.float32], pixels: NDArray[np.int64], weights: NDArray[np.float32]
    ) -> Blocks:
        """The blocks of one cell, for positions x (2, N) with their pixels and weights (N,)."""
        count = -(-x.shape[1] // BLOCK)
        rest = (0, count * BLOCK - x.shape[1])
        return cls(
            np.full(count, cell),
            position_features(x),
            np.pad(pixels, rest).reshape(count, BLOCK),
            np.pad(weights, rest).reshape(count, BLOCK),
        )

    @classmethod
    def joined(cls, parts: list[Blocks]) -> Blocks:
        """The blocks of several cells, one behind the other."""
        return cls(*(np.ascontiguousarray(np.concatenate(fields)) for fields in zip(*parts, strict=True)))


def position_features(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first layer's features of positions x (2, N): (ceil(N / BLOCK), 8, BLOCK) float32.

    Rows 2k and 2k + 1 of a block are cosine and sine of frequency k, k = (0, 0), (1, 0), (0, 1), (1, 1).
    """
    count = -(-x.shape[1] // BLOCK) * BLOCK
    padded = np.zeros((2, count))
    padded[:, : x.shape[1]] = x
    k = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    turns = k @ padded
    angles = 2 * np.pi * (turns - np.rint(turns))
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).reshape(POSITION_FEATURES, -1, BLOCK)
    return np.ascontiguousarray(features.transpose(1, 0, 2), np.float32)


@inline_kernel
def _activate(y: Any, activation: int) -> None:
    """Turns outputs y (channels, N) into samples in [-1, 1], in place."""
    for c in range(y.shape[0]):
        row = y[c]
        if activation == SIGMOID:
            for p in range(row.shape[0]):
                row[p] = _TWO / (_ONE + exp2(-LOG2_E * row[p])) - _ONE
        else:
            for p in range(row.shape[0]):
                row[p] = _TWO * row[p] - _ONE


@inline_kernel
def _subtract(samples: Any, targets: Any, pulls: Any) -> Any:
    """The sum of squared differences between samples and targets (channels, N). Writes its gradients by the samples to
    `pulls`."""
    total = _ZERO
    for c in range(samples.shape[0]):
        row, wanted, pull = samples[c], targets[c], pulls[c]
        for p in range(row.shape[0]):
            error = row[p] - (np.float32(wanted[p]) * _TO_SAMPLE - _ONE)
            total += error * error
            pull[p] = _TWO * error
    return total


@inline_kernel
def _pull_back(samples: Any, pulls: Any, activation: int, gradients: Any) -> None:
    """gradients = the gradients by the outputs before the activation, from those by the samples, `pulls`; all of them
    (channels, N)."""
    for c in range(samples.shape[0]):
        row, pull, gradient = samples[c], pulls[c], gradients[c]
        for p in range(row.shape[0]):
            derivative = _HALF * (_ONE - row[p] * row[p]) if activation == SIGMOID else _TWO
            gradient[p] = pull[p] * derivative


@inline_kernel
def _scatter(values: Any, pixels: Any, weights: Any, image: Any) -> None:
    """Adds weighted values (channels, BLOCK) to the pixels of an image (channels, N)."""
    for c in range(values.shape[0]):
        row, out = values[c], image[c]
        for p in range(BLOCK):
            out[pixels[p]] += weights[p] * row[p]


@inline_kernel
def _gather(image: Any, pixels: Any, weights: Any, values: Any) -> None:
    """values (channels, BLOCK) = the weighted pixels of an image (channels, N): the transpose of `_scatter`."""
    for c in range(values.shape[0]):
        row, out = image[c], values[c]
        for p in range(BLOCK):
            out[p] = weights[p] * row[pixels[p]]


@inline_kernel
def _fill_tables(cosines: Any, sines: Any, low_bits: int, low: Any, high: Any) -> None:
    """Fills `low` with the products of phasors that the low bits of k select, and `high` with those of the high
    bits."""
    fill_products(cosines, sines, 0, low_bits, low)
    fill_products(cosines, sines, low_bits, cosines.shape[0] - low_bits, high)


@functools.cache
def network_kernel(width: int, depth: int, channels: int) -> Callable[..., None]:
    """The kernel for networks of this width, depth and number of channels, compiled on first call and cached on disk:

        propagate(coefficients, *blocks, activation, start, stop, samples, targets, pulls, errors, gradients)

    It writes the results of images start..stop-1 into arrays of all images. coefficients, gradients: (B, cells count)
    float32, cell after cell, each in the order of NetworkShape. blocks: a `Blocks`. samples: (B, channels, N) float32
    in [-1, 1]. Without targets and pulls, samples are the result. With targets (B, channels, N) uint8 the results are
    errors (B,) float32, each the sum over an image of squared differences on [-1, 1], and their gradients by the
    coefficients. With pulls (B, channels, N) float32, gradients of anything by the samples, the result is its gradients
    by the coefficients.

    It is one function for all layers, forward and backward, because cached machine code is named by the integers that a
    kernel is built with, so no kernel can be passed to another. The micro-kernels need a layer's number of outputs as a
    constant: hidden layers and the last layer are therefore separate calls.
    """
    m, layers, outputs = width, depth, channels
    first_size, layer_size = POSITION_FEATURES * m, 2 * m << m
    size = first_size + (depth - 1) * layer_size + (2 * channels << m)
    low_bits = min(m, LOW_BITS)
    count, chunks = 1 << low_bits, 1 << (m - low_bits)
    hidden_stride, last_stride = 2 * count * m, 2 * count * outputs

    @float_kernel
    def propagate(
        coefficients: Any,
        cells: Any,
        features_of: Any,
        pixels: Any,
        weights: Any,
        activation: int,
        start: int,
        stop: int,
        samples: Any,
        targets: Any,
        pulls: Any,
        errors: Any,
        gradients: Any,
    ) -> None:
        with_targets, with_pulls = targets.shape[0] > 0, pulls.shape[0] > 0
        backward = with_targets or with_pulls
        kept = features_of.shape[0] if backward else 1  # blocks whose phasors the backward pass needs
        cosines = np.empty((kept, layers, m, BLOCK), np.float32)
        sines = np.empty((kept, layers, m, BLOCK), np.float32)
        x, y = np.empty((m, BLOCK), np.float32), np.empty((outputs, BLOCK), np.float32)
        low, high = np.empty((2 * count, BLOCK), np.float32), np.empty((2 * chunks, BLOCK), np.float32)
        low_gradients, high_gradients = np.empty((count, BLOCK), np.float32), np.empty((chunks, BLOCK), np.float32)
        features = np.empty((2 * count, BLOCK), np.float32)
        pixel_count = max(samples.shape[2], max(targets.shape[2], pulls.shape[2]))
        scratch = np.empty((2, outputs, pixel_count if backward else 0), np.float32)
        for image in range(start, stop):
            w = coefficients[image]
            shown = scratch[0] if backward else samples[image]
            shown[:] = _ZERO
            for block in range(features_of.shape[0]):
                own = cells[block] * size
                slot = block if backward else 0
                x[:] = _ZERO
                accumulate_outputs(x, features_of[block], w, own, POSITION_FEATURES, m)
                y[:] = _ZERO
                for d in range(layers):
                    fill_phasors(x, 0, BLOCK, cosines[slot, d], sines[slot, d])
                    _fill_tables(cosines[slot, d], sines[slot, d], low_bits, low, high)
                    offset = own + first_size + d * layer_size
                    for h in range(chunks):
                        multiply_phasors(low, high, h, features, count)
                        if d < layers - 1:  # adding the layer to what its input was is the layer's "+ x"
                            accumulate_outputs(x, features, w, offset + h * hidden_stride, 2 * count, m)
                        else:
                            accumulate_outputs(y, features, w, offset + h * last_stride, 2 * count, outputs)
                _scatter(y, pixels[block], weights[block], shown)
            _activate(shown, activation)
            if not backward:
                continue
            dw, back = gradients[image], scratch[1]
            dw[:] = _ZERO
            if with_targets:
                errors[image] = _subtract(shown, targets[image], back)
                _pull_back(shown, back, activation, back)
            else:
                _pull_back(shown, pulls[image], activation, back)
            for block in range(features_of.shape[0]):
                own = cells[block] * size
                _gather(back, pixels[block], weights[block], y)  # from here on y holds gradients by the outputs,
                x[:] = _ZERO  # and x those by the states
                for d in range(layers - 1, -1, -1):
                    _fill_tables(cosines[block, d], sines[block, d], low_bits, low, high)
                    low_gradients[:] = _ZERO
                    high_gradients[:] = _ZERO
                    offset = own + first_size + d * layer_size
                    for h in range(chunks):
                        multiply_phasors(low, high, h, features, count)
                        if d < layers - 1:
                            f = offset + h * hidden_stride
                            accumulate_weight_gradients(dw, f, x, features, 2 * count, m)
                            accumulate_phase_gradients(
                                low_gradients, high_gradients, h * BLOCK, x, features, w, f, count, m
                            )
                        else:
                            f = offset + h * last_stride
                            accumulate_weight_gradients(dw, f, y, features, 2 * count, outputs)
                            accumulate_phase_gradients(
                                low_gradients, high_gradients, h * BLOCK, y, features, w, f, count, outputs
                            )
                    add_marginals(low_gradients, low_bits, 0, x)
                    add_marginals(high_gradients, m - low_bits, low_bits, x)
                accumulate_weight_gradients(dw, own, x, features_of[block], POSITION_FEATURES, m)

    return propagate  # type: ignore[no-any-return]
