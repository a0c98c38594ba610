"""Sound files are read, or named as what they are."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from fourcodec import images
from fourcodec.errors import ImageError
from tests.golden.make import FOLDER

PIXELS = np.random.default_rng(0).integers(0, 256, (37, 51, 3), np.uint8)
TEXT = "x" * (3 << 20)


def png(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text, zip=True)
    return images.saved(Image.fromarray(PIXELS), "png", pnginfo=info)


def test_texts_of_a_png_are_no_reason_to_refuse_it() -> None:
    assert np.array_equal(images.read(png(Comment=TEXT)).pixels, PIXELS)


def test_metadata_that_are_texts_stay() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "<x/>")
    info.add_itxt("Comment", TEXT, zip=True)
    picture = images.read(images.saved(Image.fromarray(PIXELS), "png", pnginfo=info))
    assert picture.metadata.xmp == b"<x/>"


def test_a_text_with_a_wrong_checksum_is_damage() -> None:
    data = bytearray(png(Comment="abc"))
    data[data.index(b"zTXt") + 20] ^= 1
    with pytest.raises(ImageError, match="damaged"):
        images.read(bytes(data))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("shape", [(37, 51, 3), (40, 56), (16, 16, 3)])
def test_a_jpeg_that_lacks_only_its_end_is_read(shape: tuple[int, ...], progressive: bool) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    whole = images.saved(Image.fromarray(pixels), "jpeg", quality=90, progressive=progressive)
    for data in (whole[:-2], whole[:-1]):
        picture = images.read(data)
        assert np.array_equal(picture.pixels, images.read(whole).pixels)
        assert picture.notes == ("the JPEG file lacks its end marker; its pixels are all there",)
    for lacking in (5, 9, 30, len(whole) // 2):
        with pytest.raises(ImageError, match="the picture is damaged"):
            images.read(whole[:-lacking])


def icon(kind: int) -> bytes:
    """A 128-pixel icon whose entry Pillow takes for the header of a TGA file."""
    size = 128 * 128 * 4 + 40 + 128 * 16
    entry = struct.pack("<4B2H2I", 128, 128, 0, 0, 1, 32, size, 22)
    return struct.pack("<3H", 0, kind, 1) + entry + struct.pack("<I2i2H", 40, 128, 256, 1, 32) + bytes(size - 16)


UNSUPPORTED = {
    "an icon (ICO)": icon(1),
    "a cursor (CUR)": icon(2),
    "a JPEG file with 12-bit samples": imagecodecs.jpeg_encode(
        np.random.default_rng(0).integers(0, 4096, (16, 16), np.uint16), bitspersample=12
    ),
    "a HEIC file": b"\0\0\0\x18ftypheic" + bytes(50),
    "a JPEG XL file": b"\xff\x0a" + bytes(50),
    "a Photoshop file": b"8BPS\0\1" + bytes(50),
    "a JPEG-LS file": imagecodecs.jpegls_encode(PIXELS),
    "a lossless JPEG file": imagecodecs.ljpeg_encode(PIXELS[..., 0].copy()),
    "a Radiance file": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n" + bytes(4),
    "a PFM or PAM file": b"PF\n2 2\n-1.0\n" + bytes(48),
    "a .fnc file": (FOLDER / "fnet-rgba.fnc").read_bytes(),
}


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_what_is_not_supported_is_not_called_damaged(kind: str) -> None:
    with pytest.raises(ImageError) as caught:
        images.read(UNSUPPORTED[kind])
    assert str(caught.value).startswith(f"{kind}, which is not supported; pictures are PNG, ")


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_tga_files_are_no_icons(mode: str) -> None:
    data = images.saved(Image.fromarray(PIXELS).convert(mode), "TGA")
    assert images.read(data).pixels.shape[:2] == (37, 51)


def test_an_avif_file_is_no_heic_file() -> None:
    data = images.saved(Image.fromarray(PIXELS), "AVIF")
    assert images.read(data[:8] + b"mif1" + data[12:]).pixels.shape == (37, 51, 3)


def test_a_png_that_ends_in_a_chunk_is_still_damaged() -> None:
    whole = png(Comment="abc")
    for end in (7, 20, 40, len(whole) - 20):
        with pytest.raises(ImageError):
            images.read(whole[:end])


def test_a_sound_tiff_of_floats_is_not_called_no_picture() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, PIXELS.astype(np.float32), photometric="rgb")
    with pytest.raises(ImageError, match="a TIFF file of a kind that is not supported"):
        images.read(buffer.getvalue())


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(ImageError, match="the file is empty"):
        images.read(b"")
