"""A part of a picture, or a picture at another size: the same network, looked at where it is asked for."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import fourcodec
from fourcodec import codec
from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header
from fourcodec.errors import LimitError
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.fnet.quantize import STEP_COUNT
from fourcodec.grid import profile as grid
from fourcodec.grid import rendering as grid_rendering
from fourcodec.limits import Limits
from fourcodec.views import Lattice, View, whole
from tests.support.golden import GOLDEN
from tests.support.grids import config_of, random_picture

SMALL = (
    "rgb-range",
    "index-sigmoid",
    "grey-wide",
    "one-pixel",
    "grid-rgb",
    "grid-grey",
    "grid-one-pixel",
    "grid-smooth",
)
# Wider than the vectors that windows are aligned to, and no side of it even.
WIDE = (45, 203)


def planes_of(data: bytes, view: View) -> np.ndarray:
    """Float samples, in which the last bit shows."""
    file = codec.File(data)
    header, lattice = file.header, view.on(file.header.width, file.header.height)
    network = file.profile.unpack(file.config, file.profile_sections, lattice)
    return file.profile.render(network, (header.height, header.width), "cpu", lattice)


def wide_file(profile: Any, *, smooth: bool = False) -> bytes:
    """Of random weights, hence with nothing smooth in it."""
    height, width = WIDE
    if profile is grid:
        config = config_of(height, width, smooth=smooth)
        fields, sections = grid.pack(random_picture(config, spread=3.0))
        assert fields["architecture"] == config.architecture
    else:
        random, shape = np.random.default_rng(0), FnetConfig(4, 3, 3).shape
        symbols = np.rint(random.laplace(0, 40, shape.coefficient_count)).astype(np.int32)
        indices = np.full(shape.output_count, STEP_COUNT // 4, np.uint8)
        fields, sections = fnet.pack(QuantizedFnet(FnetConfig(4, 3, 3), indices, symbols))
    return container.write(Header(width, height, 3, profile.PROFILE_ID, **fields), sections)


FILES = {name: GOLDEN[name] for name in SMALL} | {
    "fnet-wide": wide_file(fnet),
    "grid-wide": wide_file(grid),
    "grid-smooth-wide": wide_file(grid, smooth=True),
}
every_file = pytest.mark.parametrize("name", FILES)
WHOLES = {name: planes_of(data, View()) for name, data in FILES.items()}


@st.composite
def regions(draw: st.DrawFn) -> tuple[str, tuple[int, int, int, int]]:
    name = draw(st.sampled_from(sorted(FILES)))
    height, width = WHOLES[name].shape[1:]
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return name, (left, top, draw(st.integers(1, width - left)), draw(st.integers(1, height - top)))


@given(regions())
@example(("grid-wide", (64, 2, 64, 2)))
@example(("grid-smooth-wide", (64, 2, 64, 2)))
@example(("grid-smooth-wide", (131, 20, 60, 9)))
@example(("grid-wide", (202, 44, 1, 1)))
@settings(max_examples=150)
def test_a_region_equals_the_crop_of_the_whole_to_the_last_bit(
    asked: tuple[str, tuple[int, int, int, int]],
) -> None:
    name, (left, top, width, height) = asked
    wanted = WHOLES[name][:, top : top + height, left : left + width]
    assert np.array_equal(planes_of(FILES[name], View(region=(left, top, width, height))), wanted)


@every_file
@pytest.mark.parametrize("step", [2, 4, 8])
def test_an_aligned_region_at_a_scale_equals_the_crop_of_the_scaled_picture(name: str, step: int) -> None:
    height, width = (side // (2 * step) * step for side in WHOLES[name].shape[1:])
    if min(height, width) < 1:
        pytest.skip("too small to be cut")
    everything = View(region=(0, 0, width * 2, height * 2), scale=1 / step)
    quarter = View(region=(width, height, width, height), scale=1 / step)
    rows, columns = height // step, width // step
    wanted = planes_of(FILES[name], everything)[:, rows : 2 * rows, columns : 2 * columns]
    assert np.array_equal(planes_of(FILES[name], quarter), wanted)


@every_file
@pytest.mark.parametrize("view", [View(scale=0.5), View(scale=0.13), View(scale=2.2), View(size=(7, 90))])
def test_any_size_has_the_samples_that_were_asked_for(name: str, view: View) -> None:
    height, width = WHOLES[name].shape[1:]
    lattice = view.on(width, height)
    pixels = fourcodec.decode(FILES[name], view=view)
    assert pixels.shape[:2] == (lattice.rows, lattice.columns)
    assert pixels.dtype == np.uint8


# The pure network is looked at once where the grid's pixels are averaged.
@pytest.mark.parametrize(
    ("name", "tolerance"), [("rgb-range", 3e-3), ("grid-rgb", 1e-9), ("grid-grey", 1e-9), ("grid-smooth", 1e-9)]
)
def test_half_size_is_close_to_the_mean_of_four_pixels(name: str, tolerance: float) -> None:
    full = WHOLES[name].clip(0, 1)
    rows, columns = (side // 2 for side in full.shape[1:])
    means = full[:, : 2 * rows, : 2 * columns].reshape(len(full), rows, 2, columns, 2).mean((2, 4))
    half = planes_of(FILES[name], View(region=(0, 0, 2 * columns, 2 * rows), scale=0.5))
    assert np.square(half.clip(0, 1) - means).mean() < tolerance


def test_small_sizes_of_a_grid_leave_the_finest_latents_undecoded() -> None:
    header, sections = container.read(FILES["grid-wide"])
    config = grid.read_config(header)
    everything = grid.unpack(config, sections).levels
    quarter = grid.unpack(config, sections, View(scale=0.25).on(header.width, header.height)).tiles[0]
    assert len(quarter) == len(everything) - 1
    for ours, wanted in zip(quarter, everything[1:], strict=True):
        assert np.array_equal(ours, wanted)
    half = grid.unpack(config, sections, View(scale=0.5).on(header.width, header.height)).tiles[0]
    assert len(half) == len(everything)
    eighth = grid.unpack(config, sections, View(scale=0.125).on(header.width, header.height)).tiles[0]
    assert len(eighth) == len(everything) - 1
    odd_rows, even_columns = slice(1, None, 2), slice(0, None, 2)  # the last pass
    eighth[0][odd_rows, even_columns] = everything[1][odd_rows, even_columns]
    for ours, wanted in zip(eighth, everything[1:], strict=True):
        assert np.array_equal(ours, wanted)


@pytest.mark.parametrize("count", [64, 500, 3000])
@pytest.mark.parametrize("name", ["grid-wide", "grid-smooth-wide", "grid-rgb"])
def test_tiles_change_no_sample(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = FILES[name] if name in FILES else GOLDEN[name]
    views = [View(), View(region=(3, 1, 40, 20)), View(scale=0.25), View(scale=1.5)]
    wanted = [planes_of(data, view) for view in views]
    monkeypatch.setattr(grid_rendering, "_PART_SAMPLES", count)
    for view, planes in zip(views, wanted, strict=True):
        assert np.array_equal(planes_of(data, view), planes)


def test_limits_hold_for_the_file_and_for_what_is_asked_of_it() -> None:
    with pytest.raises(LimitError, match=r"asked for has 240 x 160 pixels"):
        codec.decode(GOLDEN["rgb-range"], view=View(scale=10), limits=Limits(pixels=1000))
    with pytest.raises(LimitError, match="24 x 16 pixels"):
        codec.decode(GOLDEN["rgb-range"], view=View(scale=0.1), limits=Limits(pixels=100))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"scale": 0.5, "size": (2, 2)}, "contradict"),
        ({"scale": 0.0}, "above 0"),
        ({"scale": float("nan")}, "above 0"),
        ({"scale": float("inf")}, "above 0"),
        ({"size": (0, 5)}, "at least 1 x 1"),
        ({"region": (-1, 0, 2, 2)}, "begins at 0"),
        ({"region": (0, 0, 0, 2)}, "begins at 0"),
        ({"region": (0, 0, 2)}, "a region is 4 whole numbers"),
        ({"region": (0.5, 0, 2, 2)}, "each number of a region is a whole number, not 0.5"),
        ({"region": "1234"}, "a region is 4 whole numbers"),
        ({"size": (1.5, 2)}, "each number of a size is a whole number"),
        ({"size": 3}, "a size is 2 whole numbers"),
        ({"scale": "1"}, "a scale is a number, not str"),
        ({"scale": 10**400}, "above 0"),
    ],
)
def test_a_view_that_cannot_be_is_a_value_error(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        View(**arguments)


def test_a_region_outside_the_picture_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not inside the picture of 24 x 16"):
        fourcodec.decode(GOLDEN["rgb-range"], view=View(region=(20, 0, 5, 5)))


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.001, 8))
def test_a_scaled_picture_has_its_sides_rounded_up(width: int, height: int, scale: float) -> None:
    lattice = View(scale=scale).on(width, height)
    assert abs(lattice.columns - max(width * scale, 0.5)) <= 1
    assert abs(lattice.rows - max(height * scale, 0.5)) <= 1
    assert (lattice.left, lattice.top, lattice.width, lattice.height) == (0, 0, width, height)


def test_scales_mean_what_they_say() -> None:
    assert View(scale=0.1).on(30, 31) == Lattice(0, 0, 30, 31, 3, 4)
    assert View(region=(3, 2, 10, 7), scale=2).on(30, 31) == Lattice(3, 2, 10, 7, 20, 14)
    assert View(region=(3, 2, 10, 7), size=(5, 5)).on(30, 31) == Lattice(3, 2, 10, 7, 5, 5)
    assert View().on(30, 31) == whole(30, 31)
