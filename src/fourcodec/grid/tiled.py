"""Profile 2, `grid`, whole: a picture as one pyramid of latents or as tiles, each of which is a picture of
profile.py with the networks of all.

    pack:    integers -> architecture fields and two sections; that of latents has the tiles' lengths, then the tiles
    unpack:  the same, checked, backwards; of the tiles those that are wanted
    render:  tiles -> the picture, or a part of it, at a size that the levels have -> planes
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream import container, varint
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError
from fourcodec.grid import profile as grid
from fourcodec.grid.config import GridConfig, QuantizedGrid
from fourcodec.grid.profile import LATENTS, describe, memory_pixels, multiplications
from fourcodec.grid.rendering import sampling, synthesised
from fourcodec.grid.weight_coding import network_bits
from fourcodec.views import Lattice, whole

PROFILE_ID, NAME, SECTION_NAMES = grid.PROFILE_ID, grid.NAME, grid.SECTION_NAMES

__all__ = [
    "NAME",
    "PROFILE_ID",
    "SECTION_NAMES",
    "TiledGrid",
    "bits_by_part",
    "describe",
    "latent_bits",
    "latents_of",
    "memory_pixels",
    "multiplications",
    "pack",
    "render",
    "same",
    "unpack",
]


@dataclass(frozen=True)
class TiledGrid:
    """A picture as tiles, by number; all of them, but where some were not wanted."""

    config: GridConfig
    tiles: dict[int, QuantizedGrid]


def pack(picture: QuantizedGrid | TiledGrid) -> tuple[tuple[int, ...], list[Section]]:
    """The header's architecture fields and the sections. Raises ValueError where a weight has more than 15 bits."""
    if not isinstance(picture, TiledGrid):
        return grid.pack(picture)
    streams = [grid.latents_payload(picture.tiles[number]) for number in range(picture.config.tiling.count)]
    payload = b"".join([varint.write(len(stream)) for stream in streams] + streams)
    return grid.write_networks(picture.tiles[0], payload)


def unpack(header: Header, sections: Sequence[Section], lattice: Lattice | None = None) -> QuantizedGrid | TiledGrid:
    """The inverse of pack; of tiles and latents what a lattice needs, where one is given.

    Raises CorruptFileError and UnsupportedFormatError.
    """
    if not header.tiles:
        return grid.unpack(header, sections, lattice)
    networks, payload = grid.read_networks(header, sections)
    config = networks.config
    streams = _split(payload, config.tiling.count)
    how = sampling(config, lattice or whole(config.width, config.height))
    return TiledGrid(
        config,
        {
            number: grid.with_latents(
                QuantizedGrid(config.of_tile(number), networks.exponents, networks.symbols, []),
                streams[number],
                how.finest,
                how.passes,
            )
            for number in config.tiling.touched(how.window, how.reduction)
        },
    )


def render(
    picture: QuantizedGrid | TiledGrid, size: tuple[int, int], device: str, lattice: Lattice | None = None
) -> NDArray[np.float32]:
    """The picture of (height, width) on a lattice, at every pixel unless given: (channels, rows, columns) float32,
    about [0, 1], not clamped; see grid.render."""
    if not isinstance(picture, TiledGrid):
        return grid.render(picture, size, device, lattice)
    config = picture.config
    how = sampling(config, lattice or whole(size[1], size[0]))
    planes = np.empty((config.channels, how.window.rows, how.window.columns), np.float32)
    for number in config.tiling.touched(how.window, how.reduction):
        tile = config.tiling.tile(number, how.reduction)
        shared = how.window.shared(tile)
        planes[:, *shared.within(how.window)] = synthesised(
            picture.tiles[number], how.reduction, shared.moved(-tile.top, -tile.left)
        )
    return how.resampled(planes)


def latents_of(picture: QuantizedGrid | TiledGrid) -> list[NDArray[np.int16]]:
    """The latents of each level, finest first, those of tiles beside each other."""
    return _joined(picture, lambda tile: tile.latents)


def latent_bits(picture: QuantizedGrid | TiledGrid) -> list[NDArray[np.float32]]:
    """What each of these costs, in bits. `picture` has all levels and tiles."""
    return _joined(picture, grid.latent_bits)


def bits_by_part(header: Header, sections: Sequence[Section]) -> dict[str, list[tuple[str, float]]]:
    """The bits of each section's parts, by its name: of the networks as its decoder spends them, and of each level of
    latents, finest first, as computed from their probabilities. Decodes all; raises as `unpack`."""
    picture = unpack(header, sections)
    costs = latent_bits(picture)
    networks = container.by_kind(sections, SECTION_NAMES)[grid.NETWORKS]
    names = [f"level {number}, {cost.shape[1]} x {cost.shape[0]}" for number, cost in enumerate(costs)]
    latents = [float(cost.sum(dtype=np.float64)) for cost in costs]
    return {
        SECTION_NAMES[grid.NETWORKS]: network_bits(networks.payload, picture.config),
        SECTION_NAMES[LATENTS]: list(zip(names, latents, strict=True)),
    }


def _joined(picture: QuantizedGrid | TiledGrid, levels_of: Callable[[QuantizedGrid], list[Any]]) -> list[Any]:
    if isinstance(picture, QuantizedGrid):
        return levels_of(picture)
    across, count = picture.config.tiling.columns, picture.config.tiling.count
    tiles = [levels_of(picture.tiles[number]) for number in range(count)]
    return [
        np.block([[tile[level] for tile in tiles[at : at + across]] for at in range(0, count, across)])
        for level in range(picture.config.levels)
    ]


def same(first: QuantizedGrid | TiledGrid, second: QuantizedGrid | TiledGrid) -> bool:
    """Whether all integers are equal."""
    if not (isinstance(first, TiledGrid) and isinstance(second, TiledGrid)):
        return isinstance(first, QuantizedGrid) and isinstance(second, QuantizedGrid) and grid.same(first, second)
    return first.tiles.keys() == second.tiles.keys() and all(
        grid.same(tile, second.tiles[number]) for number, tile in first.tiles.items()
    )


def _split(payload: bytes, count: int) -> list[bytes]:
    """The tiles' streams. Raises CorruptFileError where their lengths are not those of the payload."""
    lengths, at = [], 0
    for _ in range(count):
        length, at = varint.read(payload, at)
        lengths.append(length)
    if at + sum(lengths) != len(payload):
        raise CorruptFileError("section 'latents': the tiles' lengths are not those of the section")
    streams = []
    for length in lengths:
        streams.append(payload[at : at + length])
        at += length
    return streams
