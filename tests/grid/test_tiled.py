"""The grid profile in tiles: the same integers both ways, in any order, and regions that need no other tiles."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from fourcodec import codec
from fourcodec.bitstream import container, varint
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.fnet import profile as fnet
from fourcodec.grid import profile as grid
from fourcodec.grid import tiling
from fourcodec.grid.config import GridConfig
from fourcodec.grid.edges import REACH
from fourcodec.grid.fit.fit import _Fit
from fourcodec.grid.fit.fit import fit as fit_grid
from fourcodec.grid.fit.settings import GridSettings
from fourcodec.grid.picture import QuantizedGrid
from fourcodec.grid.profile import LATENTS, NETWORKS
from fourcodec.optimisation.settings import Part
from fourcodec.views import View
from tests.support.grids import alone, assert_same, assert_same_latents, assert_same_networks, config_of, random_picture
from tests.support.planes import planes_of

SIZE = (140, 200)  # 3 x 4 tiles of 64 pixels, at the edges 12 x 8


def header_for(config: GridConfig, **changes: Any) -> Header:
    fields: dict[str, Any] = {
        "width": config.width,
        "height": config.height,
        "channels": config.channels,
        "profile": grid.PROFILE_ID,
        **config.header_fields,
    }
    return Header(**(fields | changes))


@pytest.fixture(scope="module")
def picture() -> QuantizedGrid:
    return random_picture(config_of(*SIZE, 3, levels=4, tiles=1), spread=3.0)


@pytest.fixture(scope="module")
def data(picture: QuantizedGrid) -> bytes:
    _, sections = grid.pack(picture)
    return container.write(header_for(picture.config), sections)


def test_unpacking_gives_what_was_packed(picture: QuantizedGrid, data: bytes) -> None:
    found = codec.File(data).integers
    assert found.config == picture.config
    assert_same(found, picture)
    for number in picture.tiles:
        assert found.tile(number).config == picture.config.of_tile(number)


def test_every_tile_is_decoded_as_a_picture_of_its_own(picture: QuantizedGrid) -> None:
    planes = grid.render(picture, SIZE, "cpu")
    for number in reversed(range(picture.config.tiling.count)):
        tile = picture.config.tiling.tile(number)
        own = grid.render(alone(picture, number), (tile.rows, tile.columns), "cpu")
        inner = slice(REACH, -REACH)  # what edges.py leaves as it is, but for the clipping
        assert np.array_equal(planes[:, *tile.slices][:, inner, inner], own[:, inner, inner].clip(0, 1))


@pytest.mark.parametrize("tile", [0, 5, 11])
def test_a_tile_decoded_alone_or_first_has_the_same_integers(picture: QuantizedGrid, data: bytes, tile: int) -> None:
    where = picture.config.tiling.tile(tile)
    # Samples beside a neighbour need that one, too.
    left, top = (at and at + REACH + 1 for at in (where.left, where.top))
    right, bottom = (
        end if end == side else end - REACH - 1 for end, side in ((where.right, SIZE[1]), (where.bottom, SIZE[0]))
    )
    region = View(region=(left, top, right - left, bottom - top)).on(SIZE[1], SIZE[0])
    file = codec.File(data)
    found = grid.unpack(file.config, file.sections, region)
    assert list(found.tiles) == [tile]
    assert_same_networks(found.networks, picture.networks)
    assert_same_latents(found.tiles[tile], picture.tiles[tile])


@pytest.mark.parametrize("region", [(0, 0, 200, 140), (63, 63, 2, 2), (199, 0, 1, 140), (10, 20, 100, 100)])
def test_a_region_has_the_pixels_of_the_whole(data: bytes, region: tuple[int, int, int, int]) -> None:
    left, top, width, height = region
    whole = codec.decode(data)[top : top + height, left : left + width]
    assert np.array_equal(codec.decode(data, view=View(region=region)), whole)


@pytest.mark.parametrize("scale", [2, 0.5, 0.26, 0.1, 1 / 128])
def test_small_sizes_look_like_the_tiles_at_that_size(picture: QuantizedGrid, data: bytes, scale: float) -> None:
    small = codec.decode(data, view=View(scale=scale)).astype(float)
    assert small.shape[:2] == (np.ceil(SIZE[0] * scale), np.ceil(SIZE[1] * scale))
    if scale in (2, 0.5):  # an exact number of samples: the tile in the corner is a picture of its own
        corner = alone(picture, 0)
        _, sections = grid.pack(corner)
        own_file = container.write(header_for(corner.config), sections)
        inner = int(64 * scale) - 8 * int(max(scale, 1))  # beyond, resampling sees the neighbours
        own = codec.decode(own_file, view=View(scale=scale))[:inner, :inner]
        assert np.abs(small[:inner, :inner] - own).max() <= 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda latents: latents[:-1], "lengths are not those"),
        (lambda latents: latents + b"x", "lengths are not those"),
        (lambda latents: varint.write(2**32 - 1) + latents[len(varint.write(5)) :], "lengths are not those"),
        (lambda latents: latents[:5], "ends inside a number"),
        (lambda latents: b"", "ends inside a number"),
    ],
)
def test_lengths_that_are_wrong_are_refused(picture: QuantizedGrid, change: Any, error: str) -> None:
    _, (networks, latents) = grid.pack(picture)
    wrong = Section(LATENTS, latents.coder, change(latents.payload))
    with pytest.raises(CorruptFileError, match=error):
        grid.unpack(picture.config, [networks, wrong])


def test_damage_in_a_tile_that_is_not_wanted_does_not_matter(picture: QuantizedGrid) -> None:
    _, (networks, latents) = grid.pack(picture)
    damaged = latents.payload[:-1] + bytes([latents.payload[-1] ^ 1])
    file = container.write(header_for(picture.config), [networks, Section(LATENTS, latents.coder, damaged)])
    whole = codec.decode(container.write(header_for(picture.config), [networks, latents]))
    assert np.array_equal(codec.decode(file, view=View(region=(0, 0, 64, 64))), whole[:64, :64])


def test_a_file_of_too_many_tiles_is_refused(picture: QuantizedGrid) -> None:
    _, sections = grid.pack(picture)
    config = picture.config
    header = header_for(config, width=64 * 1025, height=1, architecture=config.architecture)
    with pytest.raises(CorruptFileError, match="tiles are at most 1024, not 1025"):
        grid.unpack(grid.read_config(header), sections)


def test_the_pure_network_has_no_tiles() -> None:
    network = Section(fnet.NETWORK, container.CODER_RANGE, b"x")
    file = container.write(Header(9, 9, 3, fnet.PROFILE_ID, (2, 2), tiles=1), [network])
    with pytest.raises(UnsupportedFormatError, match="tiled"):
        codec.decode(file)


def test_large_pictures_are_fitted_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "TILED_PIXELS", 5000)
    monkeypatch.setattr(tiling, "_SIDES", range(64, 129, 64))
    rows, columns = np.mgrid[:90, :150]
    image = np.stack([rows, columns, (rows + columns) // 2], axis=-1).astype(np.uint8)
    encoded = codec.encode(image, iterations=60, device="cpu")
    description = codec.describe(encoded.data)
    assert description["tiles"] == 1
    assert description["network"]["tiles"] == 6
    assert encoded.psnr_db is not None
    assert encoded.psnr_db > 25


def test_a_fit_goes_on_from_a_tiled_one(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    config = dataclasses.replace(config_of(*planes.shape[1:], 3, levels=3), tiles=1)
    settings = GridSettings(20, 1e-3)
    first = fit_grid(planes, config, settings, seed=0, report=None)

    def squares(found: Any) -> float:
        return float(np.square(grid.render(found, planes.shape[1:], "cpu") - planes).sum())

    finer = settings.part(Part(3.0, begin=0.2), 1e-5)  # where bits cost a hundredth
    fitted = _Fit(planes, config, finer, seed=0)
    fitted.place(first)
    assert fitted._iterate(0.95) == pytest.approx(squares(first), rel=1e-4)  # of rounded latents, before any has moved
    assert squares(fit_grid(planes, config, finer, seed=0, report=None, start=first)) < squares(first) / 2


def test_hidden_pixels_of_tiles_may_become_anything() -> None:
    random = np.random.default_rng(0)
    planes = random.random((3, 70, 100), dtype=np.float32)
    visible = np.zeros((70, 100), bool)
    visible[:, 64:] = True
    noisy = np.where(visible, planes, random.random(planes.shape, dtype=np.float32))
    config = config_of(70, 100, 3, levels=3, tiles=1)
    fits = [
        grid.pack(fit_grid(any_, config, GridSettings(10, 1e-3), seed=0, report=None, visible=visible))
        for any_ in (planes, noisy)
    ]
    assert fits[0] == fits[1]
    assert {section.kind for section in fits[0][1]} == {NETWORKS, LATENTS}


def test_where_bits_are_is_known_of_all_tiles(picture: QuantizedGrid, data: bytes) -> None:
    sections = codec.File(data).sections
    bits = grid.bits_by_part(picture, sections)
    tiles = [sum(float(cost.sum()) for cost in grid.latent_bits(alone(picture, n))) for n in picture.tiles]
    assert sum(cost for _, cost in bits["latents"]) == pytest.approx(sum(tiles), rel=1e-6)
    assert sum(tiles) / 8 == pytest.approx(len(sections[LATENTS].payload), rel=0.02)
    assert [level.shape for level in picture.levels][:2] == [SIZE, (70, 100)]
    assert np.array_equal(picture.levels[0][64:128, 64:128], picture.tiles[5][0])
    other = picture.tiles[5][::-1]
    assert grid.same(picture, picture)
    assert not grid.same(picture, dataclasses.replace(picture, tiles=picture.tiles | {5: other}))
