"""Profile 2, `grid`: a pyramid of small integer latents, upsampled, goes through a small Fourier network to colours.

    pack:    integers -> header fields and two sections, the networks' weights and the latents
    unpack:  the inverse, with checks, for the tiles and levels that a lattice needs
    render:  integers -> weights, latents -> features -> a window of the image at 1:2^r -> planes on the lattice

An image is 1..n tiles, each with a pyramid of its own; picture.py has them as integers. Networks are coded by
weight_coding.py, latents by latent_coding.py under the entropy model; config.py has the header's fields,
rendering.py computes the colours of a tile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream import container, varint
from fourcodec.bitstream.container import Section
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.grid.config import GridConfig, read_config
from fourcodec.grid.edges import smooth_edges
from fourcodec.grid.kernels import layout
from fourcodec.grid.picture import GridNetworks, QuantizedGrid, side_by_side
from fourcodec.grid.rendering import render_incomplete, render_tile, sampling
from fourcodec.grid.weight_coding import decode_networks, encode_networks, network_bits
from fourcodec.grid.weights import UNUSED
from fourcodec.grid.windows import Window
from fourcodec.views import Lattice, whole

__all__ = [
    "NAME",
    "PROFILE_ID",
    "SECTION_NAMES",
    "bits_by_part",
    "describe",
    "latent_bits",
    "memory_pixels",
    "multiplications",
    "pack",
    "read_config",
    "render",
    "render_beginning",
    "same",
    "unpack",
    "unpack_beginning",
]

PROFILE_ID = 2
NAME = "grid"
NETWORKS, LATENTS = 0, 1  # section kinds
SECTION_NAMES = {NETWORKS: "networks", LATENTS: "latents"}
_FREE_PIXELS = 1 << 16  # the margins of small images, 2 MB at most, are not held against them


def pack(picture: QuantizedGrid) -> tuple[dict[str, Any], list[Section]]:
    """The profile's fields of the header, and the sections. Raises ValueError where a weight has more than 15 bits."""
    from fourcodec.grid.latent_coding import encode_latents
    from fourcodec.threads import thread_count

    config, entropy_model = picture.config, picture.networks.entropy_model
    tiles = [picture.tile(number) for number in range(config.tiling.count)]
    streams = [encode_latents(tile.config.pyramid, tile.latents, entropy_model, thread_count()) for tile in tiles]
    return config.header_fields, [
        Section(NETWORKS, container.CODER_RANGE, encode_networks(picture.networks)),
        Section(LATENTS, container.CODER_RANGE, _join(streams, config)),
    ]


def unpack(config: GridConfig, sections: Sequence[Section], lattice: Lattice | None = None) -> QuantizedGrid:
    """The inverse of pack. With a lattice, only the tiles and latents that it needs are decoded.

    Raises CorruptFileError and UnsupportedFormatError.
    """
    from fourcodec.grid.latent_coding import decode_latents
    from fourcodec.threads import thread_count

    networks, payload = _read_sections(config, sections)
    streams = _split(payload, config)
    numbers, finest, passes = list(range(config.tiling.count)), 0, layout.PASSES
    if lattice is not None:
        how = sampling(config, lattice)
        numbers, finest, passes = config.tiling.touched(how.around, how.reduction), how.finest, how.passes
    return QuantizedGrid(
        networks,
        {
            number: decode_latents(
                config.of_tile(number).pyramid,
                streams[number],
                networks.entropy_model,
                thread_count(),
                finest,
                passes,
            )
            for number in numbers
        },
    )


