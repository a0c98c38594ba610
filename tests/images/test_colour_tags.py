"""Colour that is not kept is noted."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from fourcodec import images
from fourcodec.bitstream.metadata import Metadata
from fourcodec.images.colour import fitting_profile

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY = SRGB[:16] + b"GRAY" + SRGB[20:]
CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def png(name: bytes, data: bytes, icc: bytes = b"") -> bytes:
    whole = images.saved(Image.fromarray(PIXELS), "png", icc_profile=icc or None)
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return whole[:33] + chunk + whole[33:]


def tiff() -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[318] = (0.3127, 0.329)
    tags.tagtype[318] = 5
    return images.saved(Image.fromarray(PIXELS), "tiff", tiffinfo=tags)


def bmp(space: bytes) -> bytes:
    plain = images.saved(Image.fromarray(PIXELS), "bmp")
    header = struct.pack("<I", 108) + plain[18:54] + bytes(16) + space + bytes(36) + struct.pack("<3I", 1, 1, 1)
    return b"BM" + struct.pack("<IHHI", 14 + 108 + len(plain) - 54, 0, 0, 14 + 108) + header + plain[54:]


def avif(primaries: int, transfer: int) -> bytes:
    data = bytearray(images.saved(Image.fromarray(PIXELS), "avif"))
    struct.pack_into(">HH", data, data.index(b"colrnclx") + 8, primaries, transfer)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (png(b"cICP", bytes([9, 16, 0, 1])), "cICP: primaries 9, transfer 16"),
        (png(b"cICP", bytes([9, 16, 0, 1]), SRGB), "cICP: primaries 9, transfer 16"),
        (png(b"cICP", bytes([1, 13, 0, 0])), "cICP: samples of a narrow range"),
        (png(b"gAMA", struct.pack(">I", 100_000)), "gAMA: 1"),
        (png(b"cHRM", struct.pack(">8I", *CHROMATICITIES[:2], *(70000,) * 6)), "cHRM: 0.3127 0.329 0.7"),
        (tiff(), "WhitePoint"),
        (bmp(bytes(4)), "calibrated RGB"),
        (bmp(b"DEBM"), "a linked or embedded profile"),
        (avif(9, 16), "nclx: primaries 9, transfer 16"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_colour_that_is_not_srgb_is_noted(data: bytes, what: str) -> None:
    picture = images.read(data)
    (note,) = picture.notes
    assert note.startswith(f"the file's colours are not sRGB ({what}")
    assert note.endswith("which is not kept: they will look different")
    assert picture.pixels.shape == PIXELS.shape


@pytest.mark.parametrize(
    "data",
    [
        png(b"cICP", bytes([1, 13, 0, 1])),
        png(b"gAMA", struct.pack(">I", 45_455)),
        png(b"gAMA", struct.pack(">I", 100_000), SRGB),
        png(b"cHRM", struct.pack(">8I", *CHROMATICITIES)),
        png(b"sRGB", b"\0"),
        bmp(b"BGRs"),
        avif(1, 13),
        avif(2, 2),
        images.saved(Image.fromarray(PIXELS), "tiff"),
        images.saved(Image.fromarray(PIXELS), "webp"),
        images.saved(Image.fromarray(PIXELS), "QOI"),
        images.saved(Image.fromarray(PIXELS), "JPEG2000"),
    ],
    ids=[
        "png cICP",
        "png gAMA",
        "png gAMA and sRGB",
        "png cHRM",
        "png sRGB",
        "bmp",
        "avif",
        "avif unspecified",
        "tiff",
        "webp",
        "qoi",
        "jpeg 2000",
    ],
)
def test_srgb_needs_no_note(data: bytes) -> None:
    assert images.read(data).notes == ()


@pytest.mark.parametrize(
    ("icc", "pixels", "what"),
    [
        (GREY, PIXELS, "one for grey and the samples are RGB"),
        (SRGB, PIXELS[:, :, 0], "one for RGB and the samples are grey"),
    ],
    ids=["grey", "RGB"],
)
def test_a_profile_that_does_not_fit_is_left_out(icc: bytes, pixels: np.ndarray, what: str) -> None:
    picture = images.read(images.saved(Image.fromarray(pixels), "jpeg", icc_profile=icc))
    assert picture.metadata.icc == b""
    assert any(what in note for note in picture.notes)
    written, notes = images.write(pixels, "png", Metadata(icc=icc))
    assert any(what in note for note in notes)
    with Image.open(io.BytesIO(written)) as image:
        assert "icc_profile" not in image.info


@pytest.mark.parametrize("file_format", ["webp", "avif"])
def test_a_grey_profile_does_not_get_into_a_format_without_grey(file_format: str) -> None:
    data, notes = images.write(PIXELS[:, :, 0], file_format, Metadata(icc=GREY))
    with Image.open(io.BytesIO(data)) as image:
        assert "icc_profile" not in image.info
    assert len(notes) == 1
    for kept in ("png", "jpeg", "tiff"):
        data, notes = images.write(PIXELS[:, :, 0], kept, Metadata(icc=GREY))
        with Image.open(io.BytesIO(data)) as image:
            assert image.info["icc_profile"] == GREY
        assert notes == ()


def test_a_profile_of_an_unknown_space_is_named() -> None:
    notes: list[str] = []
    assert fitting_profile(SRGB[:16] + b"HSV " + SRGB[20:], 3, notes) == b""
    assert "one for HSV" in notes[0]


def jpeg(segment: bytes) -> bytes:
    whole = images.saved(Image.fromarray(PIXELS), "jpeg")
    return whole[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + whole[2:]


@pytest.mark.parametrize(
    "data",
    [png(b"iCCP", b"name\0\0no zlib"), jpeg(b"ICC_PROFILE\0\1\2" + SRGB)],
    ids=["PNG, damaged", "JPEG, the second part is missing"],
)
def test_a_profile_that_cannot_be_read_is_noted(data: bytes) -> None:
    picture = images.read(data)
    assert picture.metadata.icc == b""
    assert picture.notes == ("the ICC profile is damaged and left out: colours may look different",)


def test_a_profile_that_is_converted_is_not_called_damaged() -> None:
    whole = images.saved(Image.fromarray(PIXELS).convert("CMYK"), "jpeg", icc_profile=SRGB)
    assert not [note for note in images.read(whole).notes if "damaged" in note]


def test_a_deep_png_with_a_bad_profile_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    deep = Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257)
    picture = images.read(images.saved(deep, "png", icc_profile=SRGB))
    assert picture.pixels.dtype == np.uint16
    assert picture.notes == ("the ICC profile is one for RGB and the samples are grey: it is left out",)
    assert capfd.readouterr() == ("", "")
