"""The whole route: with a profile that stores the picture, and with the real network."""

import dataclasses
import io
import math
import random
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import codec, files, metrics
from fourcodec.bitstream import container, metadata
from fourcodec.bitstream.metadata import Metadata
from fourcodec.errors import (
    CorruptFileError,
    DeviceError,
    FourcodecError,
    LimitError,
    TargetError,
    UnsupportedFormatError,
)
from fourcodec.fnet import profile as fnet
from fourcodec.images import Picture
from fourcodec.limits import Limits

stubbed = pytest.mark.usefixtures("stub_profile")


@stubbed
def test_what_is_reported_was_measured_on_the_bytes(photo: np.ndarray) -> None:
    encoded = fourcodec.encode(photo, width=3, depth=2, seed=1)
    copy = fourcodec.decode(encoded.data)
    mse = np.mean((photo.astype(float) - copy) ** 2)
    assert encoded.psnr_db == pytest.approx(10 * math.log10(255**2 / mse))
    assert (encoded.width, encoded.height, encoded.channels) == (24, 16, 3)
    assert encoded.size_bytes == len(encoded.data)
    assert encoded.rate_bpp == pytest.approx(8 * len(encoded.data) / 384)
    assert encoded.profile == "fnet"
    assert encoded.ssim is not None
    assert 0 < encoded.ssim < 1


@stubbed
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (16, 24), (1, 1, 3), (1, 5000, 3)])
def test_an_exact_copy_of_any_shape_has_no_psnr(shape: tuple[int, ...]) -> None:
    picture = np.full(shape, 77, np.uint8)
    encoded = fourcodec.encode(picture, width=1, depth=1)
    assert encoded.psnr_db is None
    assert (encoded.ssim is None) == (min(shape[:2]) < 11)
    np.testing.assert_array_equal(fourcodec.decode(encoded.data), picture)


@stubbed
def test_pillow_images_and_arrays_give_the_same_file(photo: np.ndarray) -> None:
    assert fourcodec.encode(Image.fromarray(photo)).data == fourcodec.encode(photo).data
    grey = photo[:, :, 0]
    assert fourcodec.encode(Image.fromarray(grey)).data == fourcodec.encode(grey[:, :, None]).data


@stubbed
def test_what_is_changed_in_a_pillow_image_is_warned_of(photo: np.ndarray) -> None:
    with pytest.warns(UserWarning, match="CMYK"):
        fourcodec.encode(Image.fromarray(photo).convert("CMYK"))


