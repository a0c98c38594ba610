"""Packing and rendering networks."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.fnet import coefficient_coding
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig, QuantizedFnet, read_config
from fourcodec.fnet.fit.cells import separated
from fourcodec.fnet.quantize import MAX_SYMBOL
from fourcodec.fnet.rendering import layer_outputs
from fourcodec.views import Lattice


def random_network(
    width: int, depth: int, channels: int, spread: float, seed: int = 0, order: int | None = None
) -> QuantizedFnet:
    random = np.random.default_rng(seed)
    config = FnetConfig(width, depth, channels, order)
    lowest = 160 if spread > 100 else 40  # sums have a bound
    indices = random.integers(lowest, 256, config.shape.output_count).astype(np.uint8)
    symbols = np.rint(random.laplace(0, spread, config.coefficient_count)).clip(-MAX_SYMBOL, MAX_SYMBOL)
    return QuantizedFnet(config, indices, symbols.astype(np.int32))


def header_of(network: QuantizedFnet, **changes: object) -> Header:
    header = Header(24, 16, network.config.channels, fnet.PROFILE_ID, network.config.size)
    return dataclasses.replace(header, **changes)


def unpack(header: Header, sections: list[Section]) -> QuantizedFnet:
    return fnet.unpack(read_config(header), sections)


def assert_equal(a: QuantizedFnet, b: QuantizedFnet) -> None:
    assert a.config == b.config
    assert np.array_equal(a.step_indices, b.step_indices)
    assert np.array_equal(a.symbols, b.symbols)


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from([1, 3]),
    st.sampled_from([0.0, 0.3, 20.0, 3e5]),
    st.integers(0, 9),
    st.integers(1, 4),
)
def test_integers_survive(width: int, depth: int, channels: int, spread: float, seed: int, order: int) -> None:
    network = random_network(width, depth, channels, spread, seed, order if order < width else None)
    fields, sections = fnet.pack(network)
    assert_equal(unpack(header_of(network, **fields), sections), network)


@pytest.mark.parametrize("spread", [0.5, 40.0, 2e5])
def test_both_coders_hold_the_same_integers(spread: float) -> None:
    network = random_network(3, 4, 3, spread)
    values = fnet.plain_integers(network)
    for coder, payload in (
        (container.CODER_RANGE, coefficient_coding.encode_range(values, network.config)),
        (container.CODER_ZSTD, coefficient_coding.encode_planes(values)),
    ):
        assert_equal(unpack(header_of(network), [Section(fnet.NETWORK, coder, payload)]), network)


def test_the_smaller_coding_is_kept() -> None:
    network = random_network(4, 4, 3, 10.0)
    values = fnet.plain_integers(network)
    sizes = [
        len(coefficient_coding.encode_range(values, network.config)),
        len(coefficient_coding.encode_planes(values)),
    ]
    assert len(fnet.pack(network)[1][0].payload) == min(sizes)


@pytest.mark.parametrize(
    ("width", "depth", "channels"), [(0, 6, 3), (99, 6, 3), (8, 0, 3), (8, 17, 3), (8, 6, 2), (8, 6, 4)]
)
def test_sizes_outside_are_refused(width: int, depth: int, channels: int) -> None:
    with pytest.raises(ValueError, match=r"is 1 to|are 1 or 3"):
        FnetConfig(width, depth, channels)


@pytest.mark.parametrize(("width", "order"), [(5, 0), (5, 5), (1, 1)])
def test_orders_that_limit_nothing_are_refused(width: int, order: int) -> None:
    with pytest.raises(ValueError, match="an order that limits width"):
        FnetConfig(width, 3, 3, order)


def test_files_that_do_not_fit_their_header_are_refused() -> None:
    network = random_network(3, 2, 3, 5.0)
    _, sections = fnet.pack(network)
    payload = sections[0].payload
    planes = coefficient_coding.encode_planes(network.symbols)
    cases = [
        (header_of(network, architecture=(3, 99)), sections, CorruptFileError, "depth is 1 to 16"),
        (header_of(network, architecture=(3, 2, 3)), sections, CorruptFileError, "order that limits"),
        (header_of(network, architecture=(3, 2, 1, 1)), sections, CorruptFileError, "one cell"),
        (header_of(network, architecture=(3,)), sections, CorruptFileError, "architecture fields"),
        (header_of(network), [], CorruptFileError, "missing"),
        (header_of(network, coordinates=3), sections, UnsupportedFormatError, "coordinates"),
        (header_of(network, prior=99), sections, UnsupportedFormatError, "trained start 99"),
        (header_of(network, prior=1), sections, CorruptFileError, "another size"),
        (header_of(network, architecture=(1, 1)), sections, CorruptFileError, "left over"),
        (header_of(network), [Section(0, container.CODER_RAW, payload)], UnsupportedFormatError, "coder 0"),
        (header_of(network), [Section(0, container.CODER_ZSTD, b"")], CorruptFileError, "byte planes"),
        (header_of(network), [Section(0, container.CODER_ZSTD, b"\x04" + planes[1:])], CorruptFileError, "byte planes"),
        (header_of(network), [Section(0, container.CODER_ZSTD, planes)], CorruptFileError, "zstd"),
    ]
    for header, given_sections, error, message in cases:
        with pytest.raises(error, match=message):
            unpack(header, given_sections)


def test_step_indices_outside_the_table_are_refused() -> None:
    network = random_network(2, 2, 1, 5.0)
    values = np.concatenate([np.full(network.step_indices.size, 200, np.int32), network.symbols])
    section = Section(fnet.NETWORK, container.CODER_RANGE, coefficient_coding.encode_range(values, network.config))
    with pytest.raises(CorruptFileError, match="step index"):
        unpack(header_of(network), [section])


def test_symbols_of_more_than_20_bits_are_neither_packed_nor_unpacked() -> None:
    network = random_network(2, 2, 1, 5.0)
    network.symbols[3] = MAX_SYMBOL + 1
    with pytest.raises(ValueError, match="more than 20 bits"):
        fnet.pack(network)
    planes = coefficient_coding.encode_planes(
        fnet.plain_integers(network)
    )  # three bytes have room for 23 bits and a sign
    with pytest.raises(CorruptFileError, match="more than 20 bits"):
        unpack(header_of(network), [Section(fnet.NETWORK, container.CODER_ZSTD, planes)])


def test_describe_counts_bits() -> None:
    network = random_network(4, 3, 3, 10.0)
    _, sections = fnet.pack(network)
    facts = fnet.describe(network.config, sections)
    assert facts["coefficients"] == network.config.coefficient_count
    assert facts["bits_per_coefficient"] == 8 * len(sections[0].payload) / network.config.coefficient_count


def test_activation_maps_to_samples() -> None:
    config = FnetConfig(2, 1, 1)
    indices, symbols = np.zeros(config.shape.output_count, np.uint8), np.zeros(config.coefficient_count, np.int32)
    symbols[config.shape.layers[-1].offset] = -2  # the constant term: y = -2 everywhere
    linear = fnet.render(QuantizedFnet(config, indices, symbols), (2, 3), "cpu")
    sigmoid = dataclasses.replace(config, activation=1)
    squashed = fnet.render(QuantizedFnet(sigmoid, indices, symbols), (2, 3), "cpu")
    assert linear.shape == (1, 2, 3)
    assert np.allclose(linear, -2)
    assert np.allclose(squashed, 1 / (1 + np.exp(2)))


def cells(rows: int, columns: int, seed: int = 3, order: int | None = None) -> QuantizedFnet:
    """Random networks of cells, narrow ones with an order, whose samples are about [0, 1]."""
    size = (3, 2, rows, columns) if order is None else (3, 2, order, rows, columns)
    random, config = np.random.default_rng(seed), FnetConfig.of_size(size, 3)
    indices = np.full(config.step_count, 64, np.uint8)  # steps of 1/256
    if order is not None:
        indices += random.integers(0, 9, indices.size).astype(np.uint8)
    return QuantizedFnet(config, indices, random.integers(-12, 13, config.coefficient_count).astype(np.int32))


@pytest.mark.parametrize("order", [None, 1, 3])
@pytest.mark.parametrize("shape", [(1, 2), (3, 1), (4, 5)])
def test_cells_survive_both_coders(shape: tuple[int, int], order: int | None) -> None:
    network = cells(*shape, order=order)
    fields, sections = fnet.pack(network)
    assert fields["architecture"] == ((3, 2, *shape) if order is None else (3, 2, order, *shape))
    values = fnet.plain_integers(network)
    for coder, payload in (
        (container.CODER_RANGE, coefficient_coding.encode_range(values, network.config)),
        (container.CODER_ZSTD, coefficient_coding.encode_planes(values)),
    ):
        assert_equal(unpack(header_of(network, **fields), [Section(fnet.NETWORK, coder, payload)]), network)
    assert_equal(unpack(header_of(network, **fields), sections), network)


def test_equal_networks_in_a_row_of_cells_are_that_network_between_their_centres() -> None:
    """Weights add up to 1: constant networks give their constant everywhere, with no trace of cells."""
    network = cells(3, 4)
    one = np.zeros(network.config.shape.coefficient_count, np.int32)
    one[network.config.shape.layers[-1].offset] = 100  # the constant of the first channel
    same = dataclasses.replace(network, symbols=np.tile(one, 12))
    planes = fnet.render(same, (30, 41), "cpu")
    assert np.abs(planes[0] - 100 / 256).max() < 1e-6
    assert np.abs(planes[1:]).max() < 1e-6


def test_a_narrow_cell_is_the_network_alone_but_for_its_edges() -> None:
    """Each has its own steps."""
    network = cells(2, 2, order=2)
    whole = fnet.render(network, (32, 32), "cpu")
    for number, own in enumerate(separated(network)):
        row, column = divmod(number, 2)
        alone = fnet.render(own, (16, 16), "cpu")
        of_whole = slice(17 * row, 17 * row + 15), slice(17 * column, 17 * column + 15)
        here = slice(row, row + 15), slice(column, column + 15)
        assert np.abs(whole[:, *of_whole] - alone[:, *here]).max() < 1e-6


@pytest.mark.parametrize(("order", "times"), [(None, 4), (2, 32)])
def test_cells_leave_no_seams_at_a_larger_size(order: int | None, times: int) -> None:
    network, (height, width) = cells(4, 4, order=order), (32, 32)
    lattice = Lattice(0, 0, width, height, times * width, times * height)
    planes = fnet.render(network, (height, width), "cpu", lattice)
    for axis, length in ((1, height), (2, width)):
        jumps = np.abs(np.diff(planes, axis=axis)).max(axis=tuple({0, 1, 2} - {axis}))
        for edge in np.arange(1, 8) * times * length // 8 - 1:  # across edges and centres of cells
            assert jumps[edge] < 1.1 * max(jumps[edge - 1], jumps[edge + 1])


def test_a_part_of_cells_is_that_part_of_the_picture_and_small_sizes_are_means() -> None:
    network = cells(2, 3)
    whole = fnet.render(network, (16, 24), "cpu")
    part = fnet.render(network, (16, 24), "cpu", Lattice(5, 3, 7, 9, 7, 9))
    assert np.abs(part - whole[:, 3:12, 5:12]).max() < 1e-6
    small = fnet.render(network, (16, 24), "cpu", Lattice(0, 0, 24, 16, 6, 4))
    assert small.shape == (3, 4, 6)


def test_the_last_layers_outputs_of_cells_are_their_samples() -> None:
    network = cells(2, 3)
    lattice = Lattice(0, 0, 24, 16, 24, 16)
    outputs = layer_outputs(network, (16, 24), lattice)
    assert [y.shape for y in outputs] == [(3, 16, 24)] * 3
    assert np.abs(outputs[-1] - fnet.render(network, (16, 24), "cpu")).max() < 1e-6


def test_the_work_of_cells_counts_overlaps() -> None:
    lattice = Lattice(0, 0, 24, 16, 24, 16)
    for shape, overlap in (((1, 2), 2), ((2, 2), 4)):
        config = FnetConfig.of_size((3, 2, *shape), 3)
        assert fnet.multiplications(config, lattice) == overlap * 24 * 16 * config.shape.coefficient_count


@pytest.mark.parametrize(
    ("architecture", "coordinates", "message"),
    [
        ((3, 2, 1, 1), 0, "one cell"),
        ((3, 2, 0, 4), 0, "1 to 1024 cells"),
        ((3, 2, 33, 32), 0, "1 to 1024 cells"),
        ((10, 16, 4, 4), 0, "more than 4194304 coefficients"),
        ((3, 2, 2, 2), 1, "pixel centres"),
        ((3, 2, 2, 2, 2), 1, "pixel centres"),
        ((3, 2, 0, 2, 2), 0, "order that limits"),
        ((3, 2, 4, 2, 2), 0, "order that limits"),
        ((3, 2, 2, 1, 1), 0, "one cell"),
        ((3, 2, 2, 2, 2, 2), 0, "2 to 5 architecture fields"),
    ],
)
def test_impossible_cells_are_refused(architecture: tuple[int, ...], coordinates: int, message: str) -> None:
    header = Header(24, 16, 3, fnet.PROFILE_ID, architecture, coordinates=coordinates)
    with pytest.raises(CorruptFileError, match=message):
        read_config(header)


@pytest.mark.parametrize("order", [None, 2])
def test_a_cell_whose_sums_are_too_large_is_refused(order: int | None) -> None:
    network = cells(2, 2, order=order)
    network.symbols[-1] = MAX_SYMBOL
    assert not fnet.is_bounded(network)
