"""Files that ask for as much as they can: small, with right checksums, and made without the memory that they would take
to decode. For tests, and for the table that benchmarks/limits.py writes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import zstandard

from fourcodec.bitstream import alpha, container, metadata, varint, zstd
from fourcodec.bitstream.container import Header, Section
from fourcodec.fnet import coefficient_coding
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig
from fourcodec.grid import config as grid_config
from fourcodec.grid import profile as grid
from fourcodec.grid import weight_coding as grid_networks
from fourcodec.grid.picture import GridNetworks
from fourcodec.grid.weights import FILTERS, UNUSED


def fnet_file(width: int, height: int, size: tuple[int, ...] = (10, 16), channels: int = 3, **fields: Any) -> bytes:
    """The largest network that there is, all zeros: some 100 bytes."""
    config = FnetConfig.of_size(size, channels=1 if channels <= 2 else 3)
    values = np.zeros(config.step_count + config.coefficient_count, np.int32)
    section = Section(fnet.NETWORK, container.CODER_RANGE, coefficient_coding.encode_range(values, config))
    return container.write(Header(width, height, channels, fnet.PROFILE_ID, size, **fields), [section])


def grid_file(
    width: int, height: int, latents: bytes = b"", exponents: int = 20, channels: int = 3, **fields: Any
) -> bytes:
    """The most levels, frequencies and units that there are, every weight its smallest, so that no multiplication is
    left out. Behind the end of `latents` are zeros, which make as many latents as are wanted."""
    config = grid_config.GridConfig(height, width, 1 if channels <= 2 else 3, 9, 3, 16, 0, smooth=True)
    used = config.shape.groups != UNUSED
    networks = GridNetworks(config, np.full(config.shape.group_count, exponents, np.uint8), used.astype(np.int32))
    sections = [
        Section(grid.NETWORKS, container.CODER_RANGE, grid_networks.encode_networks(networks)),
        Section(grid.LATENTS, container.CODER_RANGE, latents),
    ]
    header = Header(width, height, channels, grid.PROFILE_ID, config.architecture, **fields)
    return container.write(header, [*sections])


def with_alpha(data: bytes, opacity: int = 255) -> bytes:
    """The same file with an alpha channel of one value, its bits the header's."""
    header, sections = container.read(data)
    header = dataclasses.replace(header, channels=header.channels + 1)
    size_bytes = header.width * header.height * header.bit_depth // 8
    coder = zstandard.ZstdCompressor(level=1, write_content_size=False).compressobj()
    piece = bytes([opacity]) * min(size_bytes, 1 << 20)
    frame = (
        b"".join(coder.compress(piece[: size_bytes - at]) for at in range(0, size_bytes, len(piece))) + coder.flush()
    )
    section = Section(alpha.KIND, container.CODER_ZSTD, b"\0" + frame[len(zstd.MAGIC) :])
    return container.write(header, [*sections, section])


def with_metadata(data: bytes, size_bytes: int, *, declared: int | None = None) -> bytes:
    """The same file with an ICC profile of zeros under zstd, `declared` bytes by its own word."""
    header, sections = container.read(data)
    payload = varint.write(size_bytes if declared is None else declared) + zstd.compress(bytes(size_bytes))
    return container.write(header, [*sections, Section(metadata.ICC, container.CODER_ZSTD, payload)])


def with_filters(data: bytes, symbol: int, group: int = FILTERS) -> bytes:
    """A grid's file with the weights of all its upsampling filters, or of another group, changed to `symbol` steps of
    1."""
    header, sections = container.read(data)
    config = grid_config.read_config(header)
    networks = grid_networks.decode_networks(sections[0].payload, config)
    networks.exponents[group] = 0
    networks.symbols[config.shape.groups == group] = symbol
    payload = grid_networks.encode_networks(networks)
    return container.write(header, [dataclasses.replace(sections[0], payload=payload), *sections[1:]])
