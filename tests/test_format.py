"""What FORMAT.md says is what the code does: a decoder written after it decodes our files."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fourcodec.bitstream
from fourcodec import codec
from fourcodec.bitstream import alpha, container, metadata
from fourcodec.errors import CorruptFileError
from fourcodec.fnet import coefficient_coding
from fourcodec.fnet import profile as fnet
from fourcodec.fnet import trained_starts as fnet_starts
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.fnet.rendering import coefficients_of
from fourcodec.grid import config as grid_config
from fourcodec.grid import profile as grid
from fourcodec.grid.trained_starts import trained_starts
from fourcodec.grid.weights import FIRST, UNUSED
from tests.golden.make import FILES, FOLDER
from tests.support import format_decoder
from tests.support.grids import config_of, header_of, random_picture


def assert_decodes(header: container.Header, sections: list[container.Section]) -> None:
    picture = grid.unpack(grid.read_config(header), sections)
    size = (header.height, header.width)
    payloads = (sections[0].payload, sections[1].payload)
    networks, latents, planes = format_decoder.decode(
        payloads, size, header.channels, header.architecture, header.prior
    )
    assert networks.exponents == picture.networks.exponents.tolist()
    assert np.array_equal(networks.symbols, picture.networks.symbols[picture.config.shape.groups != UNUSED])
    for found, wanted in zip(latents.levels, picture.levels, strict=True):
        assert np.array_equal(found, wanted)
    assert np.abs(planes - grid.render(picture, size, "cpu")).max() < 1e-3


@pytest.mark.parametrize("name", FILES)
def test_every_golden_file_decodes_as_the_document_says(name: str) -> None:
    """From the first byte on: samples within 1 of 255, alpha and metadata exact."""
    data = (FOLDER / f"{name}.fnc").read_bytes()
    found, documents = format_decoder.decode_file(data)
    wanted = np.atleast_3d(codec.decode(data)).astype(int)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= (1 if container.read(data)[0].bit_depth == 8 else 257)
    if container.read(data)[0].has_alpha:
        assert np.array_equal(found[:, :, -1], wanted[:, :, -1])
    stored = codec.read_metadata(data)
    assert documents == {kind: getattr(stored, word) for kind, word in metadata.NAMES.items() if getattr(stored, word)}


@pytest.mark.parametrize("size", [(4, 3), (5, 3, 2), (3, 2, 1), (3, 2, 2, 3), (3, 2, 2, 2, 3), (3, 2, 3, 1, 2)])
@pytest.mark.parametrize("coder", [container.CODER_RANGE, container.CODER_ZSTD])
def test_random_integers_of_fnet_decode_as_the_document_says(coder: int, size: tuple[int, ...]) -> None:
    """Integers of all sizes, in both coders: the coefficients are equal to the last bit."""
    random, config = np.random.default_rng(5), FnetConfig.of_size(size, 3)
    sizes = 2.0 ** random.uniform(0, 20, config.coefficient_count) - 1
    symbols = (sizes * random.choice([-1, 1], len(sizes))).astype(np.int32)
    indices = random.integers(152, 256, config.step_count).astype(np.uint8)  # within the bound on sums
    network = QuantizedFnet(config, indices, symbols)
    values = fnet.plain_integers(network)
    payload = (
        coefficient_coding.encode_range(values, config) if coder == 2 else coefficient_coding.encode_planes(values)
    )
    header = container.Header(24, 16, 3, fnet.PROFILE_ID, size)
    data = container.write(header, [container.Section(fnet.NETWORK, coder, payload)])
    found = format_decoder.Fourier(format_decoder.parse(data), 3)
    assert found.step_indices == indices.tolist()
    assert found.symbols == symbols.tolist()
    assert np.array_equal(found.coefficients(), coefficients_of(network))


@pytest.mark.parametrize("channels", [1, 3])
def test_integers_around_a_trained_start_of_fnet_decode_as_the_document_says(channels: int) -> None:
    random = np.random.default_rng(7)
    config = FnetConfig.of_size(fnet_starts.trained_starts()[1].size, channels, prior=1)
    indices = random.integers(60, 110, config.shape.output_count).astype(np.uint8)
    symbols = fnet_starts.base_symbols(1, config.shape, indices) + random.integers(-9, 10, config.coefficient_count)
    network = QuantizedFnet(config, indices, symbols.astype(np.int32))
    fields, sections = fnet.pack(network)
    data = container.write(container.Header(24, 16, channels, fnet.PROFILE_ID, **fields), sections)
    found = format_decoder.Fourier(format_decoder.parse(data), channels)
    assert found.symbols == symbols.tolist()
    assert np.array_equal(found.coefficients(), coefficients_of(network))


@given(
    depth=st.sampled_from([1, 2]),
    exponents=st.lists(st.integers(0, 20), min_size=4, max_size=4),
    index=st.integers(0, 255),
    seed=st.integers(0, 2**32 - 1),
)
def test_both_decoders_refuse_a_network_or_agree_on_its_pixels(
    depth: int, exponents: list[int], index: int, seed: int
) -> None:
    """Hidden states of any size, and a last layer whose samples are in a picture's range: what two decoders make of a
    phase without a fraction differs by up to 255."""
    random, config = np.random.default_rng(seed), FnetConfig(2, depth, 1)
    symbols = np.zeros(config.coefficient_count, np.int32)
    for layer, largest in zip(config.shape.layers[:1], exponents, strict=False):
        symbols[layer.span] = random.integers(-(2**largest) + 1, 2**largest, layer.size)
    last = config.shape.layers[-1].span
    symbols[last] = random.integers(-30, 31, last.stop - last.start)
    indices = np.full(config.shape.output_count, index, np.uint8)
    indices[-1] = 64  # a step of 1/256
    network = QuantizedFnet(config, indices, symbols)
    payload = coefficient_coding.encode_planes(fnet.plain_integers(network))
    header = container.Header(7, 5, 1, fnet.PROFILE_ID, (2, depth))
    data = container.write(header, [container.Section(fnet.NETWORK, container.CODER_ZSTD, payload)])
    if fnet.is_bounded(network):
        found = format_decoder.decode_file(data)[0][:, :, 0].astype(int)
        assert np.abs(codec.decode(data).astype(int) - found).max() <= 1
        return
    with pytest.raises(CorruptFileError, match="sum up to more than 1024"):
        codec.decode(data)
    with pytest.raises(AssertionError):
        format_decoder.decode_file(data)
    with pytest.raises(ValueError, match="sum up to more than 1024"):
        fnet.pack(network)


@pytest.mark.parametrize("more", [0, 1])
def test_the_bound_on_sums_is_exact(more: int) -> None:
    """A hidden state of two layers: 1023 and 1 turns, or one part in 2^20 more."""
    config = FnetConfig(1, 2, 1)
    indices = np.array([0, 160, 0], np.uint8)  # steps of 1, 2^-20 and 1
    symbols = np.zeros(config.coefficient_count, np.int32)
    first, second, last = (layer.span.start for layer in config.shape.layers)
    symbols[[first, second, second + 1, last]] = (-1023, 2**20 - 1, -1 - more, 1024)
    assert fnet.is_bounded(QuantizedFnet(config, indices, symbols)) == (not more)
    symbols[last] = 1025
    assert not fnet.is_bounded(QuantizedFnet(config, indices, symbols))


def test_the_trained_starts_are_those_of_the_document() -> None:
    document = (Path(fourcodec.bitstream.__path__[0]) / "FORMAT.md").read_text(encoding="utf-8")
    stated = {
        int(number): digest for number, digest in re.findall(r"^\| (\d+) \| `([0-9a-f]{64})` \|$", document, re.M)
    }
    assert stated == {
        number: hashlib.sha256(prior.entropy_model.astype("<i2").tobytes()).hexdigest()
        for number, prior in trained_starts().items()
    }


def test_the_trained_starts_of_fnet_are_those_of_the_document() -> None:
    document = (Path(fourcodec.bitstream.__path__[0]) / "FORMAT.md").read_text(encoding="utf-8")
    stated = {
        int(number): (fields, digest)
        for number, fields, digest in re.findall(r"^\| (\d+) \| ([\d, ]+) \| `([0-9a-f]{64})` \|$", document, re.M)
    }
    assert stated == {
        number: (
            ", ".join(map(str, start.size)),
            hashlib.sha256(start.coefficients.astype("<i2").tobytes()).hexdigest(),
        )
        for number, start in fnet_starts.trained_starts().items()
    }


@pytest.mark.parametrize("name", ["grid-grey-alpha", "grid-rgb-16", "grid-rgba-16"])
def test_golden_files_with_alpha_and_16_bits_decode_as_the_document_says(name: str) -> None:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    header, sections = container.read(data)
    found = {section.kind: section.payload for section in sections}
    size, copy = (header.height, header.width), codec.decode(data).astype(int)
    planes = format_decoder.decode(
        (found[0], found[1]), size, header.colour_channels, header.architecture, header.prior
    )[2]
    colours = format_decoder.samples(planes, header.bit_depth).transpose(1, 2, 0)
    tolerance = 1 if header.bit_depth == 8 else 257
    assert np.abs(colours - copy[:, :, : header.colour_channels]).max() <= tolerance
    if header.has_alpha:
        assert format_decoder.alpha(found[alpha.KIND], size, header.bit_depth) == copy[:, :, -1].tolist()
    else:
        assert colours.shape == copy.shape


@pytest.mark.parametrize("bit_depth", [8, 16])
@pytest.mark.parametrize("number", range(4))
def test_alpha_decodes_as_the_document_says(number: int, bit_depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alpha, "min", lambda found, key: found[number], raising=False)
    plane = np.random.default_rng(number).integers(0, 2**bit_depth, (9, 14)).astype(f"uint{bit_depth}")
    section = alpha.write(plane)
    assert section.payload[0] == number
    assert format_decoder.alpha(section.payload, (9, 14), bit_depth) == plane.tolist()


@pytest.mark.parametrize("plain", [b"abc", b"<x/>" * 5000])
def test_metadata_decode_as_the_document_says(plain: bytes) -> None:
    (section,) = metadata.write(metadata.Metadata(xmp=plain))
    assert format_decoder.document(section.payload, section.coder) == plain


@pytest.mark.parametrize("name", ["grid-rgb", "grid-grey", "grid-one-pixel", "grid-prior"])
def test_golden_files_decode_as_the_document_says(name: str) -> None:
    header, sections = container.read((FOLDER / f"{name}.fnc").read_bytes())
    assert_decodes(header, sections)


@pytest.mark.parametrize(
    "config",
    [
        config_of(13, 22, 1, order=1, hidden=5),
        config_of(6, 1, 3),
        config_of(9, 10, 1, order=3, levels=3, phase=7),
        config_of(5, 7, 1, hidden=9, trained_start=2),
    ],
)
def test_random_integers_decode_as_the_document_says(config: grid_config.GridConfig) -> None:
    """Integers of all sizes, where a fit's are small: escapes and cuts among them."""
    picture = random_picture(config, spread=200.0, seed=3)
    finest = picture.tiles[0][0]
    finest[:] = np.random.default_rng(0).integers(-32767, 32768, finest.shape)
    picture.networks.exponents[FIRST:] = 14  # the picture stays near [0, 1], as its float32 needs
    _, sections = grid.pack(picture)
    assert_decodes(header_of(picture), sections)