def unpack_beginning(
    config: GridConfig, sections: Sequence[Section], missing_bytes: int
) -> tuple[QuantizedGrid, int, str]:
    """The content of a file whose last section lacks so many bytes: the networks and the latents that are whole; the
    r of the picture's size 1:2^r; and the content in words.

    Without tiles r is the number of levels that are not whole. With tiles it is that of the first; where the first is
    whole, so are all that are given here, and the others are missing. Raises CorruptFileError, also where not even the
    first level is whole, and UnsupportedFormatError.
    """
    from fourcodec.grid.latent_coding import decode_latents, decode_whole_levels
    from fourcodec.threads import thread_count

    if not sections or sections[-1].kind != LATENTS or not missing_bytes:
        return unpack(config, sections[: len(sections) - (missing_bytes > 0)]), 0, "all latents are whole"
    networks, payload = _read_sections(config, sections)
    tiles: dict[int, list[NDArray[np.int16]]] = {}
    for number, (stream, is_whole) in enumerate(_split_beginning(payload, config, missing_bytes)):
        pyramid, model = config.of_tile(number).pyramid, networks.entropy_model
        if is_whole:
            tiles[number] = decode_latents(pyramid, stream, model, thread_count())
        elif number == 0:
            tiles[number] = decode_whole_levels(pyramid, stream, model, thread_count())
    reduction = config.levels - len(tiles[0])
    if reduction == config.levels:
        raise CorruptFileError("section 'latents': the file ends before its first level is whole")
    if config.tiles and not reduction:
        return QuantizedGrid(networks, tiles), 0, f"{len(tiles)} of {config.tiling.count} tiles are whole"
    of_what = "of the first tile " if config.tiles else ""
    missing = f"{reduction - 1} to 0 are missing" if reduction > 1 else "level 0 is missing"
    what = f"levels {config.levels - 1} to {reduction} {of_what}are whole, {missing}"
    return QuantizedGrid(networks, {0: tiles[0]}), reduction, what


def render_beginning(picture: QuantizedGrid, size: tuple[int, int], reduction: int) -> NDArray[np.float32]:
    """The image of (height, width) at 1:2^reduction from what unpack_beginning found: (channels, rows, columns)
    float32, about [0, 1], not clamped; 0 in tiles that are missing."""
    config, step = picture.config, 2**reduction
    planes = np.zeros((config.channels, *(math.ceil(side / step) for side in size)), np.float32)
    for number in picture.tiles:
        tile = picture.tile(number)
        place = config.tiling.tile(number)
        rows, columns = math.ceil(place.rows / step), math.ceil(place.columns / step)
        top, left = place.top // step, place.left // step
        render_incomplete(tile, planes[:, top : top + rows, left : left + columns])
    if config.tiles and not reduction and len(picture.tiles) == config.tiling.count:
        smooth_edges(planes, Window(0, 0, *size), config.tiling.side)
    return planes


def _read_sections(config: GridConfig, sections: Sequence[Section]) -> tuple[GridNetworks, bytes]:
    """The networks, and the payload of the section of latents. Raises as unpack."""
    found = container.by_kind(sections, SECTION_NAMES)
    for kind, name in SECTION_NAMES.items():
        if kind not in found:
            raise CorruptFileError(f"section {name!r} is missing")
        if found[kind].coder != container.CODER_RANGE:
            raise UnsupportedFormatError(f"section {name!r} has coder {found[kind].coder}, unknown to this version")
    return decode_networks(found[NETWORKS].payload, config), found[LATENTS].payload


def _join(streams: Sequence[bytes], config: GridConfig) -> bytes:
    """The payload of the section of latents: the tiles' lengths, then their streams; without tiles the stream alone."""
    lengths = [varint.write(len(stream)) for stream in streams] if config.tiles else []
    return b"".join([*lengths, *streams])


def _split(payload: bytes, config: GridConfig) -> list[bytes]:
    """The inverse of _join. Raises CorruptFileError where the lengths are not those of the payload."""
    return [stream for stream, _ in _split_beginning(payload, config, 0)]


def _split_beginning(payload: bytes, config: GridConfig, missing_bytes: int) -> list[tuple[bytes, bool]]:
    """The streams of the tiles as far as they are in the beginning of a payload, and whether each is whole. Raises
    CorruptFileError where the lengths are not those of the payload, or are not there."""
    size_bytes, at = len(payload) + missing_bytes, 0
    lengths = [] if config.tiles else [size_bytes]
    for _ in range(config.tiling.count if config.tiles else 0):
        length, at = varint.read(payload, at)
        lengths.append(length)
    if at + sum(lengths) != size_bytes:
        raise CorruptFileError("section 'latents': the tiles' lengths are not those of the section")
    streams = []
    for length in lengths:
        streams.append((payload[at : at + length], at + length <= len(payload)))
        at += length
    return streams


