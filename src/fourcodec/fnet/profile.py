"""Profile 1, `fnet`: the picture is a Fourier network of the coordinates alone, its coefficients are the file.

    pack:    integers -> header fields (width, depth and, if limited, order; coordinates, activation, the number of
             the trained start) and one section
    unpack:  the inverse, with checks
    render:  integers -> coefficients -> the network at every sample of a lattice -> planes

The section holds, in this order, one step index per output of every layer (as differences) and one symbol per
coefficient, with a trained start (trained_starts.py) as the difference from the start's. It is coded twice, by the
range coder and by zstd over byte planes, and the smaller one is kept.

A picture may have cells, each with a network of its own, blended into one picture (cells.py). They share step indices.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header, Section
from fourcodec.cells import Grid, most_samples, patches
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.fnet import coefficient_coding as coding
from fourcodec.fnet.quantize import MAX_SYMBOL, dequantize, step_size
from fourcodec.fnet.trained_starts import base_symbols, trained_starts
from fourcodec.fourier.layout import LINEAR, SIGMOID
from fourcodec.fourier.shape import NetworkShape
from fourcodec.images.resampling import resample
from fourcodec.positions import INDEX_OVER_32, PIXEL_CENTRES, lattice_positions
from fourcodec.views import Lattice, whole

PROFILE_ID = 1
NAME = "fnet"
MAX_WIDTH, MAX_DEPTH = 10, 16
MAX_COEFFICIENTS = 1 << 22  # of the networks of all cells: a header's fields must not make a reader take more memory
NETWORK = 0  # section kind
SECTION_NAMES = {NETWORK: "network"}
MAX_SUM = 1 << 10  # of the sizes of coefficients in a hidden state, in turns, and in a sample: 13 bits of fraction
_STRIP_SAMPLES = 1 << 18  # rendered at a time: positions take 2 MB, and there is plenty for every thread
_SPARSE_PITCH = 3.7  # pixels from sample to sample; at half size means gain nothing (28.67 dB against 28.62)


@dataclass(frozen=True)
class FnetConfig:
    """The size of a network, and the form of its inputs and outputs.

    width 1..10, depth 1..16, channels 1..4. order: the most non-zero components of a frequency, 1..width-1, or None
    where that is not limited. coordinates, activation: the header's numbers for the inputs and outputs. cells: those
    of the picture; several need an order that is not limited, and coordinates that do not count pixels. prior: the
    number of the trained start that symbols are coded around, 0 for none. Raises ValueError for a size, an order or
    cells out of range, and for a trained start that is unknown or of another size.
    """

    width: int
    depth: int
    channels: int
    order: int | None = None
    coordinates: int = PIXEL_CENTRES
    activation: int = LINEAR
    cells: Grid = Grid()  # noqa: RUF009
    prior: int = 0

    def __post_init__(self) -> None:
        for name, value, largest in (
            ("width", self.width, MAX_WIDTH),
            ("depth", self.depth, MAX_DEPTH),
            ("channels", self.channels, 4),
        ):
            if not 1 <= value <= largest:
                raise ValueError(f"{name} is 1 to {largest}, not {value}")
        if self.order is not None and not 1 <= self.order < self.width:
            raise ValueError(f"an order that limits width {self.width} is 1 to {self.width - 1}, not {self.order}")
        if self.prior and self.prior not in trained_starts():
            raise ValueError(f"there are trained starts 1 to {len(trained_starts())}, not {self.prior}")
        if self.prior and trained_starts()[self.prior].size != self.size:
            raise ValueError(f"the trained start {self.prior} is for networks of another size")
        if self.cells.count == 1:
            return
        if self.order is not None or self.coordinates != PIXEL_CENTRES:
            raise ValueError("several cells have no limited order, and coordinates at pixel centres")
        if self.coefficient_count > MAX_COEFFICIENTS:
            raise ValueError(f"{self.cells.count} cells have more than {MAX_COEFFICIENTS} coefficients")

    @classmethod
    def of_size(cls, size: Sequence[int], channels: int, **others: int) -> FnetConfig:
        """The inverse of `size`; `others` are coordinates, activation and prior. Raises ValueError."""
        width, depth, *more = size
        if len(more) < 2:
            return cls(width, depth, channels, more[0] if more else None, **others)  # type: ignore[arg-type]
        rows, columns = more
        if rows * columns == 1:
            raise ValueError("a picture of one cell does not state it")
        return cls(width, depth, channels, cells=Grid(rows, columns), **others)

    @property
    def size(self) -> tuple[int, ...]:
        """The header's architecture fields: width and depth, then the order if it is limited, or the rows and columns
        of cells if there are several."""
        if self.cells.count > 1:
            return (self.width, self.depth, self.cells.rows, self.cells.columns)
        return (self.width, self.depth) if self.order is None else (self.width, self.depth, self.order)

    @property
    def header_fields(self) -> dict[str, Any]:
        """The fields of container.Header that state this configuration, beside the image's size; read_config is the
        inverse."""
        return {
            "architecture": self.size,
            "coordinates": self.coordinates,
            "activation": self.activation,
            "prior": self.prior,
        }

    @property
    def shape(self) -> NetworkShape:
        """The shape of the network, or of that of each cell."""
        return NetworkShape(self.width, self.depth, self.channels, self.order)

    @property
    def coefficient_count(self) -> int:
        """The number of coefficients, of all cells together."""
        return self.cells.count * self.shape.coefficient_count


@dataclass(frozen=True)
class QuantizedFnet:
    """A network as integers.

    step_indices (outputs of all layers,) uint8: see quantize.py; symbols (coefficient_count,) int32, in the order of
    the flat coefficient vector, cell after cell: what coefficients are in steps, whatever the trained start.
    """

    config: FnetConfig
    step_indices: NDArray[np.uint8]
    symbols: NDArray[np.int32]


def read_config(header: Header) -> FnetConfig:
    """The configuration that a header states. Raises CorruptFileError, and UnsupportedFormatError where it asks for a
    trained start that this version does not have, or for tiles, which it does not know of this profile."""
    if header.tiles:
        raise UnsupportedFormatError("the file is tiled, which this version knows only of the profile grid")
    if header.prior and header.prior not in trained_starts():
        raise UnsupportedFormatError(f"the file needs the trained start {header.prior}, unknown to this version")
    if not 2 <= len(header.architecture) <= 4:
        raise CorruptFileError(f"profile fnet has 2 to 4 architecture fields, the header {len(header.architecture)}")
    try:
        return FnetConfig.of_size(
            header.architecture,
            header.colour_channels,
            coordinates=header.coordinates,
            activation=header.activation,
            prior=header.prior,
        )
    except ValueError as exc:
        raise CorruptFileError(f"the header is invalid: {exc}") from exc


def pack(network: QuantizedFnet) -> tuple[dict[str, Any], list[Section]]:
    """The profile's fields of the header, and the sections. Raises ValueError where a symbol has more than 20 bits, and
    where sums are not `is_bounded`."""
    config = network.config
    values = plain_integers(network)
    if max(int(np.abs(integers.astype(np.int64)).max()) for integers in (values, network.symbols)) > MAX_SYMBOL:
        raise ValueError("a coefficient needs more than 20 bits at its step size")
    if not is_bounded(network):
        raise ValueError(f"the coefficients of a hidden state or sample sum up to more than {MAX_SUM}")
    candidates = [
        Section(NETWORK, container.CODER_RANGE, coding.encode_range(values, config.shape, config.cells.count)),
        Section(NETWORK, container.CODER_ZSTD, coding.encode_planes(values)),
    ]
    return config.header_fields, [min(candidates, key=lambda section: len(section.payload))]


def unpack(config: FnetConfig, sections: Sequence[Section], lattice: Lattice | None = None) -> QuantizedFnet:
    """The inverse of pack; every sample of every lattice needs all coefficients.

    Raises CorruptFileError and UnsupportedFormatError.
    """
    if config.coordinates > INDEX_OVER_32 or config.activation > SIGMOID:
        raise UnsupportedFormatError("the file uses coordinates or an activation unknown to this version")
    found = container.by_kind(sections, SECTION_NAMES)
    if NETWORK not in found:
        raise CorruptFileError("section 'network' is missing")
    section, shape = found[NETWORK], config.shape
    count = shape.output_count + config.coefficient_count
    if section.coder == container.CODER_RANGE:
        values = coding.decode_range(section.payload, shape, config.cells.count)
    elif section.coder == container.CODER_ZSTD:
        values = coding.decode_planes(section.payload, count)
    else:
        raise UnsupportedFormatError(f"section 'network' has coder {section.coder}, unknown to this version")
    if int(np.abs(values).max()) > MAX_SYMBOL:
        raise CorruptFileError("section 'network': a symbol has more than 20 bits")
    indices = coding.running_sums(values[: shape.output_count])
    symbols = values[shape.output_count :]
    if config.prior:
        symbols = _around_start(config, indices, symbols)
    network = QuantizedFnet(config, indices, symbols)
    if not is_bounded(network):
        raise CorruptFileError(
            f"section 'network': the coefficients of a hidden state or sample sum up to more than {MAX_SUM}"
        )
    return network


def _around_start(config: FnetConfig, indices: NDArray[np.uint8], differences: NDArray[np.int32]) -> NDArray[np.int32]:
    """The symbols, from their differences to those of the trained start."""
    symbols = base_symbols(config.prior, config.shape, indices) + differences
    if int(np.abs(symbols).max()) > MAX_SYMBOL:
        raise CorruptFileError("section 'network': with its trained start, a symbol has more than 20 bits")
    return symbols.astype(np.int32)


def is_bounded(network: QuantizedFnet) -> bool:
    """True where no hidden state and no sample can exceed MAX_SUM, by the sizes of all coefficients that add to it, in
    any cell.

    Beyond it, float32 has too little left for the fraction of a phase, and decoders that take their sums in different
    orders show different pictures. Sums are exact (FORMAT.md, "Bound"), so that all decoders refuse the same files.
    """
    cells = network.symbols.reshape(network.config.cells.count, -1)
    return all(_is_bounded(network.config.shape, network.step_indices, symbols) for symbols in cells)


def _is_bounded(shape: NetworkShape, step_indices: NDArray[np.uint8], symbols: NDArray[np.int32]) -> bool:
    # Steps are whole multiples of 2^-60, so integers hold them exactly.
    steps = [int(float(step) * 2.0**60) for step in step_size(step_indices)]
    sums: list[int] = []
    for layer in shape.layers:
        sizes = np.abs(symbols[layer.span].astype(np.int64)).reshape(-1, layer.outputs).sum(axis=0)
        before = sums if layer.residual else [0] * layer.outputs
        sums = [old + step * int(size) for old, step, size in zip(before, steps, sizes, strict=False)]
        if max(sums) > MAX_SUM << 60:
            return False
        steps = steps[layer.outputs :]
    return True


def unpack_beginning(
    config: FnetConfig, sections: Sequence[Section], missing_bytes: int
) -> tuple[QuantizedFnet, int, str]:
    """`unpack` for a file that ends too early, whose last section lacks so many bytes: a network is there as a whole or
    not at all. Raises as `unpack`."""
    whole_ones = sections[: len(sections) - (missing_bytes > 0)]
    if not any(section.kind == NETWORK for section in whole_ones):
        raise CorruptFileError("the file ends before its network is whole")
    return unpack(config, whole_ones), 0, "the network is whole"


def render_beginning(network: QuantizedFnet, size: tuple[int, int], reduction: int) -> NDArray[np.float32]:
    """`render` at every pixel, on the CPU; `reduction` is 0."""
    return render(network, size, "cpu")


def render(
    network: QuantizedFnet, size: tuple[int, int], device: str, lattice: Lattice | None = None
) -> NDArray[np.float32]:
    """The network on a lattice over a picture of (height, width), at every pixel unless given: (channels, rows,
    columns) float32, about [0, 1], not clamped.

    Where samples lie far apart each is a mean of four: single values of the function alias (5 dB at 1/8).
    """
    lattice = lattice or whole(size[1], size[0])
    if lattice.pitch < _SPARSE_PITCH:
        return _values(network, size, lattice, device)
    columns, rows = 2 * lattice.columns, 2 * lattice.rows
    fine = _values(network, size, dataclasses.replace(lattice, columns=columns, rows=rows), device)
    return resample(np.clip(fine, 0, 1), (0, 0, columns, rows), lattice.columns, lattice.rows)


def _values(network: QuantizedFnet, size: tuple[int, int], lattice: Lattice, device: str) -> NDArray[np.float32]:
    from fourcodec.fnet.backends import backend_of

    config = network.config
    cells = coefficients_of(network).reshape(config.cells.count, -1)
    backend = backend_of(device)
    if config.cells.count > 1:
        planes = _blended(
            config, size, lattice, config.channels, lambda cell, x: backend.evaluate(config.shape, cells[cell], x)
        )
    else:
        planes = np.empty((config.channels, lattice.count), np.float32)
        for start in range(0, lattice.count, _STRIP_SAMPLES):
            part = slice(start, min(start + _STRIP_SAMPLES, lattice.count))
            x = lattice_positions(lattice, size, np.arange(part.start, part.stop), config.coordinates)
            planes[:, part] = backend.evaluate(config.shape, cells[0], x)
    if config.activation == SIGMOID:  # 2 sigmoid(y) - 1 lies in [-1, 1], samples in [0, 1]
        planes = np.float32(0.5) + np.float32(0.5) * np.tanh(planes / 2)
    return planes.reshape(config.channels, lattice.rows, lattice.columns)


def _blended(
    config: FnetConfig,
    size: tuple[int, int],
    lattice: Lattice,
    count: int,
    values_of: Callable[[int, NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """The blend (count, rows, columns) of what values_of(cell, x) gives, (count, N), at the inputs x (2, N) of each
    cell's network."""
    planes = np.zeros((count, lattice.rows, lattice.columns), np.float32)
    for patch in patches(lattice, size, config.cells, _STRIP_SAMPLES):
        own = values_of(patch.cell, patch.x).reshape(count, *patch.weights.shape)
        planes[:, patch.rows, patch.columns] += patch.weights * own
    return planes


