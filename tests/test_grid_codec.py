"""The whole route with real files of the profile grid, and which arguments choose which profile."""

import dataclasses
import math
import random
import zlib
from typing import Any

import numpy as np
import pytest

from fourcodec import codec
from fourcodec.bitstream import container
from fourcodec.errors import CorruptFileError, FourcodecError
from fourcodec.fnet import profile as fnet
from fourcodec.grid import profile as grid
from fourcodec.images import pixels
from fourcodec.limits import Limits
from tests.support import oddities


@pytest.fixture(scope="module")
def real(photo: np.ndarray) -> codec.Encoded:
    return codec.encode(photo, iterations=30, device="cpu")


def test_the_grid_is_the_default_and_a_size_asks_for_fnet(photo: np.ndarray, real: codec.Encoded) -> None:
    assert real.profile == "grid"
    assert container.read(real.data)[0].profile == grid.PROFILE_ID == 2
    for size in ({"width": 2}, {"depth": 2}, {"width": 2, "depth": 2}):
        encoded = codec.encode(photo, iterations=1, device="cpu", **size)
        assert encoded.profile == "fnet"
        assert container.read(encoded.data)[0].profile == fnet.PROFILE_ID == 1


@pytest.mark.usefixtures("stub_profile")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"profile": "tiles"}, "profiles are fnet and grid"),
        ({"profile": "grid", "width": 8}, "width and depth belong to the profile fnet"),
        ({"profile": "grid", "depth": 6}, "width and depth belong to the profile fnet"),
        ({"quality": 50, "target_bytes": 900}, "quality and target_bytes exclude each other"),
        ({"profile": "fnet", "max_seconds": 9.0}, "max_seconds belongs to the profile grid"),
        ({"width": 8, "quality": 50, "target_psnr": 30}, "quality and target_psnr exclude each other"),
        ({"depth": 6, "max_seconds": 9.0}, "max_seconds belongs to the profile grid"),
        ({"quality": -1}, "quality is 0 to 100"),
        ({"quality": 100.5}, "quality is 0 to 100"),
        ({"quality": float("nan")}, "quality is 0 to 100"),
        ({"max_seconds": 0.0}, "max_seconds"),
        ({"tune": "loud"}, "tunings are psnr and visual, not 'loud'"),
        ({"tune": "visual", "width": 8}, "the tuning visual belongs to the profile grid"),
        ({"effort": 10}, "effort is 1 to 9"),
        ({"iterations": 0}, "iterations are at least 1"),
        ({"device": "tpu"}, "device"),
    ],
)
def test_arguments_that_contradict_are_a_callers_mistake(
    photo: np.ndarray, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        codec.encode(photo, **arguments)


@pytest.mark.usefixtures("stub_profile")
@pytest.mark.parametrize(
    ("arguments", "profile"),
    [
        ({"quality": 0}, "grid"),
        ({"quality": 100, "max_seconds": 1e9, "effort": 9}, "grid"),
        ({"profile": "grid", "quality": 33.3, "iterations": 7}, "grid"),
        ({"profile": "fnet"}, "fnet"),
        ({"profile": "fnet", "width": 3, "depth": 2}, "fnet"),
    ],
)
def test_arguments_that_go_together_are_accepted(photo: np.ndarray, arguments: dict[str, Any], profile: str) -> None:
    assert codec.encode(photo, **arguments).profile == profile


def test_a_real_file_decodes_to_what_was_reported(real: codec.Encoded, photo: np.ndarray) -> None:
    copy = codec.decode(real.data)
    assert copy.shape == photo.shape
    assert copy.dtype == np.uint8
    mse = np.mean((photo.astype(float) - copy) ** 2)
    assert real.psnr_db == pytest.approx(10 * math.log10(255**2 / mse))
    assert real.size_bytes == len(real.data)
    assert mse < np.square(photo - photo.mean(axis=(0, 1))).mean()


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 1, 3), (1, 40, 3), (40, 1), (2, 3, 3), (7, 33), (16, 24), (33, 8, 3), (39, 40, 3)]
)
def test_real_files_of_every_shape_decode(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    encoded = codec.encode(picture, quality=70, iterations=3, device="cpu")
    copy = codec.decode(encoded.data)
    assert copy.shape == shape
    mse = np.mean((picture.astype(float) - copy) ** 2)
    assert encoded.psnr_db is None if mse == 0 else encoded.psnr_db == pytest.approx(10 * math.log10(255**2 / mse))


SCREEN = np.full((40, 72, 3), 250, np.uint8)
SCREEN[4:36:6, 6:60] = (20, 20, 30)
SCREEN[:, 60:] = (30, 90, 200)
KINDS = {
    "flat": np.full((24, 40, 3), 77, np.uint8),
    "black": np.zeros((24, 40), np.uint8),
    "pixel": np.full((1, 1, 3), 200, np.uint8),
    "tiny": oddities.photo(3, 2),
    "screen": SCREEN,
    "colours": oddities.photo(24, 40),
    "grey": oddities.photo(24, 40)[:, :, 0],
    "alpha": np.dstack([oddities.photo(24, 40), oddities.mask(24, 40)]),
    "deep": oddities.deep(oddities.photo(24, 40)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_tuned_for_people_a_copy_is_better_than_the_mean_colour(kind: str) -> None:
    picture = KINDS[kind]
    encoded = codec.encode(picture, iterations=60, tune="visual", device="cpu")
    copy = codec.decode(encoded.data)
    assert copy.shape == picture.shape
    shown = picture[:, :, -1] > 0 if kind == "alpha" else np.ones(picture.shape[:2], bool)
    first, second = (pixels.reshape(*shown.shape, -1)[shown].astype(float) for pixels in (picture, copy))
    if kind == "alpha":
        first, second = first[:, :3], second[:, :3]
    unit = np.iinfo(picture.dtype).max / 255
    assert np.square(second - first).mean() < max(np.square(first - first.mean(axis=0)).mean() / 2, 4 * unit**2)


def test_equal_arguments_give_equal_bytes_and_other_seeds_others(photo: np.ndarray, real: codec.Encoded) -> None:
    assert codec.encode(photo, profile="grid", quality=60, iterations=30, device="cpu").data == real.data
    assert codec.encode(photo, iterations=30, device="cpu", seed=1).data != real.data


def test_a_description_accounts_for_every_byte(real: codec.Encoded, photo: np.ndarray) -> None:
    description = codec.describe(real.data)
    assert description["profile"] == "grid"
    assert tuple(description["architecture"]) == codec.File(real.data).config.architecture
    assert description["header_bytes"] + sum(part["size_bytes"] for part in description["sections"]) == len(real.data)
    network = description["network"]
    assert network["latents"] >= photo.shape[0] * photo.shape[1]
    assert list(network["bytes"].values()) == [part["payload_bytes"] for part in description["sections"]]


def test_packing_what_a_file_holds_gives_the_file(real: codec.Encoded) -> None:
    header, sections = container.read(real.data)
    fields, packed = grid.pack(grid.unpack(grid.read_config(header), sections))
    assert container.write(dataclasses.replace(header, **fields), packed) == real.data


def test_decoding_is_unpacking_and_rendering(real: codec.Encoded) -> None:
    picture = codec.File(real.data).integers
    planes = grid.render(picture, (16, 24), "cpu")
    assert np.array_equal(pixels.from_planes(planes), codec.decode(real.data))


def test_every_truncation_of_a_real_file_is_refused(real: codec.Encoded) -> None:
    for length in range(len(real.data)):
        with pytest.raises(CorruptFileError):
            codec.decode(real.data[:length])


def test_a_thousand_random_flips_of_a_real_file_are_noticed(real: codec.Encoded) -> None:
    generator = random.Random(11)
    for _ in range(1000):
        damaged = bytearray(real.data)
        damaged[generator.randrange(len(damaged))] ^= generator.randrange(1, 256)
        with pytest.raises(FourcodecError):
            codec.decode(bytes(damaged))


def test_flips_in_sections_are_noticed_by_the_payloads_checksum(real: codec.Encoded) -> None:
    start = codec.describe(real.data)["header_bytes"] + 4  # behind the first section's framing
    for at in range(start, len(real.data), 5):
        damaged = bytearray(real.data)
        damaged[at] ^= 0x10
        with pytest.raises(CorruptFileError):
            codec.decode(bytes(damaged))


def test_random_flips_behind_right_checksums_give_an_error_or_a_picture(real: codec.Encoded) -> None:
    """As a hostile file would be: the checksums match, and only the checks behind them protect."""
    header_bytes = codec.describe(real.data)["header_bytes"]
    generator = random.Random(12)
    for _ in range(1000):
        damaged = bytearray(real.data)
        for _ in range(generator.randint(1, 3)):
            damaged[generator.randrange(9, len(damaged))] ^= generator.randrange(1, 256)
        payload = bytes(damaged[header_bytes:])
        head = bytes(damaged[: header_bytes - 8]) + zlib.crc32(payload).to_bytes(4, "little")
        try:
            copy = codec.decode(head + zlib.crc32(head).to_bytes(4, "little") + payload, limits=Limits(pixels=10_000))
        except FourcodecError:
            continue
        assert copy.dtype == np.uint8
