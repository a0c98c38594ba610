"""Each format holds what it can: samples exactly or nearly, metadata byte for byte, and a note for what is left out."""

from __future__ import annotations

import io
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from fourcodec import images
from fourcodec.bitstream.metadata import Metadata
from fourcodec.errors import ImageError
from tests.support.oddities import XMP, deep, exif, photo, rgb_profile, rgba

RGB = Metadata(rgb_profile(), exif(1)[6:], XMP.replace(b'"6"', b'"1"'))
GREY = replace(RGB, icc=RGB.icc[:16] + b"GRAY" + RGB.icc[20:])
PIXELS = {
    "grey": photo()[:, :, 0],
    "grey and alpha": rgba()[:, :, [0, 3]],
    "rgb": photo(),
    "rgba": rgba(),
}


def metadata_of(kind: str) -> Metadata:
    """With a profile for the samples."""
    return GREY if kind.startswith("grey") else RGB


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", PIXELS)
def test_png_holds_everything(kind: str, depth: int) -> None:
    described = metadata_of(kind)
    pixels = PIXELS[kind] if depth == 8 else deep(PIXELS[kind])
    data, notes = images.write(pixels, "png", described)
    picture = images.read(data)
    assert picture.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.metadata == described
    assert notes == ()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", ["grey", "rgb", "rgba"])
def test_tiff_holds_the_samples(kind: str, depth: int) -> None:
    described = metadata_of(kind)
    pixels = PIXELS[kind] if depth == 8 else deep(PIXELS[kind])
    data, notes = images.write(pixels, "tiff", described)
    picture = images.read(data)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.metadata.icc, picture.metadata.xmp) == (described.icc, described.xmp)
    assert notes == (() if depth == 8 else ("16-bit TIFF is written without the EXIF data",))
    assert b"Camera" in picture.metadata.exif or depth == 16


@pytest.mark.parametrize("kind", ["grey", "rgb", "rgba"])
def test_tiff_without_exif_is_deflated_without_loss(kind: str) -> None:
    described = metadata_of(kind)
    pixels = PIXELS[kind]
    plain, _ = images.write(pixels, "tiff", described)
    data, notes = images.write(pixels, "tiff", replace(described, exif=b""))
    picture = images.read(data)
    np.testing.assert_array_equal(picture.pixels, pixels)
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), pixels)
    assert (picture.metadata.icc, picture.metadata.xmp) == (described.icc, described.xmp)
    assert tifffile.TiffFile(io.BytesIO(data)).pages[0].tags["Compression"].value == 8  # Adobe's deflate
    assert notes == ()
    assert len(data) < len(plain)


