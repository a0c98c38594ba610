"""The integers of a network <-> the payload of its section: by the range coder, or by zstd over byte planes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream import zstd
from fourcodec.errors import CorruptFileError
from fourcodec.fnet.config import FnetConfig
from fourcodec.fnet.quantize import STEP_COUNT
from fourcodec.fourier.frequencies import frequency_bits
from fourcodec.fourier.shape import NetworkShape

_MAX_PLANES = 3  # bytes per integer under zstd: 20 bits and a sign


def differences(indices: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Step indices as the differences from the one before, the first from 0."""
    wide = np.concatenate([[0], indices]).astype(np.int32)
    return wide[1:] - wide[:-1]


def running_sums(values: NDArray[np.int32]) -> NDArray[np.uint8]:
    """The inverse of differences. Raises CorruptFileError where an index is out of range."""
    indices = np.cumsum(values, dtype=np.int64)
    if indices.min() < 0 or indices.max() >= STEP_COUNT:
        raise CorruptFileError(f"section 'network': a step index is outside 0..{STEP_COUNT - 1}")
    return indices.astype(np.uint8)


def groups(shape: NetworkShape) -> NDArray[np.int64]:
    """The number of each coefficient's group, (coefficient_count,) int64 from 0. A group has the coefficients of one
    layer and one order of frequencies, which are of similar magnitude."""
    found, first = np.empty(shape.coefficient_count, np.int64), 0
    for layer in shape.layers:
        orders = frequency_bits(layer.inputs, layer.order).sum(axis=1)
        found[layer.span].reshape(len(orders), -1)[:] = first + orders[:, None]
        first += layer.order + 1
    return found


def contexts(config: FnetConfig) -> NDArray[np.int64]:
    """The contexts of the binary coder, (n, 2): 0 for the step indices, 1 + layer for its coefficients, in every cell;
    the finer ones are those of `groups`."""
    shape = config.shape
    steps = np.tile([0, -1], (config.step_count, 1))
    layers = np.repeat(1 + np.arange(len(shape.layers)), [layer.size for layer in shape.layers])
    return np.concatenate([steps, np.tile(np.stack([layers, groups(shape)], axis=1), (config.cells.count, 1))])


def encode_range(values: NDArray[np.int32], config: FnetConfig) -> bytes:
    """The values as bytes of the range coder. Raises ValueError where one is too large for it."""
    from fourcodec.coding import binary_coder

    return binary_coder.encode(values, contexts(config))


def decode_range(data: bytes, config: FnetConfig) -> NDArray[np.int32]:
    """The inverse of encode_range, int32. Raises CorruptFileError."""
    from fourcodec.coding import binary_coder

    return binary_coder.decode(data, contexts(config))


def encode_planes(values: NDArray[np.int32]) -> bytes:
    """A byte that counts the planes, then zstd over them: plane j holds byte j of every zigzag-coded integer."""
    zigzag = np.where(values < 0, -2 * values - 1, 2 * values).astype("<u4")
    count = max(1, -(-int(zigzag.max()).bit_length() // 8))
    planes = zigzag.view(np.uint8).reshape(-1, 4).T[:count]
    return bytes([count]) + zstd.compress(planes.tobytes())


def decode_planes(data: bytes, count: int) -> NDArray[np.int32]:
    """The inverse of encode_planes for `count` integers, int32. Raises CorruptFileError."""
    if not data or not 1 <= data[0] <= _MAX_PLANES:
        raise CorruptFileError(f"section 'network' has no count of byte planes in 1..{_MAX_PLANES}")
    plain = zstd.decompress(data[1:], data[0] * count)
    zigzag = np.zeros((count, 4), np.uint8)
    zigzag[:, : data[0]] = np.frombuffer(plain, np.uint8).reshape(data[0], count).T
    unsigned = zigzag.view("<u4")[:, 0].astype(np.int64)
    return np.where(unsigned & 1, -(unsigned + 1) // 2, unsigned // 2).astype(np.int32)