def multiplications(config: FnetConfig, lattice: Lattice) -> int:
    """The multiplications of `render`: one for each coefficient of a network and sample that it is evaluated at."""
    samples = most_samples(lattice, config.cells)
    return (samples if lattice.pitch < _SPARSE_PITCH else 4 * samples) * config.shape.coefficient_count


def memory_pixels(config: FnetConfig) -> int:
    """The number 0, since decoding needs memory for the samples alone."""
    return 0


def same(first: QuantizedFnet, second: QuantizedFnet) -> bool:
    """True if all integers are equal."""
    return first.config == second.config and np.array_equal(plain_integers(first), plain_integers(second))


def describe(config: FnetConfig, sections: Sequence[Section]) -> dict[str, Any]:
    """Facts for `info`, without decoding, as JSON types."""
    payload_bytes = sum(len(section.payload) for section in sections if section.kind == NETWORK)
    return {
        "width": config.width,
        "depth": config.depth,
        **({} if config.order is None else {"order": config.order}),
        **({} if config.cells.count == 1 else {"cells": [config.cells.rows, config.cells.columns]}),
        "coefficients": config.coefficient_count,
        "bits_per_coefficient": 8 * payload_bytes / config.coefficient_count,
    }


def bits_by_part(network: QuantizedFnet, sections: Sequence[Section]) -> dict[str, list[tuple[str, float]]]:
    """The bits of the section's parts, step sizes and layers, as its decoder spends them. Empty for a section under
    zstd, which does not code the parts one by one. `network` is the content of the sections."""
    from fourcodec.coding import binary_coder

    shape, cells = network.config.shape, network.config.cells.count
    section = container.by_kind(sections, SECTION_NAMES)[NETWORK]
    if section.coder != container.CODER_RANGE:
        return {}
    starts = shape.output_count + shape.coefficient_count * np.arange(cells)
    edges = [shape.output_count, *(int(start) + layer.span.stop for start in starts for layer in shape.layers)]
    names = [f"layer {n}, {layer.inputs} to {layer.outputs}" for n, layer in enumerate(shape.layers, 1)]
    bits = binary_coder.spent_bits(section.payload, coding.contexts(shape, cells), edges)
    by_layer = [sum(bits[1 + n :: len(names)]) for n in range(len(names))]
    return {SECTION_NAMES[NETWORK]: [("step sizes", bits[0]), *zip(names, by_layer, strict=True)]}


