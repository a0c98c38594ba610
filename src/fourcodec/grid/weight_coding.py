"""The networks of the profile grid <-> the bytes of section `networks`, under the adaptive binary coder."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fourcodec.errors import CorruptFileError
from fourcodec.grid.config import GridConfig
from fourcodec.grid.picture import GridNetworks
from fourcodec.grid.weights import UNUSED, GridWeights

MAX_EXPONENT = 20  # of weights: steps of 2^-20 are finer than any use
MAX_SYMBOL = 2**15 - 1  # what the entropy model allows in integers
MAX_GAIN = 2**48  # of smoothing and all upsampling together; bicubic filters have at most 16
# The parts of GridWeights, in order, as `info --parts` names them.
_PART_NAMES = (
    "entropy model",
    "first Fourier layer",
    "last Fourier layer, linear path",
    "upsampling",
    "3 x 3 filter",
    "smoothing",
)


def encode_networks(networks: GridNetworks) -> bytes:
    """Exponents, then the symbols of the weights that are used, in the order of the flat vector.

    Raises ValueError where a symbol has more than 15 bits.
    """
    from fourcodec.coding import binary_coder

    groups = networks.config.shape.groups
    used = groups != UNUSED
    if int(np.abs(networks.symbols).max(initial=0)) > MAX_SYMBOL:
        raise ValueError("a weight needs more than 15 bits at its step size")
    values = np.concatenate([networks.exponents.astype(np.int32), networks.symbols[used]])
    return binary_coder.encode(values, _contexts(networks.config))


def decode_networks(data: bytes, config: GridConfig) -> GridNetworks:
    """The inverse of encode_networks. Raises CorruptFileError, also for weights that could overflow."""
    from fourcodec.coding import binary_coder

    shape = config.shape
    used = shape.groups != UNUSED
    values = binary_coder.decode(data, _contexts(config))
    exponents, symbols = values[: shape.group_count], np.zeros(shape.groups.size, np.int32)
    symbols[used] = values[shape.group_count :]
    if exponents.min() < 0 or exponents.max() > MAX_EXPONENT or np.abs(symbols).max() > MAX_SYMBOL:
        raise CorruptFileError("section 'networks': an exponent or a weight is out of its range")
    networks = GridNetworks(config, exponents.astype(np.uint8), symbols)
    try:
        _ = networks.entropy_model  # checks its own bounds, and is needed by all latents
        check_gain(networks.weights)
    except ValueError as exc:
        raise CorruptFileError(f"section 'networks': {exc}") from exc
    return networks


def check_gain(weights: GridWeights) -> None:
    """Raises ValueError for filters that could make features of more than 2^63: beside the largest weights
    that a file can have, all sums up to the samples then stay below 2^103, and so within float32."""
    reach = np.abs(weights.filters.astype(np.float64)).sum(axis=1)  # of one direction; there are two
    smoothing = np.abs(weights.smoothing.astype(np.float64)) @ (2, 2, 2, 1)
    if (math.prod(np.maximum(reach, 1).tolist()) * smoothing.max(initial=1)) ** 2 > MAX_GAIN:
        raise ValueError(f"the filters together amplify more than {MAX_GAIN} times")


def network_bits(payload: bytes, config: GridConfig) -> list[tuple[str, float]]:
    """The bits of each part that encode_networks wrote, by name, as decoding spends them. Raises CorruptFileError."""
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
    """The contexts of the binary coder: 0 for exponents, 1 + group for weights."""
    shape = config.shape
    used = shape.groups[shape.groups != UNUSED]
    return np.concatenate([np.zeros(shape.group_count, np.uint8), 1 + used])
