"""Conversion of other colour spaces to RGB, through the picture's ICC profile where it has one."""

from __future__ import annotations

import io

from PIL import Image

CONVERTED_MODES = ("CMYK", "YCbCr", "LAB", "HSV", "RGBX")
_SPACE = slice(16, 20)  # bytes of an ICC profile: the colour space of its data (ICC.1:2022, section 7.2.8)
_NAMES = {b"GRAY": "grey", b"RGB ": "RGB"}
_SPACES = {"CMYK": b"CMYK", "LAB": b"Lab "}


def to_rgb(image: Image.Image, icc: bytes, notes: list[str]) -> tuple[Image.Image, bytes]:
    """An image of one of CONVERTED_MODES as RGB, and the ICC profile of the result (empty for sRGB).

    CMYK and LAB are converted to sRGB through their profile: relative colorimetric with black point compensation, as
    printing programs do. YCbCr, HSV and RGBX are other encodings of RGB, so the picture's profile stays valid. Appends
    to `notes` how the colours were converted.
    """
    if image.mode not in _SPACES:
        return image.convert("RGB"), icc
    from PIL import ImageCms  # imported here, since `info` and `decode` import this module

    try:
        converted = _through_profile(image, icc)
    except (ImageCms.PyCMSError, OSError, ValueError) as exc:
        notes.append(f"the profile of the {image.mode} picture cannot be used ({exc}): colours are approximate")
        return image.convert("RGB"), b""
    if converted is None:
        notes.append(f"the {image.mode} picture has no {image.mode} profile: colours are approximate")
        return image.convert("RGB"), b""
    notes.append(f"{image.mode} is converted to sRGB through its profile")
    return converted, b""


def fitting_profile(icc: bytes, channels: int, notes: list[str]) -> bytes:
    """The profile if it is one for samples of 1 (grey) or 3 channels (RGB), alpha not counted; otherwise empty bytes,
    with a note appended to `notes`."""
    if not icc or icc[_SPACE] == (b"GRAY" if channels == 1 else b"RGB "):
        return icc
    kind = _NAMES.get(icc[_SPACE], icc[_SPACE].decode("latin-1").strip()) or "nothing"
    samples = "grey" if channels == 1 else "RGB"
    notes.append(f"the ICC profile is one for {kind} and the samples are {samples}: it is left out")
    return b""


def is_rgb_profile(icc: bytes) -> bool:
    """True where the ICC profile describes RGB samples."""
    return icc[_SPACE] == b"RGB "


def _through_profile(image: Image.Image, icc: bytes) -> Image.Image | None:
    """The image in sRGB; None where the picture has no profile for its colour space."""
    from PIL import ImageCms

    if image.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    elif icc[_SPACE] == _SPACES[image.mode]:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    else:
        return None
    return ImageCms.profileToProfile(
        image,
        source,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
