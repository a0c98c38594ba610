"""What Pillow's users expect of a format, on the model of the tests of Pillow's own plugins."""

import dataclasses
import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile, UnidentifiedImageError

import fourcodec
from fourcodec import pillow_plugin
from fourcodec.bitstream import container, metadata
from fourcodec.limits import Limits
from fourcodec.pillow_plugin import FncImageFile
from fourcodec.views import View
from tests.support import hostile
from tests.support.golden import FOLDER
from tests.support.oddities import XMP, exif, rgb_profile

FAST = {"iterations": 2, "device": "cpu"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    copy = tmp_path / "a.fnc"
    copy.write_bytes((FOLDER / "grid-rgb.fnc").read_bytes())
    return copy


def test_the_format_is_registered() -> None:
    fourcodec.register()
    assert Image.registered_extensions()[".fnc"] == "FNC"
    assert Image.MIME["FNC"] == "image/x-fnc"
    assert {"FNC"} <= Image.OPEN.keys() & Image.SAVE.keys()
    assert Image.ID.count("FNC") == 1


@pytest.mark.parametrize(("name", "mode", "size"), [("grid-rgb", "RGB", (50, 33)), ("grey-wide", "L", (61, 9))])
def test_opening_gives_size_and_mode_and_loading_the_pixels(name: str, mode: str, size: tuple[int, int]) -> None:
    with Image.open(FOLDER / f"{name}.fnc") as image:
        assert isinstance(image, FncImageFile)
        assert (image.mode, image.size, image.format) == (mode, size, "FNC")
        assert image.get_format_mimetype() == "image/x-fnc"
        image.load()
        np.testing.assert_array_equal(np.asarray(image), fourcodec.decode((FOLDER / f"{name}.fnc").read_bytes()))


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_files_are_closed(path: Path) -> None:
    Image.open(path).load()
    with Image.open(path):
        pass
    image = Image.open(path)
    image.close()


def test_bytes_are_opened_as_files_are(path: Path) -> None:
    stream = io.BytesIO(path.read_bytes())
    with Image.open(stream) as image, Image.open(path) as other:
        assert image == other
    assert not stream.closed


def test_loading_twice_is_loading_once(path: Path) -> None:
    with Image.open(path) as image:
        image.load()
        before = image.tobytes()
        image.load()
        assert image.tobytes() == before


def test_other_files_are_left_to_other_plugins(photo: np.ndarray) -> None:
    with pytest.raises(SyntaxError, match=r"not a \.fnc file"):
        FncImageFile(io.BytesIO(b"\x93FNC\r\n is not enough"))
    png = io.BytesIO()
    Image.fromarray(photo).save(png, "PNG")
    with Image.open(png) as image:
        assert image.format == "PNG"
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"\x93PNG nonsense"))


@pytest.mark.parametrize("left", [9, 15, 40, -1])
def test_a_truncated_file_is_an_oserror(path: Path, left: int) -> None:
    with (
        pytest.raises(OSError, match=r"truncated|ends inside|damaged"),
        Image.open(io.BytesIO(path.read_bytes()[:left])) as image,
    ):
        image.load()


def test_every_changed_byte_is_an_oserror(path: Path) -> None:
    data = path.read_bytes()
    for place in range(8, len(data), 97):
        damaged = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        with pytest.raises(OSError, match=r".+"), Image.open(io.BytesIO(damaged)) as image:
            image.load()


def test_damage_that_only_decoding_finds_is_an_oserror_of_load() -> None:
    header, sections = container.read((FOLDER / "grid-rgb.fnc").read_bytes())
    data = container.write(header, sections[:1])
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (50, 33)
        with pytest.raises(OSError, match="section 'latents' is missing"):
            image.load()


def test_a_decompression_bomb_is_stopped_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)


