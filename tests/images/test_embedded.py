"""Metadata are kept byte for byte, but for the orientation, which is applied and reset."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from fourcodec import images
from fourcodec.images import orientation
from tests.support import oddities
from tests.support.oddities import FILES, XMP, exif, photo, rgb_profile


@pytest.mark.parametrize("name", ["turned.jpg", "turned.png", "turned.webp", "turned.avif"])
def test_only_the_orientation_of_exif_changes(name: str) -> None:
    found = images.read(FILES[name]()).metadata.exif
    before = next(exif(n)[6:] for n in (3, 6, 8) if len(exif(n)[6:]) == len(found))
    different = [at for at, (one, other) in enumerate(zip(found, before, strict=True)) if one != other]
    assert len(different) <= 1
    directory = Image.Exif()
    directory.load(found)
    assert directory[0x0112] == 1
    assert directory[0x010F] == "Camera"
    assert directory.get_ifd(0x8769)[0x927C] == bytes(range(64))  # as the maker wrote it


@pytest.mark.parametrize("name", ["turned.jpg", "turned.webp", "turned.avif"])
def test_only_the_orientation_of_xmp_changes(name: str) -> None:
    assert images.read(FILES[name]()).metadata.xmp == XMP.replace(b'Orientation="6"', b'Orientation="1"')


def test_a_profile_is_kept_as_it_is() -> None:
    assert images.read(FILES["profile-large.jpg"]()).metadata.icc == rgb_profile(3_000_000)


def test_of_a_tiff_directory_what_is_about_the_picture_is_kept() -> None:
    directory = Image.Exif()
    directory.load(images.read(FILES["turned.tif"]()).metadata.exif)
    assert directory[0x010F] == "Camera"
    assert 273 not in directory  # where its strips are


@pytest.mark.parametrize("number", range(1, 9))
def test_samples_turn_as_pillow_turns_images(number: int) -> None:
    image = Image.fromarray(photo())
    image.getexif()[orientation.TAG] = number
    np.testing.assert_array_equal(orientation.turn(photo(), number), np.asarray(ImageOps.exif_transpose(image)))


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda tail: b"II*\0" + tail))
def test_damaged_exif_is_a_value_error_or_keeps_its_length(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert len(orientation.reset_exif(data)) == len(data)


def test_damaged_metadata_are_no_reason_to_refuse_a_picture() -> None:
    whole = oddities.saved(photo(), "JPEG", exif=exif())
    start = whole.index(b"Exif\0\0")
    for at in range(start + 6, start + len(exif())):
        for value in (0, 255):
            damaged = whole[:at] + bytes([value]) + whole[at + 1 :]
            assert sorted(images.read(damaged).pixels.shape) == [3, 16, 24]


def test_exif_behind_the_pixels_of_a_png_counts() -> None:
    whole = oddities.saved(photo(), "PNG")
    moved = whole[:-12] + oddities.chunk(b"eXIf", exif()[6:]) + whole[-12:]
    with Image.open(io.BytesIO(moved)) as image:
        assert "exif" not in image.info
    np.testing.assert_array_equal(images.read(moved).pixels, np.rot90(photo(), -1))
