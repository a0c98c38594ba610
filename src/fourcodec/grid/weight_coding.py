"""The networks of the profile grid as integers: one section of bytes, and the weights that they stand for.

Weights are integers times powers of two, one exponent per group; their order is that of grid/weights.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.errors import CorruptFileError
from fourcodec.grid import trained_starts
from fourcodec.grid.config import GridConfig, QuantizedGrid
from fourcodec.grid.weights import HIDDEN, MEANS, SCALES, TAPS, UNUSED, GridWeights

MAX_EXPONENT = 20  # of weights: steps of 2^-20 are finer than any use
MAX_SYMBOL = 2**15 - 1  # what the integer context model allows
MAX_GAIN = 2**48  # of smoothing and all upsampling together; bicubic filters have at most 16
# Of GridWeights, in order, for people.
_PART_NAMES = (
    "entropy model",
    "first Fourier layer",
    "last Fourier layer, linear path",
    "upsampling",
    "3 x 3 filter",
    "smoothing",
)


def encode_networks(picture: QuantizedGrid) -> bytes:
    """Exponents, then the symbols of the weights that are used, in the order of the flat vector."""
    from fourcodec.coding import binary_coder

    groups = picture.config.shape.groups
    used = groups != UNUSED
    if int(np.abs(picture.symbols).max(initial=0)) > MAX_SYMBOL:
        raise ValueError("a weight needs more than 15 bits at its step size")
    values = np.concatenate([picture.exponents.astype(np.int32), picture.symbols[used]])
    return binary_coder.encode(values, _contexts(picture.config))


def decode_networks(data: bytes, config: GridConfig) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """The inverse of encode_networks: exponents and symbols. Raises CorruptFileError."""
    from fourcodec.coding import binary_coder

    shape = config.shape
    used = shape.groups != UNUSED
    values = binary_coder.decode(data, _contexts(config))
    exponents, symbols = values[: shape.group_count], np.zeros(shape.groups.size, np.int32)
    symbols[used] = values[shape.group_count :]
    if exponents.min() < 0 or exponents.max() > MAX_EXPONENT or np.abs(symbols).max() > MAX_SYMBOL:
        raise CorruptFileError("section 'networks': an exponent or a weight is out of its range")
    return exponents.astype(np.uint8), symbols


def weights_of(picture: QuantizedGrid) -> GridWeights:
    """The GridWeights: integers times powers of two, exact in float32 but for the filters' base."""
    shape = picture.config.shape
    steps = np.append(np.ldexp(np.float32(1.0), -picture.exponents.astype(np.int32)), np.zeros(256, np.float32))
    groups = np.minimum(shape.groups, shape.group_count)
    return shape.weights(shape.base + picture.symbols.astype(np.float32) * steps[groups].astype(np.float32))


def check_gain(weights: GridWeights) -> None:
    """Raises ValueError for filters that could make features of more than 2^63: beside the largest weights
    that a file can have, all sums up to the samples then stay below 2^103, and so within float32."""
    reach = np.abs(weights.filters.astype(np.float64)).sum(axis=1)  # of one direction; there are two
    smoothing = np.abs(weights.smoothing.astype(np.float64)) @ (2, 2, 2, 1)
    if (math.prod(np.maximum(reach, 1).tolist()) * smoothing.max(initial=1)) ** 2 > MAX_GAIN:
        raise ValueError(f"the filters together amplify more than {MAX_GAIN} times")


def context_integers(picture: QuantizedGrid) -> Any:
    """The EntropyModelIntegers of the same weights. Raises ValueError where one is too large."""
    from fourcodec.grid.latent_coding import EntropyModelIntegers

    shape = picture.config.shape
    size = shape.shapes[0]
    symbols = picture.symbols[: math.prod(size)].reshape(size).astype(np.int64)
    exponents = picture.exponents[[TAPS, HIDDEN, MEANS, SCALES]].astype(np.int64)
    if not picture.config.trained_start:
        return EntropyModelIntegers(symbols, tuple(exponents.tolist()))
    shifts = np.maximum(exponents, trained_starts.FRACTION)
    group = np.minimum(shape.groups[: math.prod(size)], SCALES).reshape(size)  # what is unused is 0 in any unit
    weights = (symbols << (shifts - exponents)[group]) + (
        shape.entropy_model_base << (shifts - trained_starts.FRACTION)[group]
    )
    return EntropyModelIntegers(weights, tuple(shifts.tolist()))


def network_bits(payload: bytes, config: GridConfig) -> list[tuple[str, float]]:
    """The bits of the parts of what encode_networks wrote, by name, as they are decoded. Raises CorruptFileError."""
    from fourcodec.coding import binary_coder

    shape = config.shape
    used, ends = np.cumsum(shape.groups != UNUSED), np.cumsum([math.prod(size) for size in shape.shapes])
    edges = [shape.group_count, *(shape.group_count + used[ends - 1]).tolist()]
    names = ["step sizes", *_PART_NAMES]
    if not shape.smooth:
        names, edges = names[:-1], edges[:-1]
    spent = binary_coder.spent_bits(payload, _contexts(config), edges)
    return list(zip(names, spent, strict=True))


def _contexts(config: GridConfig) -> NDArray[np.uint8]:
    """Context 0 for the exponents, 1 + group for weights."""
    shape = config.shape
    used = shape.groups[shape.groups != UNUSED]
    return np.concatenate([np.zeros(shape.group_count, np.uint8), 1 + used])