@pytest.mark.parametrize(
    ("config", "shifts"),
    [
        (config_of(21, 34, 1, levels=8, hidden=6), (12, 12, 9, 9, 8, 8)),  # products go down
        (config_of(21, 34, 1, levels=9, hidden=3), (14, 12, 17, 20, 7, 7)),  # none, and up
        (config_of(9, 14, 1, levels=9, hidden=4), (12, 12, 20, 12, 0, 2)),  # up, beyond what a weight may be
        (config_of(4, 13, 3, levels=1, hidden=4), (12, 12, 10, 10, 11, 9)),
        (config_of(15, 12, 1, levels=3, hidden=5, trained_start=1), (10, 9, 10, 10, 8, 10)),
        (config_of(17, 10, 1, levels=9, hidden=11, trained_start=3), (10, 10, 10, 10, 10, 10)),
    ],
)
def test_inter_level_features_are_added_as_the_document_says(
    config: grid_config.GridConfig, shifts: tuple[int, ...]
) -> None:
    """Shifts of products in both directions, numbers of levels with and without all maps, and clamped sums."""
    picture = random_picture(config, spread=60.0, seed=9)
    picture.networks.exponents[:FIRST] = shifts
    picture.networks.exponents[FIRST:] = 14
    _, sections = grid.pack(picture)
    assert_decodes(header_of(picture), sections)


def test_inter_level_features_change_the_three_finest_levels_alone() -> None:
    """What the test above rests on: without the features the document's decoder has other latents."""
    picture = random_picture(config_of(30, 41, 1, levels=8), spread=60.0, seed=2)
    model = picture.networks.entropy_model.weights
    for level in range(8):
        assert np.array_equal(model[level], model[3]) == (level >= 3)
