"""Every common kind of picture becomes grey or RGB, with alpha where it is not opaque, in its own depth."""

import contextlib
import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from fourcodec import images
from fourcodec.errors import ImageError, LimitError
from tests.support.oddities import png


def saved(folder: Path, image: Image.Image, name: str, **options: object) -> Path:
    path = folder / name
    image.save(path, **options)
    return path


def rgb(photo: np.ndarray) -> Image.Image:
    return Image.fromarray(photo)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.ppm", "a.tga", "a.qoi"])
def test_lossless_pictures_are_read_exactly(tmp_path: Path, photo: np.ndarray, name: str) -> None:
    picture = images.load(saved(tmp_path, rgb(photo), name))
    np.testing.assert_array_equal(picture.pixels, photo)
    assert picture.notes == ()


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif", "a.jp2"])
def test_lossy_pictures_are_read(tmp_path: Path, photo: np.ndarray, name: str) -> None:
    picture = images.load(saved(tmp_path, rgb(photo), name))
    assert picture.pixels.shape == photo.shape
    assert picture.pixels.dtype == np.uint8


def test_grey_stays_grey(tmp_path: Path, photo: np.ndarray) -> None:
    grey = Image.fromarray(photo[:, :, 0])
    palette = Image.fromarray(photo[:, :, 0] // 16 * 16).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE)
    bilevel = Image.fromarray(photo[:, :, 2]).convert("1", dither=Image.Dither.NONE)
    np.testing.assert_array_equal(images.load(saved(tmp_path, grey, "l.png")).pixels, photo[:, :, 0])
    np.testing.assert_array_equal(images.load(saved(tmp_path, palette, "p.png")).pixels, photo[:, :, 0] // 16 * 16)
    assert set(np.unique(images.load(saved(tmp_path, bilevel, "1.png")).pixels)) == {0, 255}


def test_a_coloured_palette_becomes_rgb(tmp_path: Path, photo: np.ndarray) -> None:
    palette = rgb(photo).quantize(16)
    picture = images.load(saved(tmp_path, palette, "p.png"))
    np.testing.assert_array_equal(picture.pixels, np.asarray(palette.convert("RGB")))


def test_cmyk_becomes_rgb(tmp_path: Path, photo: np.ndarray) -> None:
    picture = images.load(saved(tmp_path, rgb(photo).convert("CMYK"), "a.tif"))
    np.testing.assert_array_equal(picture.pixels, photo)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_alpha_is_kept(tmp_path: Path, photo: np.ndarray, name: str) -> None:
    pixels = np.dstack([photo, photo[:, :, 0]])
    options = {"lossless": True, "exact": True} if name == "a.webp" else {}
    picture = images.load(saved(tmp_path, Image.fromarray(pixels), name, **options))
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.notes == ()


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    samples = np.arange(384, dtype=np.uint16).reshape(16, 24) * 170
    for name in ("a.png", "a.tif"):
        picture = images.load(saved(tmp_path, Image.fromarray(samples), name))
        np.testing.assert_array_equal(picture.pixels, samples)
        assert picture.pixels.dtype == np.uint16
        assert picture.notes == ()


def test_sixteen_bit_colour_that_pillow_has_opened_is_reduced_and_said(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(24, 16, bit_depth=16, colour=2, rows=(b"\0" + bytes(24 * 6)) * 16))
    with Image.open(path) as image:
        picture = images.from_pillow(image)
    assert picture.pixels.dtype == np.uint8
    assert picture.notes == ("16-bit samples are reduced to 8 bits",)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_deep_avif_is_reduced_and_said(photo: np.ndarray, bits: int) -> None:
    deep = photo.astype(np.uint16) << (bits - 8) if bits > 8 else photo
    picture = images.read(imagecodecs.avif_encode(deep, level=95, bitspersample=bits))
    assert picture.pixels.dtype == np.uint8
    assert picture.notes == ((f"{bits}-bit samples are reduced to 8 bits",) if bits > 8 else ())


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("codec", ["j2k", "jp2"])
def test_deep_jpeg_2000_in_colour_is_reduced_and_said(photo: np.ndarray, codec: str, bits: int) -> None:
    deep = photo.astype(np.uint16) << (bits - 8) if bits > 8 else photo
    picture = images.read(imagecodecs.jpeg2k_encode(deep, codecformat=codec, bitspersample=bits, level=0))
    assert picture.pixels.dtype == np.uint8
    assert picture.notes == ((f"{bits}-bit samples are reduced to 8 bits",) if bits > 8 else ())


def test_a_picture_is_turned_upright(tmp_path: Path, photo: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: 90 degrees clockwise to be shown
    picture = images.load(saved(tmp_path, rgb(photo), "a.png", exif=exif))
    np.testing.assert_array_equal(picture.pixels, np.rot90(photo, -1))


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.webp", "a.png"])
def test_of_several_frames_one_must_be_chosen(tmp_path: Path, photo: np.ndarray, name: str) -> None:
    options = {"lossless": True} if name == "a.webp" else {}
    frames = [Image.new("RGB", (24, 16), colour) for colour in ("red", "lime", "blue")]
    path = saved(tmp_path, frames[0], name, save_all=True, append_images=frames[1:], **options)
    with pytest.raises(ImageError, match="3 frames or pages: choose one with --frame, 1 to 3"):
        images.load(path)
    for number, colour in ((1, (255, 0, 0)), (2, (0, 255, 0)), (3, (0, 0, 255))):
        assert images.load(path, frame=number).pixels[5, 7].tolist() == list(colour)
    with pytest.raises(ImageError, match="no frame 4"):
        images.load(path, frame=4)


def test_of_frames_that_the_caller_has_opened_the_present_one_is_taken() -> None:
    frames = [Image.new("RGB", (24, 16), colour) for colour in ("red", "lime", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    with Image.open(buffer) as image:
        assert images.from_pillow(image).pixels[5, 7].tolist() == [255, 0, 0]
        image.seek(2)
        assert images.from_pillow(image).pixels[5, 7].tolist() == [0, 0, 255]


def test_floating_point_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="'F'"):
        images.load(saved(tmp_path, Image.new("F", (24, 16)), "a.tif"))


def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path) -> None:
    for width, height in ((16384, 8193), (60000, 60000)):  # above our limit, and above Pillow's own
        path = tmp_path / "a.png"
        path.write_bytes(png(width, height, bit_depth=8, colour=2, rows=b""))
        with pytest.raises(LimitError, match="limit of 134217728"):
            images.load(path)


def test_formats_beyond_the_list_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 24 16\n%%EndComments\n")
    with pytest.raises(ImageError, match="a PostScript file, which is not supported"):
        images.load(path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.tif", "a.bmp", "a.qoi", "a.jp2"])
def test_truncated_pictures_raise_nothing_but_image_errors(tmp_path: Path, photo: np.ndarray, name: str) -> None:
    whole = saved(tmp_path, rgb(photo), name).read_bytes()
    path = tmp_path / "cut"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with contextlib.suppress(ImageError):
            assert images.load(path).pixels.shape == photo.shape


def test_a_damaged_picture_that_the_caller_opened_is_an_image_error(tmp_path: Path, photo: np.ndarray) -> None:
    path = saved(tmp_path, rgb(photo), "a.png")
    path.write_bytes(path.read_bytes()[:60])
    with Image.open(path) as image, pytest.raises(ImageError, match="damaged"):
        images.from_pillow(image)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(16, 24), (16, 24, 2), (16, 24, 3), (16, 24, 4), (1, 1)])
def test_arrays_are_taken_as_they_are(shape: tuple[int, ...], dtype: type) -> None:
    array = np.zeros(shape, dtype)
    assert images.from_array(array).pixels is array
    assert images.from_array(np.zeros((16, 24, 1), np.uint8)).pixels.shape == (16, 24)


@pytest.mark.parametrize(
    "array",
    [np.zeros((16, 24)), np.zeros((16, 24, 5), np.uint8), np.zeros((0, 24), np.uint8), np.zeros(24, np.uint8)],
)
def test_other_arrays_are_a_callers_mistake(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="an image array is"):
        images.from_array(array)