def render(
    picture: QuantizedGrid, size: tuple[int, int], device: str, lattice: Lattice | None = None
) -> NDArray[np.float32]:
    """The image of (height, width) on a lattice, at every pixel unless given: (channels, rows, columns) float32, about
    [0, 1], not clamped. It is computed on the CPU, whatever the device.

    Synthesis runs in the window that the lattice needs, at 1:2^r with the largest r that leaves about two samples along
    each axis for each one of the lattice, or else at 1:1. There edges between tiles are smoothed (edges.py). The result
    is resampled on the lattice.
    """
    config = picture.config
    how = sampling(config, lattice or whole(size[1], size[0]))
    planes = np.empty((config.channels, how.around.rows, how.around.columns), np.float32)
    for number in config.tiling.touched(how.around, how.reduction):
        tile = config.tiling.tile(number, how.reduction)
        shared = how.around.shared(tile)
        within = shared.moved(-tile.top, -tile.left)
        render_tile(picture.tile(number), how.reduction, within, planes[:, *shared.within(how.around)])
    if config.tiles and not how.reduction:
        smooth_edges(planes, how.around, config.tiling.side)
    return how.resampled(planes)


def multiplications(config: GridConfig, lattice: Lattice) -> int:
    """An upper bound on the multiplications of `unpack` and `render`: one for each latent and weight of the network of
    its level and pass, unused ones among them, and for each weight of the other networks and pixel of the lattice's
    box."""
    (size,) = config.shape.shapes[0]
    of_picture = int((config.shape.groups[size:] != UNUSED).sum())
    return config.latent_count * layout.PASS_WEIGHTS + lattice.width * lattice.height * of_picture


def memory_pixels(config: GridConfig) -> int:
    """The number of pixels of a square image that takes as much memory, or a few more. The pyramid of a thin image,
    such as a single row, is mostly margins."""
    largest = config.of_tile(0)  # there is one tile at a time
    # A position takes 68 bytes (PLANES floats, two integers and the latents), a pixel of the largest square image 29.
    return max(config.height * config.width, 5 * largest.pyramid.total // 2 - _FREE_PIXELS)


def same(first: QuantizedGrid, second: QuantizedGrid) -> bool:
    """True if all integers are equal."""
    if first.config != second.config or first.tiles.keys() != second.tiles.keys():
        return False
    pairs: list[tuple[NDArray[Any], NDArray[Any]]] = [
        (first.networks.exponents, second.networks.exponents),
        (first.networks.symbols, second.networks.symbols),
        *(pair for n, latents in first.tiles.items() for pair in zip(latents, second.tiles[n], strict=True)),
    ]
    return all(np.array_equal(one, other) for one, other in pairs)


def describe(config: GridConfig, sections: Sequence[Section]) -> dict[str, Any]:
    """Facts for `info`, without decoding, as JSON types."""
    return {
        "levels": config.levels,
        "order": config.order,
        "tiles": config.tiling.count,
        "latents": config.latent_count,
        "weights": int((config.shape.groups != UNUSED).sum()),
        "bytes": {SECTION_NAMES[s.kind]: len(s.payload) for s in sections if s.kind in SECTION_NAMES},
    }


def bits_by_part(picture: QuantizedGrid, sections: Sequence[Section]) -> dict[str, list[tuple[str, float]]]:
    """The bits of each section's parts, by the section's name. Those of the networks are counted as they are decoded;
    those of the levels of latents, finest first, follow from the latents' probabilities. `picture` is the content of
    the sections, with all tiles and levels."""
    costs = latent_bits(picture)
    networks = container.by_kind(sections, SECTION_NAMES)[NETWORKS]
    names = [f"level {number}, {cost.shape[1]} x {cost.shape[0]}" for number, cost in enumerate(costs)]
    latents = [float(cost.sum(dtype=np.float64)) for cost in costs]
    return {
        SECTION_NAMES[NETWORKS]: network_bits(networks.payload, picture.config),
        SECTION_NAMES[LATENTS]: list(zip(names, latents, strict=True)),
    }


def latent_bits(picture: QuantizedGrid) -> list[NDArray[np.float32]]:
    """The cost of each latent in bits: (rows, columns) per level of the image, finest first. No tile and no level may
    be missing."""
    from fourcodec.grid import latent_coding
    from fourcodec.threads import thread_count

    config, entropy_model = picture.config, picture.networks.entropy_model
    tiles = [picture.tile(number) for number in range(config.tiling.count)]
    costs = [
        latent_coding.latent_bits(tile.config.pyramid, tile.latents, entropy_model, thread_count()) for tile in tiles
    ]
    return side_by_side(config.tiling, costs)
