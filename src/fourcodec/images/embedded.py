"""Metadata of a picture that Pillow has opened: ICC profile, EXIF and XMP as a .fnc file keeps them, and
orientation."""

from __future__ import annotations

from typing import Any

from PIL import ExifTags, Image

from fourcodec.bitstream.metadata import Metadata
from fourcodec.images import orientation
from fourcodec.images.density import density_of, shape_of_pixels

EXIF_PREFIX = b"Exif\0\0"  # the start of JPEG's EXIF segment, before the TIFF structure
_TIFF_TAGS = (  # the tags of a TIFF directory that describe the picture and not its storage
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
_EXTENDED_XMP = b"HasExtendedXMP"  # of JPEG's segment, XMP specification part 3, 1.1.3.1
_TIFF_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
# Parsers of metadata raise many kinds of errors for damaged files. None of them is a reason to refuse the pixels.
_ERRORS = (Exception,)


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where there is none or EXIF is damaged."""
    try:
        value = image.getexif().get(orientation.TAG, orientation.UPRIGHT)
    except _ERRORS:
        return orientation.UPRIGHT
    return value if isinstance(value, int) and value in orientation.TURNS else orientation.UPRIGHT


def metadata_of(image: Image.Image, notes: list[str]) -> Metadata:
    """The metadata of a loaded image, with the orientation reset to upright. Appends to `notes` what cannot be kept.

    Raises LimitError for a document above metadata.MAX_BYTES.
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
    xmp = orientation.reset_xmp(xmp.rstrip(b"\0"))
    if _EXTENDED_XMP in xmp:
        notes.append("the XMP has a second part, which is left out")
    if shape := shape_of_pixels(image):
        notes.append(shape)
    return Metadata(image.info.get("icc_profile") or b"", exif, xmp, density_of(image))


def _exif(image: Image.Image, notes: list[str]) -> bytes:
    if stored := image.info.get("exif"):
        return bytes(stored).removeprefix(EXIF_PREFIX)
    try:
        directory = image.getexif()
        if image.format == "TIFF":
            return _tiff_exif(directory)
        return directory.tobytes().removeprefix(EXIF_PREFIX) if len(directory) else b""
    except _ERRORS as exc:
        notes.append(f"the EXIF data are left out: {type(exc).__name__}: {exc}")
        return b""


def _tiff_exif(directory: Image.Exif) -> bytes:
    """An EXIF structure of those tags of a TIFF file that describe the picture; empty where there are none."""
    exif = Image.Exif()
    tags: dict[int, Any] = {tag: directory[tag] for tag in _TIFF_TAGS if tag in directory}
    directories: dict[int, dict[int, Any]] = {number: directory.get_ifd(number) for number in _TIFF_DIRECTORIES}
    exif.update(tags)
    for number, values in directories.items():
        exif.get_ifd(number).update(values)
    return exif.tobytes().removeprefix(EXIF_PREFIX) if tags or any(directories.values()) else b""