def layer_outputs(network: QuantizedFnet, size: tuple[int, int], lattice: Lattice) -> list[NDArray[np.float32]]:
    """The outputs of every layer on a lattice over an image of (height, width): (outputs, rows, columns) float32 each.
    Hidden states are phases in turns, the last layer's outputs samples before the activation. Those of several cells
    are blended as their samples are."""
    from fourcodec.fnet import network as fourier

    config = network.config
    coefficients = coefficients_of(network).reshape(config.cells.count, -1)
    if config.cells.count == 1:
        x = lattice_positions(lattice, size, np.arange(lattice.count), config.coordinates)
        outputs = fourier.layer_outputs(config.shape, coefficients[0], x)
        return [y.reshape(-1, lattice.rows, lattice.columns) for y in outputs]
    sizes = [layer.outputs for layer in config.shape.layers]

    def all_outputs(cell: int, x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate(fourier.layer_outputs(config.shape, coefficients[cell], x))

    return np.split(_blended(config, size, lattice, sum(sizes), all_outputs), np.cumsum(sizes)[:-1])


def plain_integers(network: QuantizedFnet) -> NDArray[np.int32]:
    """The integers of the section before coding, int32: step indices as differences, then symbols, with a trained start
    as differences from it."""
    config, symbols = network.config, network.symbols
    if config.prior:
        wide = symbols - base_symbols(config.prior, config.shape, network.step_indices)
        symbols = np.clip(wide, -MAX_SYMBOL - 1, MAX_SYMBOL + 1).astype(np.int32)  # no coder takes what is clipped
    return np.concatenate([coding.differences(network.step_indices), symbols])


def coefficients_of(network: QuantizedFnet) -> NDArray[np.float32]:
    """The flat coefficient vector, float32, exact on every machine; of several cells, one behind the other."""
    steps = spread_steps(network.config.shape, step_size(network.step_indices))
    return dequantize(network.symbols, np.tile(steps, network.config.cells.count))


def spread_steps(shape: NetworkShape, steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """One step per coefficient, float32, from one step per output of every layer."""
    spread, first = np.empty(shape.coefficient_count, np.float32), 0
    for layer in shape.layers:
        spread[layer.span].reshape(-1, layer.outputs)[:] = steps[first : first + layer.outputs]
        first += layer.outputs
    return spread
