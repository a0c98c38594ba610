"""Kernels for many small Fourier networks at once: each image has coefficients of its own, and all are evaluated at
the same positions (numba, GIL released, one core a call).

    2 -> m,  depth - 1 times m -> m with + x,  m -> channels          see fourier/layer.py for the layer

An image goes through all layers block by block, so that its coefficients, their gradients and a block's activations
stay in the L1 and L2 caches. Only results are written to memory. The features of the positions are the same for every
image and are computed once by the caller. The backward pass keeps each layer's phasors and recomputes their products.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.compiling import float_kernel, inline_kernel
from fourcodec.fourier.elementary import LOG2_E, exp2
from fourcodec.fourier.layer import LOW_BITS, _add_marginals, _fill_phasors, _fill_products
from fourcodec.fourier.layout import BLOCK, SIGMOID
from fourcodec.fourier.simd import (
    accumulate_outputs,
    accumulate_phase_gradients,
    accumulate_weight_gradients,
    multiply_phasors,
)

POSITION_FEATURES = 8  # cosine and sine of four frequencies
_ZERO, _ONE, _TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)
_TO_SAMPLE = np.float32(2 / 255)  # uint8 -> [-1, 1]
# In place of the results that a call does not ask for.
NO_SAMPLES, NO_TARGETS = np.empty((0, 0, 0), np.float32), np.empty((0, 0, 0), np.uint8)
NO_ERRORS, NO_GRADIENTS = np.empty(0, np.float32), np.empty((0, 0), np.float32)


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
    """Turns outputs y (channels, BLOCK) into samples in [-1, 1], in place."""
    for c in range(y.shape[0]):
        row = y[c]
        if activation == SIGMOID:
            for p in range(BLOCK):
                row[p] = _TWO / (_ONE + exp2(-LOG2_E * row[p])) - _ONE
        else:
            for p in range(BLOCK):
                row[p] = _TWO * row[p] - _ONE


@inline_kernel
def _differentiate(samples: Any, targets: Any, at: int, activation: int) -> Any:
    """The sum of squared differences between samples (channels, BLOCK) and targets from position `at` on. Overwrites
    the samples with its gradients by the outputs before the activation."""
    total, size = _ZERO, min(BLOCK, targets.shape[1] - at)
    for c in range(samples.shape[0]):
        row, wanted = samples[c], targets[c, at : at + size]
        for p in range(size):
            value = row[p]
            error = value - (np.float32(wanted[p]) * _TO_SAMPLE - _ONE)
            total += error * error
            # 2 error times the activation's derivative: (1 - value^2) / 2 for the sigmoid, 2 for the linear one
            derivative = _ONE - value * value if activation == SIGMOID else np.float32(4.0)
            row[p] = error * derivative
        for p in range(size, BLOCK):
            row[p] = _ZERO
    return total


@inline_kernel
def _copy_block(values: Any, at: int, out: Any) -> None:
    size = min(BLOCK, out.shape[1] - at)
    for c in range(values.shape[0]):
        row = out[c, at : at + size]
        for p in range(size):
            row[p] = values[c, p]


@inline_kernel
def _fill_tables(cosines: Any, sines: Any, low_bits: int, low: Any, high: Any) -> None:
    """Fills `low` with the products of phasors that the low bits of k select, and `high` with those of the high
    bits."""
    _fill_products(cosines, sines, 0, low_bits, low)
    _fill_products(cosines, sines, low_bits, cosines.shape[0] - low_bits, high)


@functools.cache
def network_kernel(width: int, depth: int, channels: int) -> Callable[..., None]:
    """The kernel for networks of this width, depth and number of channels, compiled on first call and cached on disk:

        propagate(coefficients, positions, activation, start, stop, samples, targets, errors, gradients)

    It writes the results of images start..stop-1 into arrays of all images: samples, where targets are NO_TARGETS; else
    errors and gradients. coefficients, gradients: (B, count) float32, in the order of NetworkShape. positions: from
    `position_features`. samples: (B, channels, N) float32 in [-1, 1]. targets: the same shape, uint8. errors: (B,)
    float32, each the sum over an image of squared differences on [-1, 1]; gradients are theirs by the coefficients.

    It is one function for all layers, forward and backward, because cached machine code is named by the integers that a
    kernel is built with, so no kernel can be passed to another. The micro-kernels need a layer's number of outputs as a
    constant: hidden layers and the last layer are therefore separate calls.
    """
    m, layers, outputs = width, depth, channels
    first_size, layer_size = POSITION_FEATURES * m, 2 * m << m
    low_bits = min(m, LOW_BITS)
    count, chunks = 1 << low_bits, 1 << (m - low_bits)
    hidden_stride, last_stride = 2 * count * m, 2 * count * outputs

    @float_kernel
    def propagate(
        coefficients: Any,
        positions: Any,
        activation: int,
        start: int,
        stop: int,
        samples: Any,
        targets: Any,
        errors: Any,
        gradients: Any,
    ) -> None:
        backward = targets.shape[0] > 0
        cosines, sines = np.empty((layers, m, BLOCK), np.float32), np.empty((layers, m, BLOCK), np.float32)
        x, y = np.empty((m, BLOCK), np.float32), np.empty((outputs, BLOCK), np.float32)
        low, high = np.empty((2 * count, BLOCK), np.float32), np.empty((2 * chunks, BLOCK), np.float32)
        low_gradients, high_gradients = np.empty((count, BLOCK), np.float32), np.empty((chunks, BLOCK), np.float32)
        features = np.empty((2 * count, BLOCK), np.float32)
        for image in range(start, stop):
            w = coefficients[image]
            if backward:
                gradients[image, :] = _ZERO
                errors[image] = _ZERO
            for block in range(positions.shape[0]):
                x[:] = _ZERO
                accumulate_outputs(x, positions[block], w, 0, POSITION_FEATURES, m)
                y[:] = _ZERO
                for d in range(layers):
                    _fill_phasors(x, 0, BLOCK, cosines[d], sines[d])
                    _fill_tables(cosines[d], sines[d], low_bits, low, high)
                    offset = first_size + d * layer_size
                    for h in range(chunks):
                        multiply_phasors(low, high, h, features, count)
                        if d < layers - 1:  # adding the layer to what its input was is the layer's "+ x"
                            accumulate_outputs(x, features, w, offset + h * hidden_stride, 2 * count, m)
                        else:
                            accumulate_outputs(y, features, w, offset + h * last_stride, 2 * count, outputs)
                _activate(y, activation)
                at = block * BLOCK
                if not backward:
                    _copy_block(y, at, samples[image])
                    continue
                dw = gradients[image]
                errors[image] += _differentiate(y, targets[image], at, activation)
                x[:] = _ZERO  # from here on x holds gradients by the states, y those by the outputs
                for d in range(layers - 1, -1, -1):
                    _fill_tables(cosines[d], sines[d], low_bits, low, high)
                    low_gradients[:] = _ZERO
                    high_gradients[:] = _ZERO
                    offset = first_size + d * layer_size
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
                    _add_marginals(low_gradients, low_bits, 0, x)
                    _add_marginals(high_gradients, m - low_bits, low_bits, x)
                accumulate_weight_gradients(dw, 0, x, positions[block], POSITION_FEATURES, m)

    return propagate  # type: ignore[no-any-return]
