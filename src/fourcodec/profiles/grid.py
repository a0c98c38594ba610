"""Profile 2, `grid`: a pyramid of small integer latents, upsampled, goes through a small Fourier network to colours.

    pack:    integers -> architecture fields and two sections, the networks' weights and the latents
    unpack:  the same, checked, backwards
    render:  integers -> weights, latents -> features -> the picture, or a part of it, at a size that the levels have
             -> planes

Weights are integers times powers of two, one exponent per group; latents are coded under the context model
(networks/latents.py). Here is one pyramid, of a picture or of a tile; profiles/tiled.py has the whole profile.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.kernels import layout
from fourcodec.networks import grid_priors
from fourcodec.networks.grid_weights import HIDDEN, MEANS, SCALES, TAPS, UNUSED, GridShape, GridWeights
from fourcodec.networks.pyramid import MAX_LEVELS, Pyramid, level_count
from fourcodec.networks.tiling import MAX_TILES, REDUCTIONS, UNIT, Tiling, tile_side
from fourcodec.networks.windows import Window
from fourcodec.resampling import area_mean, margin, resample
from fourcodec.views import Lattice, whole

PROFILE_ID = 2
NAME = "grid"
NETWORKS, LATENTS = 0, 1  # section kinds
SECTION_NAMES = {NETWORKS: "networks", LATENTS: "latents"}
MAX_ORDER = 3
ORDER = 2  # ones in the frequencies that encoders use
MAX_EXPONENT = 20  # of weights: steps of 2^-20 are finer than any use
MAX_SYMBOL = 2**15 - 1  # what the integer context model allows
MAX_GAIN = 2**48  # of all upsampling together; bicubic filters have at most 16
PHASE_STEPS = 4  # per octave of the phase scale
MAX_PHASE = 63
MAX_HIDDEN = layout.HIDDEN
_SPARSE_ROWS = 4  # expectations for a thumbnail: one row of so many, which costs it 1 to 3 dB and a fifth of its time
_REDUCED_PASSES = (
    3  # of the finest level that is averaged: the last is a fifth of a thumbnail's time and no loss of likeness
)
_PART_SAMPLES = 1 << 22
# Of GridWeights, in order, for people.
_PART_NAMES = ("context model", "first Fourier layer", "last Fourier layer, linear path", "upsampling", "3 x 3 filter")
_FREE_POSITIONS = 1 << 16  # the margins of small pictures, 3 MB at most, are not held against them
_SLACK = 0.1  # octaves: sides rounded up make a quarter of an odd size a little more than a quarter


@dataclass(frozen=True)
class GridConfig:
    """height, width in pixels; channels 1 or 3; levels 1..9; order 0..3; hidden 1..16; phase 0..63; the number of a
    trained prior, or 0; the side of tiles in units of 64 pixels, 0 for none. Raises ValueError outside."""

    height: int
    width: int
    channels: int
    levels: int
    order: int
    hidden: int
    phase: int
    prior: int = 0
    tiles: int = 0

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels are 1 or 3, not {self.channels}")
        for name, value, least, largest in (
            ("levels", self.levels, 1, MAX_LEVELS),
            ("order", self.order, 0, MAX_ORDER),
            ("hidden", self.hidden, 1, MAX_HIDDEN),
            ("phase", self.phase, 0, MAX_PHASE),
        ):
            if not least <= value <= largest:
                raise ValueError(f"{name} is {least} to {largest}, not {value}")
        if self.prior and self.prior not in grid_priors.priors():
            raise ValueError(f"the prior {self.prior} is unknown")
        if self.tiles and self.tiling.count > MAX_TILES:
            raise ValueError(f"tiles are at most {MAX_TILES}, not {self.tiling.count}")

    @property
    def phase_scale(self) -> float:
        """Turns that a latent of 1 moves a phase of the first Fourier layer."""
        return 2.0 ** (-self.phase / PHASE_STEPS)

    @cached_property
    def shape(self) -> GridShape:
        return _shape_of(self.levels, self.order, self.hidden, self.channels, self.prior)

    @cached_property
    def pyramid(self) -> Pyramid:
        """Of a picture without tiles."""
        return Pyramid(self.height, self.width, self.levels)

    @property
    def tiling(self) -> Tiling:
        """Of one with tiles."""
        return Tiling(self.height, self.width, UNIT * self.tiles)

    @property
    def latent_count(self) -> int:
        """Of a picture with or without tiles."""
        if not self.tiles:
            return self.pyramid.latent_count
        return sum(self.of_tile(number).pyramid.latent_count for number in range(self.tiling.count))

    def of_tile(self, number: int) -> GridConfig:
        """A tile as a picture of its own."""
        tile = self.tiling.tile(number)
        return dataclasses.replace(self, height=tile.rows, width=tile.columns, tiles=0)


@lru_cache(maxsize=16)
def _shape_of(levels: int, order: int, hidden: int, channels: int, prior: int) -> GridShape:
    """One for all tiles: what a shape works out once it keeps."""
    return GridShape(levels, order, hidden, channels, prior)


def config_for(height: int, width: int, channels: int, phase: int, prior: int) -> GridConfig:
    """What a picture is coded with. Units of the context model cost next to nothing where they are the prior's."""
    side = tile_side(height, width)
    levels = level_count(min(height, side or height), min(width, side or width))
    return GridConfig(height, width, channels, levels, ORDER, MAX_HIDDEN, phase, prior, side // UNIT)


@dataclass(frozen=True)
class QuantizedGrid:
    """A picture as integers: exponents (groups,) uint8 and symbols (all weights, flat,) int32 of the networks, see
    networks/grid_weights.py; latents: one int16 array (rows, columns) per level, finest first. Levels that were not
    wanted are missing at the front."""

    config: GridConfig
    exponents: NDArray[np.uint8]
    symbols: NDArray[np.int32]
    latents: list[NDArray[np.int16]]

    @property
    def finest(self) -> int:
        """The number of the first level that is there."""
        return self.config.levels - len(self.latents)


def pack(picture: QuantizedGrid) -> tuple[tuple[int, ...], list[Section]]:
    """The header's architecture fields and the sections. Raises ValueError where a weight has more than 15 bits."""
    return write_networks(picture, latents_payload(picture))


def write_networks(networks: QuantizedGrid, latents: bytes) -> tuple[tuple[int, ...], list[Section]]:
    """The same with latents that are coded already; the inverse of read_networks."""
    config = networks.config
    return (config.levels, config.order, config.hidden, config.phase), [
        Section(NETWORKS, container.CODER_RANGE, encode_networks(networks)),
        Section(LATENTS, container.CODER_RANGE, latents),
    ]


def latents_payload(picture: QuantizedGrid) -> bytes:
    """Its latents under its context model; the inverse of with_latents."""
    from fourcodec.kernels.threads import thread_count
    from fourcodec.networks.latents import encode_latents

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
        _check_gain(weights_of(networks))
    except ValueError as exc:
        raise CorruptFileError(f"section 'networks': {exc}") from exc
    return networks, found[LATENTS].payload


def with_latents(
    networks: QuantizedGrid, payload: bytes, finest: int = 0, passes: int = layout.PASSES
) -> QuantizedGrid:
    """The picture of these networks and coded latents, of levels from `finest` on, and of that one so many passes.
    Raises CorruptFileError."""
    from fourcodec.kernels.threads import thread_count
    from fourcodec.networks.latents import decode_latents

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


@dataclass(frozen=True)
class Sampling:
    """How a lattice is rendered: `window` of the picture at 1:2^reduction, resampled where it does not lie on pixels;
    `finest` is the first level of latents that this needs."""

    lattice: Lattice
    reduction: int
    window: Window

    @property
    def finest(self) -> int:
        """Of the finest level, three quarters of all latents, small sizes do well with what the context model expects;
        without the next one as well they lose 5 to 12 dB."""
        return min(self.reduction, 1)

    @property
    def passes(self) -> int:
        """Of the finest level that is decoded: below its own size it is averaged anyway."""
        return layout.PASSES if self.reduction < 2 else _REDUCED_PASSES

    def resampled(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Planes of the window on the lattice."""
        lattice, step = self.lattice, 2**self.reduction
        if lattice.on_pixels:
            return planes
        left, top = lattice.left / step - self.window.left, lattice.top / step - self.window.top
        box = left, top, left + lattice.width / step, top + lattice.height / step
        np.clip(planes, 0, 1, out=planes)
        return resample(planes, box, lattice.columns, lattice.rows)


def sampling(config: GridConfig, lattice: Lattice) -> Sampling:
    """At a size that has two samples for each of the lattice: features averaged as far as the lattice itself cost 3 to
    8 dB, since colours are no linear function of them."""
    octaves = math.floor(math.log2(lattice.pitch) + _SLACK)
    most = config.levels - 1
    reduction = min(max(octaves - 1, 0), min(most, REDUCTIONS) if config.tiles else most)
    step = 2**reduction
    left, top, width, height = (at / step for at in (lattice.left, lattice.top, lattice.width, lattice.height))
    window = Window(math.floor(top), math.floor(left), math.ceil(top + height), math.ceil(left + width))
    if not lattice.on_pixels:
        rows, columns = math.ceil(config.height / step), math.ceil(config.width / step)
        window = window.grown(*margin(width, height, lattice.columns, lattice.rows), rows, columns)
    return Sampling(lattice, reduction, window)


def synthesised(picture: QuantizedGrid, reduction: int, window: Window) -> NDArray[np.float32]:
    """A window of the picture at 1:2^reduction."""
    return _reduced(picture, reduction, window) if reduction else _full_size(picture, window)


def _full_size(picture: QuantizedGrid, window: Window) -> NDArray[np.float32]:
    """A window of the picture, part by part: the features of a part take up to 60 bytes a pixel."""
    from fourcodec.kernels.threads import thread_count
    from fourcodec.networks.grid import GridNetwork

    config, weights = picture.config, weights_of(picture)
    planes = np.empty((config.channels, window.rows, window.columns), np.float32)
    for part in window.parts(_PART_SAMPLES):
        network = GridNetwork(config.pyramid, config.shape, config.phase_scale, thread_count(), part)
        network.place(picture.latents)
        network.upsample(weights.filters)
        planes[:, *part.within(window)] = network.synthesise(weights)
    return planes


def _reduced(picture: QuantizedGrid, reduction: int, window: Window) -> NDArray[np.float32]:
    """A window of the picture at 1 : 2^reduction. Finer levels are averaged; all are scaled by what the upsampling that
    is left out would have scaled them by, and the residual filter becomes what it is on even colour."""
    from fourcodec.kernels.threads import thread_count
    from fourcodec.networks.grid import GridNetwork

    config, weights = picture.config, weights_of(picture)
    gains = np.cumprod(np.append(np.float32(1), np.square(weights.filters.sum(axis=1))), dtype=np.float32)
    pyramid = config.pyramid.reduced(reduction)
    network = GridNetwork(pyramid, config.shape, config.phase_scale, thread_count(), window)
    network.place(picture.latents[reduction - picture.finest :])
    network.upsample(weights.filters[reduction:])
    finer = [network.cut(plane) for plane in _averages(picture, reduction)]
    network.complete(np.stack(finer) * gains[:reduction, None, None], gains[reduction])
    flat = np.zeros_like(weights.kernel)
    flat[:, :, 1, 1] = weights.kernel.sum(axis=(2, 3))
    return network.synthesise(dataclasses.replace(weights, kernel=flat))


def _averages(picture: QuantizedGrid, reduction: int) -> list[NDArray[np.float32]]:
    """Levels 0 ... reduction - 1 at the size of level `reduction`."""
    from fourcodec.kernels.threads import thread_count
    from fourcodec.networks.latents import expected_means

    pyramid, planes = picture.config.pyramid, []
    size = pyramid.levels[reduction].rows, pyramid.levels[reduction].columns
    for number in range(reduction):
        if number < picture.finest:  # only ever the finest level
            integers, factor = context_integers(picture), 2 ** (reduction - 1)
            every = _SPARSE_ROWS if reduction > 1 else 1
            rows = expected_means(pyramid, number, picture.latents, integers, every, thread_count())
            halved = np.repeat(rows, every, axis=0)[: pyramid.levels[number].half_rows]
            planes.append(area_mean(halved, (factor, factor), size))
        else:
            factor = 2 ** (reduction - number)
            planes.append(area_mean(picture.latents[number - picture.finest], (factor, factor), size))
    return planes


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


def network_bits(sections: Sequence[Section], config: GridConfig) -> list[tuple[str, float]]:
    """The bits of the networks' parts, by name, as their decoder spends them. Raises CorruptFileError."""
    from fourcodec.kernels import binary_coder

    shape = config.shape
    used, ends = np.cumsum(shape.groups != UNUSED), np.cumsum([math.prod(size) for size in shape.shapes])
    edges = [shape.group_count, *(shape.group_count + used[ends - 1]).tolist()]
    payload = container.by_kind(sections, SECTION_NAMES)[NETWORKS].payload
    spent = binary_coder.spent_bits(payload, _contexts(config), edges)
    return list(zip(("step sizes", *_PART_NAMES), spent, strict=True))


def latent_bits(picture: QuantizedGrid) -> list[NDArray[np.float32]]:
    """What each latent costs, in bits: (rows, columns) per level, finest first. `picture` has all levels."""
    from fourcodec.kernels.threads import thread_count
    from fourcodec.networks.latents import latent_bits as of_latents

    return of_latents(picture.config.pyramid, picture.latents, context_integers(picture), thread_count())


def encode_networks(picture: QuantizedGrid) -> bytes:
    """Exponents, then the symbols of the weights that are used, in the order of the flat vector."""
    from fourcodec.kernels import binary_coder

    groups = picture.config.shape.groups
    used = groups != UNUSED
    if int(np.abs(picture.symbols).max(initial=0)) > MAX_SYMBOL:
        raise ValueError("a weight needs more than 15 bits at its step size")
    values = np.concatenate([picture.exponents.astype(np.int32), picture.symbols[used]])
    return binary_coder.encode(values, _contexts(picture.config))


def decode_networks(data: bytes, config: GridConfig) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """The inverse of encode_networks: exponents and symbols. Raises CorruptFileError."""
    from fourcodec.kernels import binary_coder

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


def _check_gain(weights: GridWeights) -> None:
    """Raises ValueError for upsampling filters that could make features of more than 2^63: beside the largest weights
    that a file can have, all sums up to the samples then stay below 2^103, and so within float32."""
    reach = np.abs(weights.filters.astype(np.float64)).sum(axis=1)  # of one direction; there are two
    if math.prod(np.maximum(reach, 1).tolist()) ** 2 > MAX_GAIN:
        raise ValueError(f"the upsampling filters together amplify more than {MAX_GAIN} times")


def context_integers(picture: QuantizedGrid) -> Any:
    """The ContextIntegers of the same weights. Raises ValueError where one is too large."""
    from fourcodec.networks.latents import ContextIntegers

    shape = picture.config.shape
    size = shape.shapes[0]
    symbols = picture.symbols[: math.prod(size)].reshape(size).astype(np.int64)
    exponents = picture.exponents[[TAPS, HIDDEN, MEANS, SCALES]].astype(np.int64)
    if not picture.config.prior:
        return ContextIntegers(symbols, tuple(exponents.tolist()))
    shifts = np.maximum(exponents, grid_priors.FRACTION)
    group = np.minimum(shape.groups[: math.prod(size)], SCALES).reshape(size)  # what is unused is 0 in any unit
    weights = (symbols << (shifts - exponents)[group]) + (shape.context_base << (shifts - grid_priors.FRACTION)[group])
    return ContextIntegers(weights, tuple(shifts.tolist()))


def read_config(header: Header) -> GridConfig:
    if len(header.architecture) != 4:
        raise CorruptFileError(f"profile grid has 4 architecture fields, the header {len(header.architecture)}")
    if header.prior and header.prior not in grid_priors.priors():
        raise UnsupportedFormatError(f"the file needs the trained prior {header.prior}, unknown to this version")
    try:
        return GridConfig(
            header.height, header.width, header.colour_channels, *header.architecture, header.prior, header.tiles
        )
    except ValueError as exc:
        raise CorruptFileError(f"the header is invalid: {exc}") from exc


def _contexts(config: GridConfig) -> NDArray[np.uint8]:
    """Context 0 for the exponents, 1 + group for weights."""
    shape = config.shape
    used = shape.groups[shape.groups != UNUSED]
    return np.concatenate([np.zeros(shape.group_count, np.uint8), 1 + used])