@stubbed
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_number_of_channels_and_both_depths_come_back(channels: int, dtype: type) -> None:
    shape = (16, 24) if channels == 1 else (16, 24, channels)
    picture = np.random.default_rng(channels).integers(1, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    encoded = fourcodec.encode(picture)
    copy = fourcodec.decode(encoded.data)
    assert copy.dtype == dtype
    np.testing.assert_array_equal(copy, picture)
    assert (encoded.channels, encoded.bit_depth) == (channels, 8 * picture.itemsize)
    assert (encoded.alpha_bytes > 0) == (channels in (2, 4))
    assert encoded.psnr_db is None


@stubbed
def test_alpha_is_exact_and_what_it_hides_is_not_measured(photo: np.ndarray) -> None:
    picture = np.dstack([photo, np.where(np.arange(24) < 12, 0, 77)[None].repeat(16, 0).astype(np.uint8)])
    encoded = fourcodec.encode(picture, seed=1)
    copy = fourcodec.decode(encoded.data)
    np.testing.assert_array_equal(copy[:, :, 3], picture[:, :, 3])
    seen = (copy[:, 12:, :3].astype(float) - picture[:, 12:, :3]) ** 2
    assert encoded.psnr_db == pytest.approx(10 * np.log10(255**2 / seen.mean()))


@stubbed
def test_a_picture_that_is_all_hidden_costs_no_colour(photo: np.ndarray) -> None:
    hidden = np.dstack([photo, np.zeros(photo.shape[:2], np.uint8)])
    encoded = fourcodec.encode(hidden)
    assert not fourcodec.decode(encoded.data)[:, :, 3].any()
    assert encoded.data == fourcodec.encode(np.zeros_like(hidden)).data  # whatever colours it hides
    assert encoded.psnr_db is None


METADATA = Metadata(icc=b"profile" * 50, exif=b"II*\0", xmp=b"<x/>")


@stubbed
def test_metadata_travel_with_the_picture_unless_stripped(photo: np.ndarray) -> None:
    encoded = fourcodec.encode(Picture(photo, METADATA))
    assert fourcodec.read_metadata(encoded.data) == METADATA
    assert set(encoded.metadata_bytes) == {"icc", "exif", "xmp"}
    bare = fourcodec.encode(Picture(photo, METADATA), strip=True)
    assert not fourcodec.read_metadata(bare.data)
    assert bare.data == fourcodec.encode(photo).data
    assert encoded.size_bytes == bare.size_bytes + sum(encoded.metadata_bytes.values())


@stubbed
def test_damaged_metadata_do_not_stop_the_pixels(photo: np.ndarray) -> None:
    header, sections = container.read(fourcodec.encode(photo).data)
    data = container.write(header, [*sections, container.Section(metadata.XMP, 1, b"\5nonsense")])
    np.testing.assert_array_equal(fourcodec.decode(data), photo)
    with pytest.raises(CorruptFileError):
        fourcodec.read_metadata(data)


@stubbed
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_alpha_and_the_number_of_channels_must_agree(channels: int) -> None:
    shape = (16, 24) if channels == 1 else (16, 24, channels)
    header, sections = container.read(fourcodec.encode(np.ones(shape, np.uint8)).data)
    other = dataclasses.replace(header, channels=(2, 1, 4, 3)[channels - 1])
    for read in (fourcodec.decode, codec.describe):
        with pytest.raises(CorruptFileError, match="section 'alpha'"):
            read(container.write(other, sections))


@stubbed
@pytest.mark.parametrize("size", [{"width": 0}, {"width": 99}, {"depth": 0}, {"depth": 17}, {"device": "tpu"}])
def test_arguments_out_of_range_are_a_callers_mistake(photo: np.ndarray, size: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"width|depth|device"):
        fourcodec.encode(photo, **size)


@stubbed
def test_a_missing_device_is_said(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fourcodec.devices._has_cuda", lambda: False)
    data = fourcodec.encode(photo).data  # "auto" falls back
    with pytest.raises(DeviceError, match="no CUDA device"):
        fourcodec.encode(photo, device="cuda")
    with pytest.raises(DeviceError, match="no CUDA device"):
        fourcodec.decode(data, device="cuda")


@pytest.mark.cuda
@pytest.mark.parametrize("profile", ["grid", "fnet"])
def test_what_a_gpu_has_fitted_decodes_anywhere(photo: np.ndarray, profile: str) -> None:
    encoded = fourcodec.encode(photo, profile=profile, device="cuda", iterations=60)
    assert metrics.psnr_db(photo, fourcodec.decode(encoded.data)) == pytest.approx(encoded.psnr_db, abs=0.1)


@stubbed
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"profile": 9}, "profile 9"),
        ({"bit_depth": 10}, "10-bit"),
        ({"bit_depth": 12}, "12-bit"),
        ({"profile": fnet.PROFILE_ID, "tiles": 1}, "tiled"),
    ],
)
def test_what_later_versions_write_is_refused_by_name(photo: np.ndarray, fields: dict[str, int], message: str) -> None:
    header, sections = container.read(fourcodec.encode(photo).data)
    data = container.write(dataclasses.replace(header, **fields), sections)
    for read in (fourcodec.decode, codec.describe):
        with pytest.raises(UnsupportedFormatError, match=message):
            read(data)


@stubbed
def test_a_description_accounts_for_every_byte(photo: np.ndarray) -> None:
    data = fourcodec.encode(photo, width=3, depth=2).data
    description = codec.describe(data)
    assert description["network"] == {"width": 3, "depth": 2}
    assert description["header_bytes"] + sum(part["size_bytes"] for part in description["sections"]) == len(data)


@stubbed
def test_a_callers_own_limit_is_kept(photo: np.ndarray) -> None:
    data = fourcodec.encode(photo).data
    with pytest.raises(LimitError, match="limit of 100"):
        fourcodec.decode(data, limits=Limits(pixels=100))


