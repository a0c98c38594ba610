"""Packing and rendering networks."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.quantize import MAX_SYMBOL


def random_network(
    width: int, depth: int, channels: int, spread: float, seed: int = 0, order: int | None = None
) -> fnet.QuantizedFnet:
    random = np.random.default_rng(seed)
    config = fnet.FnetConfig(width, depth, channels, order)
    lowest = 160 if spread > 100 else 40  # sums have a bound
    indices = random.integers(lowest, 256, config.shape.output_count).astype(np.uint8)
    symbols = np.rint(random.laplace(0, spread, config.coefficient_count)).clip(-MAX_SYMBOL, MAX_SYMBOL)
    return fnet.QuantizedFnet(config, indices, symbols.astype(np.int32))


def header_of(network: fnet.QuantizedFnet, **changes: object) -> Header:
    header = Header(24, 16, network.config.channels, fnet.PROFILE_ID, network.config.size)
    return dataclasses.replace(header, **changes)


def unpack(header: Header, sections: list[Section]) -> fnet.QuantizedFnet:
    return fnet.unpack(fnet.read_config(header), sections)


def assert_equal(a: fnet.QuantizedFnet, b: fnet.QuantizedFnet) -> None:
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
    shape = network.config.shape
    values = fnet.plain_integers(network)
    for coder, payload in (
        (container.CODER_RANGE, fnet.encode_range(values, shape)),
        (container.CODER_ZSTD, fnet.encode_planes(values)),
    ):
        assert_equal(unpack(header_of(network), [Section(fnet.NETWORK, coder, payload)]), network)


def test_the_smaller_coding_is_kept() -> None:
    network = random_network(4, 4, 3, 10.0)
    values = fnet.plain_integers(network)
    sizes = [len(fnet.encode_range(values, network.config.shape)), len(fnet.encode_planes(values))]
    assert len(fnet.pack(network)[1][0].payload) == min(sizes)


@pytest.mark.parametrize(("width", "depth", "channels"), [(0, 6, 3), (99, 6, 3), (8, 0, 3), (8, 17, 3), (8, 6, 5)])
def test_sizes_outside_are_refused(width: int, depth: int, channels: int) -> None:
    with pytest.raises(ValueError, match="is 1 to"):
        fnet.FnetConfig(width, depth, channels)


@pytest.mark.parametrize(("width", "order"), [(5, 0), (5, 5), (1, 1)])
def test_orders_that_limit_nothing_are_refused(width: int, order: int) -> None:
    with pytest.raises(ValueError, match="an order that limits width"):
        fnet.FnetConfig(width, 3, 3, order)


def test_files_that_do_not_fit_their_header_are_refused() -> None:
    network = random_network(3, 2, 3, 5.0)
    _, sections = fnet.pack(network)
    payload = sections[0].payload
    planes = fnet.encode_planes(network.symbols)
    cases = [
        (header_of(network, architecture=(3, 99)), sections, CorruptFileError, "depth is 1 to 16"),
        (header_of(network, architecture=(3, 2, 3)), sections, CorruptFileError, "order that limits"),
        (header_of(network, architecture=(3, 2, 1, 1)), sections, CorruptFileError, "architecture fields"),
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
    section = Section(fnet.NETWORK, container.CODER_RANGE, fnet.encode_range(values, network.config.shape))
    with pytest.raises(CorruptFileError, match="step index"):
        unpack(header_of(network), [section])


def test_symbols_of_more_than_20_bits_are_neither_packed_nor_unpacked() -> None:
    network = random_network(2, 2, 1, 5.0)
    network.symbols[3] = MAX_SYMBOL + 1
    with pytest.raises(ValueError, match="more than 20 bits"):
        fnet.pack(network)
    planes = fnet.encode_planes(fnet.plain_integers(network))  # three bytes have room for 23 bits and a sign
    with pytest.raises(CorruptFileError, match="more than 20 bits"):
        unpack(header_of(network), [Section(fnet.NETWORK, container.CODER_ZSTD, planes)])


def test_describe_counts_bits() -> None:
    network = random_network(4, 3, 3, 10.0)
    _, sections = fnet.pack(network)
    facts = fnet.describe(network.config, sections)
    assert facts["coefficients"] == network.config.coefficient_count
    assert facts["bits_per_coefficient"] == 8 * len(sections[0].payload) / network.config.coefficient_count


def test_activation_maps_to_samples() -> None:
    config = fnet.FnetConfig(2, 1, 1)
    indices, symbols = np.zeros(config.shape.output_count, np.uint8), np.zeros(config.coefficient_count, np.int32)
    symbols[config.shape.layers[-1].offset] = -2  # the constant term: y = -2 everywhere
    linear = fnet.render(fnet.QuantizedFnet(config, indices, symbols), (2, 3), "cpu")
    sigmoid = dataclasses.replace(config, activation=1)
    squashed = fnet.render(fnet.QuantizedFnet(sigmoid, indices, symbols), (2, 3), "cpu")
    assert linear.shape == (1, 2, 3)
    assert np.allclose(linear, -2)
    assert np.allclose(squashed, 1 / (1 + np.exp(2)))
