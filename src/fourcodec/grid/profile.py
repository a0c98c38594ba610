"""Profile 2, `grid`: a pyramid of small integer latents, upsampled, goes through a small Fourier network to colours.

    pack:    integers -> architecture fields and two sections, the networks' weights and the latents
    unpack:  the same, checked, backwards
    render:  integers -> weights, latents -> features -> the picture, or a part of it, at a size that the levels have
             -> planes

Latents are coded under the context model (latent_coding.py), weights by weight_coding.py, which also says what they
are; config.py has what the header says, rendering.py how a picture is made of it. Here is one pyramid, of a picture
or of a tile; tiled.py has the whole profile.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.grid.config import GridConfig, QuantizedGrid, read_config
from fourcodec.grid.kernels import layout
from fourcodec.grid.rendering import sampling, synthesised
from fourcodec.grid.weight_coding import check_gain, context_integers, decode_networks, encode_networks, weights_of
from fourcodec.grid.weights import UNUSED
from fourcodec.views import Lattice, whole

PROFILE_ID = 2
NAME = "grid"
NETWORKS, LATENTS = 0, 1  # section kinds
SECTION_NAMES = {NETWORKS: "networks", LATENTS: "latents"}
_FREE_POSITIONS = 1 << 16  # the margins of small pictures, 3 MB at most, are not held against them


def pack(picture: QuantizedGrid) -> tuple[tuple[int, ...], list[Section]]:
    """The header's architecture fields and the sections. Raises ValueError where a weight has more than 15 bits."""
    return write_networks(picture, latents_payload(picture))


def write_networks(networks: QuantizedGrid, latents: bytes) -> tuple[tuple[int, ...], list[Section]]:
    """The same with latents that are coded already; the inverse of read_networks."""
    config = networks.config
    return config.architecture, [
        Section(NETWORKS, container.CODER_RANGE, encode_networks(networks)),
        Section(LATENTS, container.CODER_RANGE, latents),
    ]


def latents_payload(picture: QuantizedGrid) -> bytes:
    """Its latents under its context model; the inverse of with_latents."""
    from fourcodec.grid.latent_coding import encode_latents
    from fourcodec.threads import thread_count

    return encode_latents(picture.config.pyramid, picture.latents, context_integers(picture), thread_count())


def unpack(header: Header, sections: Sequence[Section], lattice: Lattice | None = None) -> QuantizedGrid:
    """The inverse of pack; of latents what a lattice needs, where one is given.

    Raises CorruptFileError and UnsupportedFormatError.
    """
    networks, payload = read_networks(header, sections)
    if lattice is None:
        return with_latents(networks, payload)
    how = sampling(networks.config, lattice)
    return with_latents(networks, payload, how.finest, how.passes)


def read_networks(header: Header, sections: Sequence[Section]) -> tuple[QuantizedGrid, bytes]:
    """The networks, without latents, and the section that holds these. Raises as unpack."""
    config = read_config(header)
    if header.coordinates or header.activation:
        raise CorruptFileError("profile grid uses neither coordinates nor an activation")
    found = container.by_kind(sections, SECTION_NAMES)
    for kind, name in SECTION_NAMES.items():
        if kind not in found:
            raise CorruptFileError(f"section {name!r} is missing")
        if found[kind].coder != container.CODER_RANGE:
            raise UnsupportedFormatError(f"section {name!r} has coder {found[kind].coder}, unknown to this version")
    exponents, symbols = decode_networks(found[NETWORKS].payload, config)
    networks = QuantizedGrid(config, exponents, symbols, [])
    try:
        context_integers(networks)
        check_gain(weights_of(networks))
    except ValueError as exc:
        raise CorruptFileError(f"section 'networks': {exc}") from exc
    return networks, found[LATENTS].payload


def with_latents(
    networks: QuantizedGrid, payload: bytes, finest: int = 0, passes: int = layout.PASSES
) -> QuantizedGrid:
    """The picture of these networks and coded latents, of levels from `finest` on, and of that one so many passes.
    Raises CorruptFileError."""
    from fourcodec.grid.latent_coding import decode_latents
    from fourcodec.threads import thread_count

    integers = context_integers(networks)
    latents = decode_latents(networks.config.pyramid, payload, integers, thread_count(), finest, passes)
    return dataclasses.replace(networks, latents=latents)


def render(
    picture: QuantizedGrid, size: tuple[int, int], device: str, lattice: Lattice | None = None
) -> NDArray[np.float32]:
    """The picture of (height, width) on a lattice, at every pixel unless given: (channels, rows, columns) float32,
    about [0, 1], not clamped.

    Synthesis runs at 1:1, or at the 1:2^r that still has two samples for each that is asked for, and only where it is
    asked for; what lies between such sizes, and above 1:1, is resampled.
    """
    lattice = lattice or whole(size[1], size[0])
    how = sampling(picture.config, lattice)
    return how.resampled(synthesised(picture, how.reduction, how.window))


def multiplications(header: Header, lattice: Lattice) -> int:
    """What `unpack` and `render` cost at most: one for each latent and weight of its pass of the context model, and for
    each weight of the other networks and pixel of the lattice's box. Raises as `unpack` for the header."""
    config = read_config(header)
    used = config.shape.groups != UNUSED
    of_context = int(used[: math.prod(config.shape.shapes[0])].sum())
    of_picture = int(used.sum()) - of_context
    return config.latent_count * of_context // layout.PASSES + lattice.width * lattice.height * of_picture


def memory_pixels(header: Header) -> int:
    """`memory_of` a file. Raises as `unpack` for the header."""
    return memory_of(read_config(header))


def memory_of(config: GridConfig) -> int:
    """Pixels of a square picture, or a few more, whose pyramid takes as much memory: that of a thin one, a single row
    say, is mostly margins."""
    largest = config.of_tile(0) if config.tiles else config  # of tiles there is one at a time
    beyond = 2 * largest.pyramid.total - _FREE_POSITIONS  # a square one's total is a third of its pixels
    return max(config.height * config.width, beyond)


def same(first: QuantizedGrid, second: QuantizedGrid) -> bool:
    """Whether all integers are equal."""
    if first.config != second.config:
        return False
    ours, theirs = _integers(first), _integers(second)
    return all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


def _integers(picture: QuantizedGrid) -> list[NDArray[Any]]:
    return [picture.exponents, picture.symbols, *picture.latents]


def describe(header: Header, sections: Sequence[Section]) -> dict[str, Any]:
    """Facts for `info`, without decoding."""
    config = read_config(header)
    shape = config.shape
    return {
        "levels": config.levels,
        "order": config.order,
        "tiles": config.tiling.count if config.tiles else 1,
        "latents": config.latent_count,
        "weights": int((shape.groups != UNUSED).sum()),
        "bytes": {SECTION_NAMES[s.kind]: len(s.payload) for s in sections if s.kind in SECTION_NAMES},
    }


def latent_bits(picture: QuantizedGrid) -> list[NDArray[np.float32]]:
    """What each latent costs, in bits: (rows, columns) per level, finest first. `picture` has all levels."""
    from fourcodec.grid.latent_coding import latent_bits as of_latents
    from fourcodec.threads import thread_count

    return of_latents(picture.config.pyramid, picture.latents, context_integers(picture), thread_count())