def test_unknown_names_of_the_package_are_attribute_errors() -> None:
    assert set(fourcodec.__all__) <= set(dir(fourcodec))
    with pytest.raises(AttributeError, match="nothing"):
        fourcodec.nothing  # noqa: B018


# From here on the real network.


@pytest.fixture(scope="module")
def real(photo: np.ndarray) -> codec.Encoded:
    return codec.encode(photo, width=4, depth=2, iterations=30, device="cpu")


def test_a_real_file_decodes_to_what_was_reported(real: codec.Encoded, photo: np.ndarray) -> None:
    copy = codec.decode(real.data)
    assert copy.shape == photo.shape
    assert copy.dtype == np.uint8
    mse = np.mean((photo.astype(float) - copy) ** 2)
    assert real.psnr_db == pytest.approx(10 * math.log10(255**2 / mse))


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 200, 3), (16, 24)])
def test_real_files_of_every_shape_decode(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    encoded = codec.encode(picture, width=2, depth=2, iterations=2, device="cpu")
    assert codec.decode(encoded.data).shape == shape


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
        assert copy.dtype in (np.uint8, np.uint16)  # the depth is in the header


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ({"target_bytes": 330}, {"width": 4, "depth": 2}),
        ({"target_psnr": 22.0}, {"width": 4, "depth": 3}),
        ({"target_bpp": 6.5}, {"width": 3, "depth": 4}),
    ],
)
def test_a_target_is_met_on_the_bytes_and_the_decoded_pixels(
    photo: np.ndarray, target: dict[str, Any], options: dict[str, int]
) -> None:
    encoded = codec.encode(photo, **target, **options, iterations=150, device="cpu")
    most_bytes = target.get("target_bytes", 6.5 * photo.shape[0] * photo.shape[1] / 8)
    if "target_psnr" in target:
        assert encoded.psnr_db is not None
        assert 22.0 <= encoded.psnr_db <= 22.1
    else:
        assert 0.97 * most_bytes <= len(encoded.data) <= most_bytes
    assert codec.describe(encoded.data)["architecture"] == [options["width"], options["depth"]]


def test_a_target_beyond_a_fixed_size_of_network_is_refused(photo: np.ndarray) -> None:
    with pytest.raises(TargetError, match=r"60 dB cannot be reached: the nearest .* dB"):
        codec.encode(photo, width=2, depth=1, target_psnr=60, iterations=30, device="cpu")


def test_the_quality_of_a_pure_network_is_its_lambda(photo: np.ndarray) -> None:
    fast: dict[str, Any] = {"width": 4, "depth": 3, "iterations": 60, "device": "cpu"}
    files = [codec.encode(photo, quality=quality, **fast) for quality in (10, 54, 95)]
    sizes = [file.size_bytes for file in files]
    assert sizes == sorted(set(sizes))


def test_without_a_quality_a_pure_network_has_the_lambda_that_suits_its_size(photo: np.ndarray) -> None:
    """A bit is dear in a small network, and no cheaper than at a quality of 54.4 in one that could copy the picture."""
    fast: dict[str, Any] = {"depth": 2, "iterations": 200, "device": "cpu"}
    small, large = (codec.encode(photo, width=width, **fast).size_bytes for width in (3, 8))
    assert small < codec.encode(photo, width=3, quality=54.4, **fast).size_bytes
    assert large <= 1.01 * codec.encode(photo, width=8, quality=54.4, **fast).size_bytes


@stubbed
def test_a_path_is_as_good_as_what_is_in_the_file(photo: np.ndarray, tmp_path: Path) -> None:
    picture, coded = tmp_path / "a.png", tmp_path / "a.fnc"
    Image.fromarray(photo).save(picture)
    for given in (picture, str(picture)):
        coded.write_bytes(fourcodec.encode(given, width=3, depth=2).data)
        assert coded.read_bytes() == fourcodec.encode(photo, width=3, depth=2).data
    data = coded.read_bytes()
    for path in (coded, str(coded), data, bytearray(data), memoryview(data)):
        assert np.array_equal(fourcodec.decode(path), photo)
        assert fourcodec.read_metadata(path) == Metadata()
    for use in (fourcodec.encode, fourcodec.decode, fourcodec.File):
        with pytest.raises(FileNotFoundError):
            use(str(tmp_path / "missing"))


