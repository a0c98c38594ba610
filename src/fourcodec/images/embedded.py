"""What an opened picture says about itself: ICC profile, EXIF and XMP as they are kept, and its orientation."""

from __future__ import annotations

from typing import Any

from PIL import ExifTags, Image

from fourcodec.bitstream.metadata import Metadata
from fourcodec.images import orientation

EXIF_PREFIX = b"Exif\0\0"  # of JPEG's segment, behind which the TIFF structure begins
_TIFF_TAGS = (  # of a TIFF file's directory, those that are about the picture and not about its storage
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.XResolution,
    ExifTags.Base.YResolution,
    ExifTags.Base.ResolutionUnit,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
_TIFF_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
# Metadata are read by parsers that stumble over damage in many ways; none of it is a reason to refuse the pixels.
_ERRORS = (Exception,)


def orientation_of(image: Image.Image) -> int:
    """1 to 8; 1 where there is none or EXIF is damaged."""
    try:
        value = image.getexif().get(orientation.TAG, orientation.UPRIGHT)
    except _ERRORS:
        return orientation.UPRIGHT
    return value if isinstance(value, int) and value in orientation.TURNS else orientation.UPRIGHT


def metadata_of(image: Image.Image, notes: list[str]) -> Metadata:
    """The metadata of a loaded image, for the picture turned upright. Adds to the notes what cannot be kept.

    Raises LimitError for what is too large.
    """
    exif = _exif(image, notes)
    if exif:
        try:
            exif = orientation.reset_exif(exif)
        except ValueError as exc:
            notes.append(f"the EXIF data are left out: {exc}")
            exif = b""
    xmp = image.info.get("xmp") or b""
    xmp = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
    return Metadata(image.info.get("icc_profile") or b"", exif, orientation.reset_xmp(xmp.rstrip(b"\0")))


def _exif(image: Image.Image, notes: list[str]) -> bytes:
    if stored := image.info.get("exif"):
        return bytes(stored).removeprefix(EXIF_PREFIX)
    try:
        directory = image.getexif()
        if image.format == "TIFF":
            return _about_the_picture(directory)
        return directory.tobytes().removeprefix(EXIF_PREFIX) if len(directory) else b""
    except _ERRORS as exc:
        notes.append(f"the EXIF data are left out: {type(exc).__name__}: {exc}")
        return b""


def _about_the_picture(directory: Image.Exif) -> bytes:
    """What of a TIFF file's own directory is kept as EXIF."""
    exif = Image.Exif()
    tags = {tag: directory[tag] for tag in _TIFF_TAGS if tag in directory}
    directories: dict[int, dict[int, Any]] = {number: directory.get_ifd(number) for number in _TIFF_DIRECTORIES}
    for tag, value in tags.items():
        exif[tag] = value
    for number, values in directories.items():
        exif.get_ifd(number).update(values)
    return exif.tobytes().removeprefix(EXIF_PREFIX) if tags or any(directories.values()) else b""
