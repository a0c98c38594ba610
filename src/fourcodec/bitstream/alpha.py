"""Alpha planes <-> bytes, without loss (FORMAT.md, "Shared sections"): differences to neighbours under zstd.

Fitted like a colour, a mask with edges takes more bytes and comes back with a halo; soft shadows would take fewer.
benchmarks/results/alpha.tsv has the numbers.
"""

from __future__ import annotations

import numpy as np

from fourcodec.arrays import Samples
from fourcodec.bitstream import container, zstd
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, UnsupportedFormatError

KIND = 8
NAME = "alpha"
AXES: tuple[tuple[int, ...], ...] = ((), (1,), (0,), (0, 1))  # along which a predictor takes differences


def write(alpha: Samples) -> Section:
    """The section for alpha (H, W), with the predictor that takes the fewest bytes."""
    packed = [bytes([number]) + zstd.compress(_split(_differences(alpha, axes))) for number, axes in enumerate(AXES)]
    return Section(KIND, container.CODER_ZSTD, min(packed, key=len))


def read(section: Section, header: Header) -> Samples:
    """The inverse of `write`: (H, W), uint8 or uint16 by the header.

    Raises CorruptFileError, and UnsupportedFormatError for an unknown coder.
    """
    if section.coder != container.CODER_ZSTD:
        raise UnsupportedFormatError(f"section {NAME!r} has coder {section.coder}, unknown to this version")
    if not section.payload or section.payload[0] >= len(AXES):
        raise CorruptFileError(f"section {NAME!r} does not begin with a predictor, 0 to {len(AXES) - 1}")
    width_bytes = header.bit_depth // 8
    plain = zstd.decompress(section.payload[1:], header.height * header.width * width_bytes)
    return _sums(_join(plain, (header.height, header.width), width_bytes), AXES[section.payload[0]])


def _differences(alpha: Samples, axes: tuple[int, ...]) -> Samples:
    """To the sample before along each axis (0 before the first), modulo the number of values."""
    for axis in axes:
        alpha = np.diff(alpha, axis=axis, prepend=alpha.dtype.type(0))
    return alpha


def _sums(differences: Samples, axes: tuple[int, ...]) -> Samples:
    for axis in axes:
        differences = np.cumsum(differences, axis=axis, dtype=differences.dtype)
    return differences


def _split(samples: Samples) -> bytes:
    """All low bytes, then, for 16 bits, all high ones."""
    little = samples.astype(samples.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).reshape(samples.size, -1).T.tobytes()


def _join(plain: bytes, shape: tuple[int, int], width_bytes: int) -> Samples:
    planes = np.frombuffer(plain, np.uint8).reshape(width_bytes, *shape)
    return planes[0].copy() if width_bytes == 1 else planes[0] | planes[1].astype(np.uint16) << 8
