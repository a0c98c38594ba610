"""Colour that a picture file states by numbers, without an ICC profile: what of it differs from sRGB is noted.

    PNG         cICP, or gAMA and cHRM (third edition, 11.3.2)
    AVIF        the nclx form of the box colr (ISO/IEC 14496-12, 12.1.5)
    TIFF        TransferFunction, WhitePoint, PrimaryChromaticities (6.0, section 20)
    BMP         the calibrated and linked colour spaces of headers V4 and V5
    JPEG 2000   an enumerated colour space that is not sRGB, or an ICC profile (ITU-T T.800, I.5.3.3)

WebP, GIF and PPM state none. QOI's byte for linear samples means nothing: Pillow sets it in every file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image

_UNKNOWN, _BT_709, _SRGB = 2, 1, 13  # code points of ITU-T H.273
_USUAL_TRANSFERS = (_BT_709, _UNKNOWN, 6, _SRGB)  # viewers show those of video as sRGB
_GAMMA, _GAMMA_SLACK = 0.45455, 0.005
_CHROMATICITIES, _CHROMATICITY_SLACK = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06), 0.002
_TIFF_TAGS = {301: "TransferFunction", 318: "WhitePoint", 319: "PrimaryChromaticities"}
_PNG_SIGNATURE_BYTES = 8
_APP2, _START_OF_SCAN, _ICC_PREFIX = 0xE2, 0xDA, b"ICC_PROFILE\0"  # JPEG
_BMP_SPACE_AT, _BMP_GAMMA_AT, _BMP_V4_BYTES = 14 + 56, 14 + 96, 108
_JPEG_2000_USUAL = (16, 17, 18)  # sRGB, grey, sYCC


def remarks(image: Image.Image, data: bytes, has_profile: bool) -> list[str]:
    """A note for the user on colour that is not kept; none where samples are sRGB, or not said to be anything else.

    An ICC profile goes before all of these but cICP. `data` are the bytes of the file. Damaged statements are none.
    """
    stated = (image.format == "PNG" and b"iCCP" in _png_chunks(data)) or _has_jpeg_profile(image, data)
    if stated and not image.info.get("icc_profile"):
        return ["the ICC profile is damaged and left out: colours may look different"]
    readers = {"PNG": _png, "AVIF": _avif, "TIFF": _tiff, "BMP": _bmp, "JPEG2000": _jpeg_2000}
    if image.format not in readers:
        return []
    try:
        found = list(readers[image.format](image, data))
    except (struct.error, ValueError, TypeError, IndexError):
        return []
    return [
        f"the file's colours are not sRGB ({what}), which is not kept: they will look different"
        for what in found
        if not has_profile or what.startswith("cICP")
    ][:1]


def _has_jpeg_profile(image: Image.Image, data: bytes) -> bool:
    """True where a JPEG file has a part of an ICC profile in front of its pixels."""
    at = 2
    while (
        image.format in ("JPEG", "MPO") and at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _START_OF_SCAN
    ):
        if data[at + 1] == _APP2 and data.startswith(_ICC_PREFIX, at + 4):
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _png(image: Image.Image, data: bytes) -> Iterator[str]:
    chunks = _png_chunks(data)
    if b"cICP" in chunks:
        primaries, transfer, *_ = chunks[b"cICP"]
        if (primaries, transfer) != (_BT_709, _SRGB):
            yield f"cICP: primaries {primaries}, transfer {transfer}"
        elif chunks[b"cICP"][3:] == b"\0":
            yield "cICP: samples of a narrow range"
        return
    if b"sRGB" in chunks:
        return
    if b"gAMA" in chunks:
        gamma = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000
        if abs(gamma - _GAMMA) > _GAMMA_SLACK:
            yield f"gAMA: {gamma:g}"
    if b"cHRM" in chunks:
        values = [value / 100_000 for value in struct.unpack(">8I", chunks[b"cHRM"])]
        if any(abs(a - b) > _CHROMATICITY_SLACK for a, b in zip(values, _CHROMATICITIES, strict=True)):
            yield "cHRM: " + " ".join(f"{value:g}" for value in values)


def _png_chunks(data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each name before the pixels."""
    found: dict[bytes, bytes] = {}
    at = _PNG_SIGNATURE_BYTES
    while at + 8 <= len(data) and (name := data[at + 4 : at + 8]) != b"IDAT":
        size = int.from_bytes(data[at : at + 4], "big")
        found.setdefault(name, data[at + 8 : at + 8 + min(size, 64)])
        at += size + 12
    return found


def _avif(image: Image.Image, data: bytes) -> Iterator[str]:
    at = data.find(b"colrnclx")
    if at < 0:
        return
    primaries, transfer = struct.unpack_from(">HH", data, at + 8)
    if primaries not in (_BT_709, _UNKNOWN) or transfer not in _USUAL_TRANSFERS:
        yield f"nclx: primaries {primaries}, transfer {transfer}"


def _tiff(image: Any, data: bytes) -> Iterator[str]:
    names = [name for tag, name in _TIFF_TAGS.items() if tag in image.tag_v2]
    if names:
        yield ", ".join(names)


def _bmp(image: Image.Image, data: bytes) -> Iterator[str]:
    if struct.unpack_from("<I", data, 14)[0] < _BMP_V4_BYTES:
        return
    space = data[_BMP_SPACE_AT : _BMP_SPACE_AT + 4]
    if space == bytes(4) and any(struct.unpack_from("<3I", data, _BMP_GAMMA_AT)):
        yield "calibrated RGB"
    if space in (b"KNIL", b"DEBM"):
        yield "a linked or embedded profile"


def _jpeg_2000(image: Image.Image, data: bytes) -> Iterator[str]:
    at = data.find(b"colr")
    if at >= 0 and data[at + 4] == 1:
        (space,) = struct.unpack_from(">I", data, at + 7)
        if space not in _JPEG_2000_USUAL:
            yield f"enumerated colour space {space}"
    elif at >= 0 and data[at + 4] in (2, 3):
        yield "an ICC profile in a JPEG 2000 file"
