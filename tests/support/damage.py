"""Files damaged in one place, and what a decoder makes of them."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from fourcodec import codec
from fourcodec.errors import FourcodecError
from tests.fuzz.mutation import header_numbers


def flips(data: bytes) -> Iterator[bytes]:
    """One bit changed: 8 for every byte, in order."""
    for at in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[at // 8] ^= 1 << at % 8
        yield bytes(damaged)


def truncations(data: bytes) -> Iterator[bytes]:
    """The first 0, 1, ... bytes, short of all."""
    return (data[:length] for length in range(len(data)))


def repaired(data: bytes) -> bytes:
    """Both checksums made right where a reader will look for them; as it is where there is no such place."""
    try:
        _, at = header_numbers(data)
    except IndexError:
        return data
    if len(data) < at + 8:
        return data
    head = data[:at] + struct.pack("<I", zlib.crc32(data[at + 8 :]))
    return head + struct.pack("<I", zlib.crc32(head)) + data[at + 8 :]


def outcome(data: bytes, wanted: np.ndarray) -> str:
    """What decoding comes to: "refused", the "same" picture as `wanted`, or "another". Raises what should not be."""
    try:
        picture = codec.decode(data)
    except FourcodecError:
        return "refused"
    return "same" if picture.dtype == wanted.dtype and np.array_equal(picture, wanted) else "another"