@pytest.mark.parametrize("given", [b"bytes", [[1, 2]], None, 7, object()], ids=lambda given: type(given).__name__)
def test_an_image_of_another_type_is_named(given: Any) -> None:
    with pytest.raises(ValueError, match=f"path of a picture file or an open one, not {type(given).__name__}$"):
        fourcodec.encode(given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"effort": "5"}, "effort is a whole number, not str"),
        ({"effort": None}, "effort is a whole number, not None"),
        ({"iterations": 1.5}, "iterations is a whole number, not 1.5"),
        ({"seed": [0]}, "seed is a whole number, not list"),
        ({"seed": -1}, "seed is at least 0, not -1"),
        ({"limits": None}, "limits is of the type Limits, not None"),
        ({"progress": 5}, "progress is a function, not int"),
    ],
)
def test_other_arguments_of_another_type_are_named_before_any_work(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fourcodec.encode("no picture is opened", **given)


def test_a_view_and_limits_of_another_type_are_named(photo: np.ndarray) -> None:
    data = fourcodec.encode(photo, width=np.int64(2), depth=1, iterations=np.int32(1), device="cpu").data
    with pytest.raises(ValueError, match="view is of the type View, not None"):
        fourcodec.decode(data, view=None)
    with pytest.raises(ValueError, match="limits is of the type Limits, not int"):
        fourcodec.decode(data, limits=5)


def test_a_masked_array_is_no_image() -> None:
    with pytest.raises(ValueError, match="this one is masked"):
        fourcodec.encode(np.ma.masked_array(np.zeros((4, 5), np.uint8), True))


def test_a_tensor_is_no_image() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"not Tensor$"):
        fourcodec.encode(torch.zeros(3, 4, 5))


@pytest.mark.parametrize("given", [[1], None, 7, np.zeros(3)], ids=lambda given: type(given).__name__)
def test_a_file_of_another_type_is_named(given: Any) -> None:
    for use in (fourcodec.decode, fourcodec.File, fourcodec.read_metadata):
        with pytest.raises(ValueError, match=f"not by {type(given).__name__}$"):
            use(given)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_a_picture_without_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(FourcodecError, match="has no pixels"):
        fourcodec.encode(Image.new("RGB", size))
    with pytest.raises(ValueError, match="an image array is"):
        fourcodec.encode(Picture(np.zeros((*size, 3), np.uint8)))


@stubbed
def test_open_files_and_paths_are_given_and_written(tmp_path: Path, photo: np.ndarray) -> None:
    Image.fromarray(photo).save(tmp_path / "in.png")
    with (tmp_path / "in.png").open("rb") as file:
        encoded = fourcodec.encode(file, width=3, depth=2)
        assert not file.closed
    assert encoded.data == fourcodec.encode(photo, width=3, depth=2).data
    for output in (tmp_path / "a.fnc", str(tmp_path / "a.fnc")):  # the second replaces the first
        encoded.save(output)
    with (tmp_path / "b.fnc").open("wb") as file:
        encoded.save(file)
    for name in ("a.fnc", "b.fnc"):
        assert (tmp_path / name).read_bytes() == encoded.data
        with (tmp_path / name).open("rb") as file:
            np.testing.assert_array_equal(fourcodec.decode(file), photo)
    assert fourcodec.open(io.BytesIO(encoded.data)).header.width == 24
    assert fourcodec.read_metadata(io.BytesIO(encoded.data)) == Metadata()


def test_open_files_are_of_bytes_and_within_limits() -> None:
    for use in (fourcodec.encode, fourcodec.open):
        with pytest.raises(ValueError, match="open for text: open it for bytes, with mode 'rb'"):
            use(io.StringIO("text"))
    with pytest.raises(LimitError, match="the open file is larger than the limit of 8 bytes"):
        files.read_open(io.BytesIO(bytes(9)), 8)
