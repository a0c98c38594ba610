"""Trained starts of the pure network: their integers, and files around them."""

import dataclasses
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.fnet import coefficient_coding
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig, QuantizedFnet, read_config
from fourcodec.fnet.quantize import MAX_SYMBOL, STEP_COUNT, step_size
from fourcodec.fnet.trained_starts import FRACTION, base_symbols, integers_of, number_for, trained_starts

EVERY = sorted(trained_starts())


def near_start(number: int, channels: int = 3, seed: int = 0) -> QuantizedFnet:
    """A network whose symbols differ from a trained start's by up to 3."""
    random = np.random.default_rng(seed)
    config = FnetConfig.of_size(trained_starts()[number].size, channels, prior=number)
    indices = random.integers(60, 100, config.shape.output_count).astype(np.uint8)
    base = base_symbols(number, config.shape, indices)
    symbols = base + random.integers(-3, 4, config.coefficient_count)
    return QuantizedFnet(config, indices, symbols.astype(np.int32))


def header_of(network: QuantizedFnet, **changes: object) -> Header:
    header = Header(24, 16, network.config.channels, fnet.PROFILE_ID, **network.config.header_fields)
    return dataclasses.replace(header, **changes)


@pytest.mark.parametrize("number", EVERY)
def test_a_start_has_the_integers_of_a_network_of_its_size(number: int) -> None:
    start = trained_starts()[number]
    assert len(start.coefficients) == FnetConfig.of_size(start.size, 3).coefficient_count
    assert np.abs(start.coefficients).max() < 2**15
    assert number_for(start.size) == number


def test_a_size_without_a_start_has_the_number_0() -> None:
    assert number_for((3, 2)) == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_base_symbols_are_exact(channels: int) -> None:
    """Rounding in float64 gives what rational numbers give, at steps of all sizes that files can have."""
    config = FnetConfig.of_size(trained_starts()[1].size, channels)
    indices = np.random.default_rng(3).integers(0, 150, config.shape.output_count).astype(np.uint8)
    base, integers = base_symbols(1, config.shape, indices), integers_of(1, config.shape)
    steps, first = step_size(indices), 0
    for layer in config.shape.layers:
        for place in range(layer.span.start, layer.span.stop, 7):
            step = Fraction(float(steps[first + (place - layer.span.start) % layer.outputs]))
            exact = floor(Fraction(int(integers[place]), 2**FRACTION) / step + Fraction(1, 2))
            assert base[place] == exact
        first += layer.outputs


def test_a_grey_start_has_the_mean_of_three_colours() -> None:
    colour, grey = (FnetConfig.of_size(trained_starts()[1].size, channels).shape for channels in (3, 1))
    first = integers_of(1, colour)[colour.layers[-1].span].reshape(-1, 3)
    assert integers_of(1, grey)[grey.layers[-1].span].tolist() == [sum(row) // 3 for row in first.tolist()]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("number", EVERY)
def test_integers_around_a_start_survive(number: int, channels: int) -> None:
    network = near_start(number, channels)
    fields, sections = fnet.pack(network)
    assert fields["prior"] == number
    found = fnet.unpack(read_config(header_of(network)), sections)
    assert fnet.same(found, network)
    assert np.array_equal(found.symbols, network.symbols)
    assert len(sections[0].payload) < 3.2 * network.config.coefficient_count / 8  # 7 values a coefficient


def test_both_coders_hold_the_same_differences() -> None:
    network = near_start(1)
    config, values = network.config, fnet.plain_integers(network)
    coded = coefficient_coding.encode_range(values, config)
    assert np.array_equal(coefficient_coding.decode_range(coded, config), values)
    assert np.array_equal(
        coefficient_coding.decode_planes(coefficient_coding.encode_planes(values), values.size), values
    )


def test_unknown_starts_and_starts_of_another_size_are_refused() -> None:
    network = near_start(1)
    with pytest.raises(UnsupportedFormatError, match=f"trained start {len(EVERY) + 1}, unknown"):
        read_config(header_of(network, prior=len(EVERY) + 1))
    with pytest.raises(CorruptFileError, match="another size"):
        read_config(header_of(network, architecture=(4, 3)))
    with pytest.raises(ValueError, match="another size"):
        FnetConfig(4, 3, 3, prior=1)
    with pytest.raises(ValueError, match="trained starts 1 to"):
        FnetConfig(8, 6, 3, prior=len(EVERY) + 1)


def test_symbols_beyond_20_bits_are_refused() -> None:
    """The finest step makes symbols of a start that no coder takes, whatever the differences."""
    config = near_start(1).config
    indices = np.full(config.shape.output_count, STEP_COUNT - 1, np.uint8)
    network = QuantizedFnet(config, indices, np.zeros(config.coefficient_count, np.int32))
    with pytest.raises(ValueError, match="20 bits"):
        fnet.pack(network)
    values = fnet.plain_integers(network)
    values[config.shape.output_count :] = MAX_SYMBOL
    section = container.Section(fnet.NETWORK, container.CODER_ZSTD, coefficient_coding.encode_planes(values))
    with pytest.raises(CorruptFileError, match="with its trained start"):
        fnet.unpack(config, [section])
