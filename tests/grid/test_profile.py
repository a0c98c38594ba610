"""Packing and rendering a pyramid of latents and its networks."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header, Section
from fourcodec.coding import binary_coder
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.grid import entropy_model
from fourcodec.grid import profile as grid
from fourcodec.grid import weight_coding as grid_networks
from fourcodec.grid.kernels import layout
from fourcodec.grid.kernels.layout import PASSES
from fourcodec.grid.picture import QuantizedGrid
from fourcodec.grid.weight_coding import MAX_EXPONENT, MAX_SYMBOL
from fourcodec.grid.weights import BICUBIC, HIDDEN, KERNEL, MAPS, MEANS, MIXING, SCALES, TAPS, UNUSED
from fourcodec.views import View
from tests.support.grids import assert_same, config_of, header_of, linear_picture, random_picture

CONFIG = config_of(19, 26)
FIELDS = ("levels", "order", "hidden", "phase")


def unpack(header: Header, sections: list[Section]) -> QuantizedGrid:
    return grid.unpack(grid.read_config(header), sections)


def network_values(picture: QuantizedGrid) -> np.ndarray:
    """What section `networks` holds before it is coded."""
    used = picture.config.shape.groups != UNUSED
    return np.concatenate([picture.networks.exponents.astype(np.int32), picture.networks.symbols[used]])


def networks_section(picture: QuantizedGrid, values: np.ndarray) -> Section:
    used = picture.config.shape.groups[picture.config.shape.groups != UNUSED]
    contexts = np.concatenate([np.zeros(picture.config.shape.group_count, np.uint8), 1 + used])
    return Section(grid.NETWORKS, container.CODER_RANGE, binary_coder.encode(values.astype(np.int32), contexts))


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from([1, 3]),
    st.integers(0, 3),
    st.integers(1, 16),
    st.sampled_from([0.0, 0.3, 20.0, 3000.0]),
    st.integers(0, 9),
)
def test_integers_survive(
    size: tuple[int, int], channels: int, order: int, hidden: int, spread: float, seed: int
) -> None:
    picture = random_picture(config_of(*size, channels, order=order, hidden=hidden), spread, seed)
    fields, sections = grid.pack(picture)
    assert fields["architecture"] == picture.config.architecture
    assert_same(unpack(header_of(picture, **fields), sections), picture)


def test_sections_come_in_any_order_and_strange_ancillary_ones_are_skipped() -> None:
    picture = random_picture(CONFIG)
    _, sections = grid.pack(picture)
    strange = Section(container.FIRST_ANCILLARY_KIND, container.CODER_RAW, b"later versions know")
    assert_same(unpack(header_of(picture), [sections[1], strange, sections[0]]), picture)


def test_the_networks_section_holds_exponents_and_used_weights() -> None:
    picture = random_picture(CONFIG)
    _, sections = grid.pack(picture)
    assert sections[0] == networks_section(picture, network_values(picture))


def test_files_that_do_not_fit_their_header_are_refused() -> None:
    picture = random_picture(CONFIG)
    _, (networks, latents) = grid.pack(picture)
    both = [networks, latents]
    raw, zstd = (Section(grid.LATENTS, coder, latents.payload) for coder in (container.CODER_RAW, container.CODER_ZSTD))

    def header_with(**fields: int) -> Header:
        architecture = dict(zip(FIELDS, picture.config.architecture, strict=True)) | fields
        return header_of(picture, architecture=tuple(architecture.values()))

    cases = [
        (header_with(levels=0), both, CorruptFileError, "levels is 1 to 9, not 0"),
        (header_with(levels=10), both, CorruptFileError, "levels is 1 to 9, not 10"),
        (header_with(order=4), both, CorruptFileError, "order is 0 to 3, not 4"),
        (header_with(hidden=0), both, CorruptFileError, "hidden is 1 to 16, not 0"),
        (header_with(hidden=17), both, CorruptFileError, "hidden is 1 to 16, not 17"),
        (header_with(phase=64), both, CorruptFileError, "phase is 0 to 63, not 64"),
        (header_with(smoothing=2), both, CorruptFileError, "after four of profile grid is 1, not 2"),
        (header_with(smoothing=1, more=1), both, CorruptFileError, "is 1, not 1, 1"),
        (header_with(levels=1, order=0), both, CorruptFileError, "left over"),
        (
            header_of(picture, architecture=(6, 2, 16)),
            both,
            CorruptFileError,
            "4 architecture fields or 5",
        ),
        (header_of(picture, coordinates=1), both, CorruptFileError, "coordinates"),
        (header_of(picture, activation=1), both, CorruptFileError, "activation"),
        (header_of(picture, prior=99), both, UnsupportedFormatError, "trained start 99"),
        (header_of(picture), [networks], CorruptFileError, "'latents' is missing"),
        (header_of(picture), [latents], CorruptFileError, "'networks' is missing"),
        (header_of(picture), [*both, latents], CorruptFileError, "'latents' comes twice"),
        (header_of(picture), [networks, *both], CorruptFileError, "'networks' comes twice"),
        (header_of(picture), [*both, Section(7, 0, b"")], UnsupportedFormatError, "kind 7"),
        (header_of(picture), [networks, raw], UnsupportedFormatError, "'latents' has coder 0"),
        (header_of(picture), [networks, zstd], UnsupportedFormatError, "'latents' has coder 1"),
        (header_of(picture), [dataclasses.replace(networks, coder=3), latents], UnsupportedFormatError, "has coder 3"),
    ]
    for header, sections, error, message in cases:
        with pytest.raises(error, match=message):
            unpack(header, sections)


@pytest.mark.parametrize("kind", [grid.NETWORKS, grid.LATENTS])
def test_left_over_bytes_are_refused(kind: int) -> None:
    picture = random_picture(CONFIG)
    _, sections = grid.pack(picture)
    for tail, message in ((b"\x01" * 9, "left over"), (b"\0", "zero byte")):
        changed = list(sections)
        changed[kind] = dataclasses.replace(sections[kind], payload=sections[kind].payload + tail)
        with pytest.raises(CorruptFileError, match=message):
            unpack(header_of(picture), changed)


@pytest.mark.parametrize("hidden", [16, 5])
def test_integers_survive_beside_a_prior(hidden: int) -> None:
    picture = random_picture(config_of(9, 30, hidden=hidden, trained_start=2), spread=50.0)
    fields, sections = grid.pack(picture)
    assert_same(unpack(header_of(picture, **fields), sections), picture)


def test_weights_too_large_beside_their_prior_are_refused() -> None:
    picture = random_picture(config_of(trained_start=1))
    _, sections = grid.pack(picture)
    values = network_values(picture)
    values[picture.config.shape.group_count :] = MAX_SYMBOL
    with pytest.raises(CorruptFileError, match="weights of the entropy model are at most"):
        unpack(header_of(picture), [networks_section(picture, values), sections[1]])


@pytest.mark.parametrize(("at", "value"), [(0, -1), (3, MAX_EXPONENT + 1), (9, 300), (-1, MAX_SYMBOL + 1)])
def test_exponents_and_weights_out_of_range_are_refused(at: int, value: int) -> None:
    picture = random_picture(CONFIG)
    _, sections = grid.pack(picture)
    values = network_values(picture)
    values[at] = value
    with pytest.raises(CorruptFileError, match="out of its range"):
        unpack(header_of(picture), [networks_section(picture, values), sections[1]])


def test_a_weight_of_more_than_15_bits_is_a_callers_mistake() -> None:
    picture = random_picture(CONFIG)
    picture.networks.symbols[0] = MAX_SYMBOL + 1
    with pytest.raises(ValueError, match="15 bits"):
        grid_networks.encode_networks(picture.networks)


@pytest.mark.parametrize(
    "fields",
    [{"levels": 0}, {"levels": 10}, {"order": -1}, {"order": 4}, {"hidden": 0}, {"hidden": 17}, {"phase": 64}],
    ids=str,
)
def test_sizes_outside_are_refused(fields: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=rf"{next(iter(fields))} is \d to"):
        config_of(**fields)


@pytest.mark.parametrize("channels", [0, 2, 4, 5])
def test_channels_other_than_grey_and_rgb_are_refused(channels: int) -> None:
    with pytest.raises(ValueError, match="channels"):
        config_of(channels=channels)


def test_a_prior_that_nobody_trained_is_refused() -> None:
    with pytest.raises(ValueError, match="the trained start 99 is unknown"):
        config_of(trained_start=99)


def test_weights_are_integers_times_powers_of_two() -> None:
    picture = random_picture(CONFIG)
    shape, flat = picture.config.shape, picture.networks.weights.flat()
    assert flat.dtype == np.float32
    steps = 2.0 ** -picture.networks.exponents[np.minimum(shape.groups, shape.group_count - 1)].astype(float)
    assert np.array_equal(flat, (shape.base + picture.networks.symbols * steps).astype(np.float32))
    assert not flat[shape.groups == UNUSED].any()


@pytest.mark.parametrize("trained_start", [0, 1])
def test_the_integer_model_has_the_weights_of_the_float_model(trained_start: int) -> None:
    config = config_of(19, 26, trained_start=trained_start)
    picture = random_picture(config)
    integers = picture.networks.entropy_model
    found = entropy_model.networks(picture.networks.weights.entropy_model.astype(np.float64), config.levels)
    first, second, mean, scale = integers.shifts
    shifts = np.full(found.shape[2], second)
    shifts[layout.W1 : layout.W2], shifts[layout.W3 :: 2], shifts[layout.W3 + 1 :: 2] = first, mean, scale
    assert integers.weights.shape == found.shape == (config.levels, PASSES, layout.PASS_WEIGHTS)
    assert np.abs(np.ldexp(found, shifts) - integers.weights).max() <= 0.5


def test_an_entropy_model_of_fewer_levels_and_units_has_no_weights_beyond() -> None:
    groups = entropy_model.split(config_of(levels=2, hidden=5).shape.groups[: entropy_model.SIZE])
    assert (groups.maps[0, :2] == MAPS).all()
    assert (groups.maps[1, 0] == MAPS).all()
    assert (groups.maps == MAPS).sum() == 3 * entropy_model.FEATURES
    assert (groups.mixing == MIXING).sum() == entropy_model.FEATURES * (5 + 2)
    assert (groups.mixing[:, 5:-2] == UNUSED).all()


def test_work_is_no_less_than_what_the_kernels_do() -> None:
    """Of the entropy model all units and taps, however few weights a file has."""
    few = config_of(50, 70, hidden=1)
    everywhere = View().on(70, 50)
    for config in (few, dataclasses.replace(few, hidden=16)):
        others = (config.shape.groups[entropy_model.SIZE :] != UNUSED).sum()
        wanted = config.latent_count * layout.PASS_WEIGHTS + 50 * 70 * others
        assert grid.multiplications(config, everywhere) == wanted


@pytest.mark.parametrize("size", [(1, 300_000), (300_000, 1), (1000, 300)])
def test_decoding_takes_no_more_memory_than_its_pixels_may(size: tuple[int, int]) -> None:
    """32 bytes for each that memory_pixels counts, as 2^27 in 4 GB: thin images count as larger ones."""
    picture = linear_picture(size, 1)
    sections = grid.pack(picture)[1]
    tracemalloc.start()
    try:
        grid.unpack(picture.config, sections)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 * grid.memory_pixels(picture.config)


def test_phase_scales_are_quarters_of_octaves() -> None:
    assert [config_of(phase=phase).phase_scale for phase in (0, 4, 40)] == [1, 1 / 2, 1 / 1024]
    assert config_of(phase=18).phase_scale == pytest.approx(2**-4.5)


def test_hidden_units_that_are_not_used_have_no_weights() -> None:
    for hidden in (1, 5, 16):
        groups = config_of(hidden=hidden).shape.groups
        assert (groups == TAPS).sum() == PASSES * 23 * hidden
        assert (groups == HIDDEN).sum() == PASSES * (hidden + 1) * hidden
        assert (groups == MEANS).sum() == (groups == SCALES).sum() == PASSES * (hidden + 23)


def test_describe_counts_latents_weights_and_bytes() -> None:
    picture = random_picture(CONFIG)
    _, sections = grid.pack(picture)
    facts = grid.describe(picture.config, sections)
    assert (
        facts.items()
        >= {
            "levels": picture.config.levels,
            "order": 2,
            "latents": sum(level.size for level in picture.levels),
            "weights": int((picture.config.shape.groups != UNUSED).sum()),
            "bytes": {"networks": len(sections[0].payload), "latents": len(sections[1].payload)},
        }.items()
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (5, 8), (19, 26)])
def test_rendering_adds_up_constants_and_latents(size: tuple[int, int], channels: int) -> None:
    picture = linear_picture(size, channels)
    random = np.random.default_rng(1)
    latents = picture.tiles[0]
    latents[0][:] = random.integers(-30, 30, latents[0].shape)
    latents[-1][:] = 2  # a constant, upsampled: itself
    planes = grid.render(picture, size, "cpu")
    assert planes.shape == (channels, *size)
    assert planes.dtype == np.float32
    same = 2.0 if picture.config.levels > 1 else 0.0
    wanted = (latents[0][: size[0], : size[1]] + same) / 64 + 0.5
    for channel, plane in enumerate(planes):
        assert np.abs(plane - wanted - channel / 8).max() < 1e-6


def test_rendering_filters_what_the_network_gives() -> None:
    """The residual kernel's middle entries alone: twice the colour."""
    picture = linear_picture((19, 26), 3)
    finest = picture.tiles[0][0]
    finest[:] = np.random.default_rng(1).integers(-30, 30, finest.shape)
    plain = grid.render(picture, (19, 26), "cpu")
    kernel = np.zeros((3, 3, 3, 3), np.int32)
    kernel[range(3), range(3), 1, 1] = 64
    symbols = picture.networks.symbols.copy()
    symbols[picture.config.shape.groups == KERNEL] = kernel.ravel()
    doubled = dataclasses.replace(picture, networks=dataclasses.replace(picture.networks, symbols=symbols))
    assert np.abs(grid.render(doubled, (19, 26), "cpu") - 2 * plain).max() < 1e-5


def test_filters_are_coded_against_the_bicubic_one() -> None:
    picture = linear_picture((19, 26), 1)
    filters = picture.networks.weights.filters
    assert np.array_equal(filters, np.tile(BICUBIC, (picture.config.levels - 1, 1)))