@pytest.mark.parametrize("file_format", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("kind", PIXELS)
def test_lossy_formats_hold_the_picture_nearly_and_its_metadata(kind: str, file_format: str) -> None:
    described = metadata_of(kind) if file_format == "jpeg" else RGB  # the others hold no grey
    data, notes = images.write(PIXELS[kind], file_format, described)
    picture = images.read(data)
    assert (picture.metadata.icc, picture.metadata.xmp) == (described.icc, described.xmp)
    # Pillow takes the orientation out for AVIF, which has one of its own
    assert picture.metadata.exif == described.exif or (file_format == "avif" and b"Camera" in picture.metadata.exif)
    assert picture.pixels.shape[:2] == (16, 24)
    if kind in ("grey", "rgb"):
        found = picture.pixels if picture.pixels.ndim == 3 else picture.pixels[:, :, None]
        assert np.abs(found.astype(int) - np.atleast_3d(PIXELS[kind])).mean() < 6
    else:
        assert notes == (
            ("JPEG holds no transparency: transparent parts become white",) if file_format == "jpeg" else ()
        )
        if file_format != "jpeg":
            assert np.abs(picture.pixels[:, :, -1].astype(int) - PIXELS[kind][:, :, -1]).max() < 24


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", PIXELS)
@pytest.mark.parametrize("file_format", ["bmp", "ppm", "tga"])
def test_simple_formats_hold_the_colours_and_no_metadata(file_format: str, kind: str, depth: int) -> None:
    pixels = PIXELS[kind] if depth == 8 else deep(PIXELS[kind])
    data, notes = images.write(pixels, file_format, metadata_of(kind))
    name = file_format.upper()
    opaque = images.has_alpha(pixels) and file_format != "tga"
    shallow = depth == 16 and file_format != "ppm"
    expected = images.to_eight_bits(pixels) if shallow else pixels
    picture = images.on_white(expected) if opaque else expected
    if file_format == "ppm":
        assert Image.open(io.BytesIO(data)).format == "PPM"
        found = np.frombuffer(data[-picture.nbytes :], picture.dtype.newbyteorder(">")).reshape(picture.shape)
    else:
        found = images.read(data).pixels
    np.testing.assert_array_equal(found, picture)
    said = [f"{name} is written with 8 bits of 16"] * shallow
    said += [f"{name} holds no transparency: transparent parts become white"] * opaque
    lost = [f"{name} is written without the {what}" for what in ("ICC profile", "EXIF data", "XMP data")]
    said += ["PPM holds no metadata"] if file_format == "ppm" else lost
    assert list(notes) == said


@pytest.mark.parametrize("kind", PIXELS)
def test_jpeg_xl_holds_the_picture_nearly(kind: str) -> None:
    data, notes = images.write(PIXELS[kind], "jxl", metadata_of(kind))
    assert notes == ("JXL is written without the ICC profile",)
    with Image.open(io.BytesIO(data)) as image:
        assert b"Camera" in image.getexif().tobytes()
        found = np.asarray(image)
    assert np.abs(found.astype(int) - PIXELS[kind]).mean() < 6


@pytest.mark.parametrize("rows", ["grey", "rgb", "noise"])
def test_a_16_bit_png_is_what_libpng_reads(rows: str) -> None:
    made = np.random.default_rng(0).integers(0, 65536, (7, 5, 4), np.uint16)
    pixels = made if rows == "noise" else deep(PIXELS[rows])
    np.testing.assert_array_equal(imagecodecs.png_decode(images.to_png(pixels)), pixels)
    np.testing.assert_array_equal(imagecodecs.png_decode(images.to_png(pixels[:, :1])), pixels[:, :1])


def test_what_does_not_fit_into_jpeg_is_left_out_and_said() -> None:
    large = Metadata(xmp=b"<x/>".ljust(70_000), exif=exif(1)[6:] + bytes(70_000))
    data, notes = images.write(deep(photo()), "jpeg", large)
    assert not images.read(data).metadata
    assert [note[:32] for note in notes] == [
        "JPEG is written with 8 bits of 1",
        "JPEG holds no exif metadata of 7",
        "JPEG holds no xmp metadata of 70",
    ]


@pytest.mark.parametrize(("file_format", "limit"), [("jpeg", 65535), ("webp", 16383), ("avif", 65536), ("tga", 65535)])
def test_a_side_that_a_format_cannot_have_is_refused(file_format: str, limit: int) -> None:
    images.check_format(file_format, limit, 1)
    with pytest.raises(ImageError, match=f"{file_format.upper()} holds at most {limit} pixels a side"):
        images.write(np.zeros((limit + 1, 1), np.uint8), file_format)


def test_a_pillow_without_avif_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fourcodec.images.writing.features.check", lambda name: name != "avif")
    with pytest.raises(ImageError, match="without AVIF"):
        images.write(photo(), "avif")


def test_a_profile_that_readers_of_png_refuse_is_said() -> None:
    _, notes = images.write(photo(), "png", Metadata(icc=rgb_profile(1_100_000)))
    assert notes == ("an ICC profile of more than 1 MiB in a PNG is refused by Pillow and other readers",)


def test_npy_is_the_array() -> None:
    data, notes = images.write(deep(rgba()), "npy", RGB)
    np.testing.assert_array_equal(np.load(io.BytesIO(data), allow_pickle=False), deep(rgba()))
    assert notes == ("NPY holds no metadata",)


@pytest.mark.parametrize(("depth", "kind"), [(8, "rgba"), (16, "grey and alpha"), (16, "rgb"), (8, "grey")])
def test_a_plain_picture_has_8_bits_and_no_alpha(depth: int, kind: str) -> None:
    picture = images.plain(images.from_array(PIXELS[kind] if depth == 8 else deep(PIXELS[kind])))
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == PIXELS[kind].shape[:2] + ((3,) if kind.startswith("rgb") else ())
    assert len(picture.notes) == (depth == 16) + kind.endswith(("alpha", "rgba"))
    if "a" in kind[3:]:
        assert (picture.pixels[:, -2:] == 255).all()  # transparent there
