"""Profile 1, `fnet`: the picture is a Fourier network of the coordinates alone, its coefficients are the file.

    pack:    integers -> header fields (width, depth and, if limited, order; cells; coordinates, activation, the number
             of the trained start) and one section
    unpack:  the inverse, with checks
    render:  integers -> coefficients -> the network at every sample of a lattice -> planes

The section holds, in this order, one step index per output of every layer (as differences) and one symbol per
coefficient, with a trained start (trained_starts.py) as the difference from the start's. It is coded twice, by the
range coder and by zstd over byte planes, and the smaller one is kept.

A picture may have cells, each with a network of its own, blended into one picture (cells.py). Wide cells, which a
generative model makes, share step indices; narrow ones, which are fitted one by one, have their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream import container
from fourcodec.bitstream.container import Section
from fourcodec.cells import Grid, most_samples
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.fnet import coefficient_coding as coding
from fourcodec.fnet.config import FnetConfig, QuantizedFnet, read_config
from fourcodec.fnet.quantize import MAX_SYMBOL, step_size
from fourcodec.fnet.rendering import samples
from fourcodec.fnet.trained_starts import base_symbols
from fourcodec.fourier.layout import SIGMOID
from fourcodec.fourier.shape import NetworkShape
from fourcodec.images.resampling import resample
from fourcodec.positions import INDEX_OVER_32
from fourcodec.views import Lattice, whole

__all__ = [
    "MAX_SUM",
    "NAME",
    "NETWORK",
    "PROFILE_ID",
    "SECTION_NAMES",
    "bits_by_part",
    "describe",
    "is_bounded",
    "memory_pixels",
    "multiplications",
    "pack",
    "plain_integers",
    "read_config",
    "render",
    "render_beginning",
    "same",
    "unpack",
    "unpack_beginning",
]

PROFILE_ID = 1
NAME = "fnet"
NETWORK = 0  # section kind
SECTION_NAMES = {NETWORK: "network"}
MAX_SUM = 1 << 10  # of magnitudes of coefficients in a hidden state, in turns, and in a sample: 13 bits of fraction
_SPARSE_PITCH = 3.7  # pixels from sample to sample; at half size means gain nothing (28.67 dB against 28.62)


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
        Section(NETWORK, container.CODER_RANGE, coding.encode_range(values, config)),
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
    section = found[NETWORK]
    if section.coder == container.CODER_RANGE:
        values = coding.decode_range(section.payload, config)
    elif section.coder == container.CODER_ZSTD:
        values = coding.decode_planes(section.payload, config.step_count + config.coefficient_count)
    else:
        raise UnsupportedFormatError(f"section 'network' has coder {section.coder}, unknown to this version")
    if int(np.abs(values).max()) > MAX_SYMBOL:
        raise CorruptFileError("section 'network': a symbol has more than 20 bits")
    indices = coding.running_sums(values[: config.step_count])
    symbols = values[config.step_count :]
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
    """True where no hidden state and no sample can exceed MAX_SUM, by the magnitudes of all coefficients that add to
    it, in any cell.

    Beyond it, float32 has too little left for the fraction of a phase, and decoders that take their sums in different
    orders show different pictures. Sums are exact (FORMAT.md, "Bound"), so that all decoders refuse the same files.
    """
    return all(_is_bounded(network.config.shape, *own) for own in network.by_cell())


def _is_bounded(shape: NetworkShape, step_indices: NDArray[np.uint8], symbols: NDArray[np.int32]) -> bool:
    # Steps are whole multiples of 2^-60, so integers hold them exactly.
    steps = [int(float(step) * 2.0**60) for step in step_size(step_indices)]
    sums: list[int] = []
    for layer in shape.layers:
        magnitudes = np.abs(symbols[layer.span].astype(np.int64)).reshape(-1, layer.outputs).sum(axis=0)
        before = sums if layer.residual else [0] * layer.outputs
        sums = [old + step * int(added) for old, step, added in zip(before, steps, magnitudes, strict=False)]
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
        return samples(network, size, lattice, device)
    columns, rows = 2 * lattice.columns, 2 * lattice.rows
    fine = samples(network, size, dataclasses.replace(lattice, columns=columns, rows=rows), device)
    return resample(np.clip(fine, 0, 1), (0, 0, columns, rows), lattice.columns, lattice.rows)


def multiplications(config: FnetConfig, lattice: Lattice) -> int:
    """An upper bound on the multiplications of `render`: one for each coefficient of a network and sample that it is
    evaluated at. Where an axis has several cells each sample counts twice, though narrow ones overlap little
    (FORMAT.md, "Limits")."""
    sample_count = most_samples(lattice, config.cells)
    return (sample_count if lattice.pitch < _SPARSE_PITCH else 4 * sample_count) * config.shape.coefficient_count


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
        **({} if config.cells.count == 1 else _cells(config.cells)),
        "coefficients": config.coefficient_count,
        "bits_per_coefficient": 8 * payload_bytes / config.coefficient_count,
    }


def _cells(cells: Grid) -> dict[str, Any]:
    return {"cells": [cells.rows, cells.columns], "overlap": cells.overlap}


def bits_by_part(network: QuantizedFnet, sections: Sequence[Section]) -> dict[str, list[tuple[str, float]]]:
    """The bits of the section's parts, step sizes and layers, as its decoder spends them. Empty for a section under
    zstd, which does not code the parts one by one. `network` is the content of the sections."""
    from fourcodec.coding import binary_coder

    config, shape = network.config, network.config.shape
    section = container.by_kind(sections, SECTION_NAMES)[NETWORK]
    if section.coder != container.CODER_RANGE:
        return {}
    starts = config.step_count + shape.coefficient_count * np.arange(config.cells.count)
    edges = [config.step_count, *(int(start) + layer.span.stop for start in starts for layer in shape.layers)]
    names = [f"layer {n}, {layer.inputs} to {layer.outputs}" for n, layer in enumerate(shape.layers, 1)]
    bits = binary_coder.spent_bits(section.payload, coding.contexts(config), edges)
    by_layer = [sum(bits[1 + n :: len(names)]) for n in range(len(names))]
    return {SECTION_NAMES[NETWORK]: [("step sizes", bits[0]), *zip(names, by_layer, strict=True)]}


def plain_integers(network: QuantizedFnet) -> NDArray[np.int32]:
    """The integers of the section before coding, int32: step indices as differences, then symbols, with a trained start
    as differences from it."""
    config, symbols = network.config, network.symbols
    if config.prior:
        wide = symbols - base_symbols(config.prior, config.shape, network.step_indices)
        symbols = np.clip(wide, -MAX_SYMBOL - 1, MAX_SYMBOL + 1).astype(np.int32)  # no coder takes what is clipped
    return np.concatenate([coding.differences(network.step_indices), symbols])
