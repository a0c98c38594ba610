"""Density goes through a file, and into every format that has one."""

import io
import itertools
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import codec, images
from fourcodec.bitstream import metadata
from fourcodec.bitstream.metadata import PER_CENTIMETRE, PER_INCH, PER_METRE, Metadata
from fourcodec.errors import CorruptFileError

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def saved(file_format: str, **options: Any) -> bytes:
    return images.saved(Image.fromarray(PIXELS), file_format, **options)


def density_in(data: bytes) -> tuple[int, int, int] | None:
    document = images.read(data).metadata.density
    return metadata.read_density(document) if document else None


def jfif(unit: int, across: int, down: int) -> bytes:
    data = bytearray(saved("JPEG"))
    struct.pack_into(">BHH", data, 13, unit, across, down)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (saved("PNG", dpi=(300, 150)), (PER_METRE, 11811, 5906)),
        (saved("JPEG", dpi=(300, 150)), (PER_INCH, 300, 150)),
        (jfif(2, 118, 59), (PER_CENTIMETRE, 118, 59)),
        (saved("TIFF", dpi=(300, 150)), (PER_INCH, 300, 150)),
        (saved("TIFF", dpi=(72.5, 150)), (PER_METRE, 2854, 5906)),
        (saved("BMP", dpi=(300, 150)), (PER_METRE, 11811, 5906)),
    ],
    ids=["png", "jpeg", "jpeg, cm", "tiff", "tiff, no whole number", "bmp"],
)
def test_every_format_is_read(data: bytes, wanted: tuple[int, int, int]) -> None:
    assert density_in(data) == wanted


@pytest.mark.parametrize(
    "data", [saved("PNG"), saved("JPEG"), saved("WEBP"), jfif(0, 4, 3), jfif(1, 0, 0), jfif(9, 72, 72)], ids=len
)
def test_no_density_takes_no_bytes(data: bytes) -> None:
    assert density_in(data) is None


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("file_format", ["png", "jpeg", "tiff"])
def test_every_format_that_has_one_is_written(file_format: str, depth: int) -> None:
    document = metadata.write_density(PER_INCH, 300, 72)
    pixels = PIXELS if depth == 8 else PIXELS.astype(np.uint16) * 257
    data, _ = images.write(pixels, file_format, Metadata(density=document))
    with Image.open(io.BytesIO(data)) as image:
        assert [round(value) for value in image.info["dpi"]] == [300, 72]


@pytest.mark.parametrize("file_format", sorted(images.FORMATS))
def test_no_density_that_a_file_may_have_keeps_a_picture_from_being_written(file_format: str) -> None:
    for unit, most in itertools.product(metadata.METRES, (1, metadata.MAX_DENSITY)):
        document = metadata.write_density(unit, most, 1)
        _, notes = images.write(PIXELS, file_format, Metadata(density=document))
        too_many = file_format in ("png", "bmp") and most > 1
        assert any("pixels a metre: it is left out" in note for note in notes) == too_many


@pytest.mark.parametrize("file_format", ["webp", "avif"])
def test_formats_without_one_say_so(file_format: str) -> None:
    _, notes = images.write(PIXELS, file_format, Metadata(density=metadata.write_density(PER_INCH, 300, 72)))
    assert notes == (f"{file_format.upper()} holds no density: it is left out",)


@pytest.mark.usefixtures("stub_profile")
def test_a_density_goes_through_a_file() -> None:
    encoded = fourcodec.encode(images.read(saved("JPEG", dpi=(300, 72))), width=2, depth=1)
    assert encoded.metadata_bytes["density"] < 9
    assert metadata.read_density(codec.read_metadata(encoded.data).density) == (PER_INCH, 300, 72)
    fourcodec.register()
    with Image.open(io.BytesIO(encoded.data)) as image:
        assert image.info["dpi"] == (300, 72)


@pytest.mark.parametrize(
    "document", [b"\4\1\1", b"\0\1\1", b"\1\1", b"\1\0\1", b"\1\1\1\1", b"\1\1\x80\x80\x80\x80\x80\1"], ids=str
)
def test_a_damaged_density_is_refused(document: bytes) -> None:
    with pytest.raises(CorruptFileError):
        metadata.read(metadata.write(Metadata(density=document)))


def test_a_rounding_to_metres_is_taken_back() -> None:
    for dpi in (72, 96, 150, 300, 600, 1200):
        assert metadata.per_inch(metadata.write_density(PER_METRE, round(dpi / 0.0254), 1000)) == (dpi, 25.4)


def test_a_second_part_of_xmp_is_noted() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r xmpNote:HasExtendedXMP="0123"/></x:xmpmeta>'
    picture = images.read(saved("JPEG", xmp=xmp))
    assert picture.metadata.xmp == xmp
    assert picture.notes == ("the XMP has a second part, which is left out",)


def jfif(unit: int, across: int, down: int) -> bytes:
    whole = images.saved(Image.new("RGB", (5, 4)), "jpeg")
    return whole[:13] + struct.pack(">BHH", unit, across, down) + whole[18:]


def test_pixels_that_are_not_square_are_noted() -> None:
    chunk = b"pHYs" + struct.pack(">IIB", 2, 1, 0)
    plain = images.saved(Image.new("RGB", (5, 4)), "png")
    png = plain[:33] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + plain[33:]
    tiff = images.saved(Image.new("RGB", (5, 4)), "tiff", resolution_unit=1, x_resolution=2, y_resolution=1)
    for data in (png, jfif(0, 2, 1), tiff):
        picture = images.read(data)
        assert picture.metadata.density == b""
        (note,) = picture.notes
        assert note.startswith("the pixels are not square (2")
    for square in (jfif(0, 1, 1), jfif(1, 72, 36), jfif(9, 2, 1), jfif(0, 0, 1)):
        assert images.read(square).notes == ()