def test_limits_are_the_programs(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(pillow_plugin, "LIMITS", Limits(pixels=100))
    with pytest.raises(OSError, match="more than the limit of 100: --max-pixels"):
        Image.open(path)
    monkeypatch.setattr(pillow_plugin, "LIMITS", Limits(work=100))
    with Image.open(path) as image, pytest.raises(OSError, match="more than the limit of 100: --max-work"):
        image.load()


def test_damaged_metadata_are_a_warning(path: Path) -> None:
    data = hostile.with_metadata(path.read_bytes(), 300, declared=299)
    with pytest.warns(UserWarning, match="the icc metadata are left out"):
        image = Image.open(io.BytesIO(data))
    image.load()
    assert "icc_profile" not in image.info


def test_samples_from_the_future_are_an_oserror(path: Path) -> None:
    header, sections = container.read(path.read_bytes())
    data = container.write(dataclasses.replace(header, bit_depth=10), sections)
    with pytest.raises(OSError, match="10-bit samples"):
        Image.open(io.BytesIO(data))


def test_verifying_finds_sound_what_is_sound(path: Path) -> None:
    with Image.open(path) as image:
        image.verify()


def test_there_is_one_frame(path: Path) -> None:
    with Image.open(path) as image:
        assert image.tell() == 0
        image.seek(0)
        with pytest.raises(EOFError):
            image.seek(1)
        assert getattr(image, "n_frames", 1) == 1


def test_copies_conversions_and_crops_are_pictures(path: Path) -> None:
    with Image.open(path) as image:
        assert image.copy().tobytes() == image.tobytes()
        assert image.convert("L").mode == "L"
        assert image.crop((3, 4, 10, 9)).size == (7, 5)
        assert pickle.loads(pickle.dumps(image)).tobytes() == image.tobytes()
        assert image.getexif() == {}
        assert "icc_profile" not in image.info


@pytest.mark.parametrize("name", ["grid-rgb", "rgb-range"])
def test_a_thumbnail_is_decoded_small(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    asked: list[View] = []
    real = fourcodec.File.pixels

    def watch(file: fourcodec.File, view: View) -> np.ndarray:
        asked.append(view)
        return real(file, view)

    monkeypatch.setattr(fourcodec.File, "pixels", watch)
    with Image.open(io.BytesIO(data)) as image, Image.open(io.BytesIO(data)) as full:
        width = image.width
        image.thumbnail((width // 8, width // 8))
        assert asked == [View(scale=0.25)]
        assert max(image.size) == width // 8
        fair = full.resize(image.size, Image.Resampling.LANCZOS)
        assert np.abs(np.asarray(image).astype(int) - np.asarray(fair)).mean() < 12


def test_a_draft_says_what_it_will_be(path: Path) -> None:
    with Image.open(path) as image:
        assert image.draft("RGB", (25, 16)) == ("RGB", (0, 0, 25, 17))
        assert image.size == (25, 17)
        assert image.draft("RGB", (5, 5)) is None
        image.load()
        assert np.asarray(image).shape == (17, 25, 3)
    with Image.open(path) as image:
        assert image.draft(None, (500, 500)) == ("RGB", (0, 0, 50, 33))
        image.load()
        assert image.draft(None, (5, 5)) is None


@pytest.mark.usefixtures("stub_profile")
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA", "I;16"])
def test_what_is_saved_is_opened_again(tmp_path: Path, photo: np.ndarray, mode: str) -> None:
    original = Image.fromarray(photo).convert("L" if mode == "I;16" else mode).convert(mode)
    if mode in ("LA", "RGBA"):
        original.putpixel((3, 2), (0,) * len(mode))
    original.save(tmp_path / "b.fnc", quality=50, effort=1, **FAST)
    stream = io.BytesIO()
    original.save(stream, format="FNC", quality=50, effort=1, optimize=True, **FAST)
    assert stream.getvalue() == (tmp_path / "b.fnc").read_bytes()
    with Image.open(tmp_path / "b.fnc") as image:
        assert (image.mode, image.size) == (mode, original.size)
        assert image.tobytes() == original.tobytes()


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("fnet-rgba", "RGBA"),
        ("grid-grey-alpha", "LA"),
        ("fnet-grey-16", "I;16"),
        ("grid-rgb-16", "RGB"),
        ("grid-rgba-16", "RGBA"),
    ],
)
def test_alpha_and_16_bits_are_opened_as_far_as_pillow_has_them(name: str, mode: str) -> None:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    pixels = fourcodec.decode(data)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == mode
        if mode != "I;16" and pixels.dtype == np.uint16:
            pixels = np.rint(pixels / 257).astype(np.uint8)
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_a_draft_has_its_alpha() -> None:
    data = (FOLDER / "fnet-rgba.fnc").read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        width = image.width
        image.thumbnail((width // 4, width // 4))
        assert image.mode == "RGBA"
        assert max(image.size) == width // 4


METADATA = {"icc_profile": rgb_profile(), "exif": exif(1), "xmp": XMP.replace(b'"6"', b'"1"')}


def saved(image: Image.Image, **options: Any) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "FNC", width=2, depth=1, **options, **FAST)
    return Image.open(stream)


def test_metadata_are_saved_and_opened(photo: np.ndarray) -> None:
    with saved(Image.fromarray(photo), **METADATA) as image:
        assert {name: image.info[name] for name in METADATA} == METADATA
        assert image.getexif()[0x010F] == "Camera"
        kept = {name: image.info.get(name) for name in METADATA}
        again = saved(image)  # keeps the profile, as Pillow's own plugins do
        assert again.info == {"icc_profile": kept["icc_profile"]}
        assert saved(image, icc_profile=None).info == {}
        directory = image.getexif()
    with saved(Image.fromarray(photo), exif=directory) as image:
        assert image.getexif()[0x010F] == "Camera"


def test_an_orientation_that_is_saved_turns_the_pixels(photo: np.ndarray) -> None:
    with saved(Image.fromarray(photo), exif=exif(6)) as image:
        assert image.size == (16, 24)
        assert image.getexif()[0x0112] == 1


def test_damaged_metadata_are_left_out_with_a_warning(path: Path) -> None:
    header, sections = container.read(path.read_bytes())
    data = container.write(header, [*sections, container.Section(metadata.XMP, 1, b"\5nonsense")])
    with pytest.warns(UserWarning, match="are left out"):
        image = Image.open(io.BytesIO(data))
    assert image.info == {}
    image.load()


def test_a_transparent_colour_is_saved_as_alpha(photo: np.ndarray) -> None:
    picture = Image.fromarray(photo)
    picture.info["transparency"] = tuple(photo[0, 0].tolist())
    with saved(picture) as image:
        np.testing.assert_array_equal(np.asarray(image)[:, :, 3] == 0, (photo == photo[0, 0]).all(axis=2))


def test_options_choose_the_network(photo: np.ndarray) -> None:
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "fnc", width=3, depth=2, seed=1, **FAST)
    assert container.read(stream.getvalue())[0].architecture == (3, 2)
    with pytest.raises(ValueError, match="quality is 0 to 100"):
        Image.fromarray(photo).save(io.BytesIO(), "FNC", quality=101)


@pytest.mark.parametrize("mode", ["CMYK", "F", "P", "1", "YCbCr"])
def test_other_modes_are_refused_and_leave_no_file(tmp_path: Path, mode: str) -> None:
    with pytest.raises(OSError, match=f"cannot write mode {mode} as FNC"):
        Image.new(mode, (5, 4)).save(tmp_path / "c.fnc")
    assert not (tmp_path / "c.fnc").exists()


def test_a_parser_that_is_fed_in_pieces_knows_the_format(path: Path) -> None:
    parser = ImageFile.Parser()
    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for start in range(0, len(data), 100):
            parser.feed(data[start : start + 100])
        assert parser.close().size == (50, 33)


def test_what_is_refused_in_a_stream_leaves_the_file_alone(tmp_path: Path, photo: np.ndarray) -> None:
    """Pillow itself empties a file that is saved by its name before the plugin sees the options; docs/python.md says
    so, and what to do."""
    (tmp_path / "a.fnc").write_bytes(b"good")
    stream = io.BytesIO()
    with pytest.raises(ValueError, match="quality"):
        Image.fromarray(photo).save(stream, format="FNC", quality=101)
    assert stream.getvalue() == b""
    assert (tmp_path / "a.fnc").read_bytes() == b"good"


def test_imageio_reads_files_through_pillow(path: Path) -> None:
    imageio = pytest.importorskip("imageio.v3")
    fourcodec.register()
    wanted = fourcodec.decode(path)
    np.testing.assert_array_equal(imageio.imread(path), wanted)
    np.testing.assert_array_equal(imageio.imread(path.read_bytes(), extension=".fnc"), wanted)
    assert imageio.improps(path).shape == wanted.shape
