"""Density of a picture that Pillow has opened: the pixels per length at which it is printed or was scanned."""

from __future__ import annotations

from typing import Any

from PIL import Image

from fourcodec.bitstream.metadata import MAX_DENSITY, METRES, PER_CENTIMETRE, PER_INCH, PER_METRE, write_density

_TIFF_ACROSS, _TIFF_DOWN, _TIFF_UNIT = 282, 283, 296
_TIFF_UNITS = {2: PER_INCH, 3: PER_CENTIMETRE}
_JFIF_UNITS = {1: PER_INCH, 2: PER_CENTIMETRE}


def density_of(image: Image.Image) -> bytes:
    """The density of a picture that Pillow has opened, as bitstream.metadata.write_density; empty where it has none.

    It is kept in the picture's own unit, or per metre where it is no whole number in that.
    """
    try:
        unit, across, down = _found(image)
        if across != int(across) or down != int(down):
            across, down, unit = across / METRES[unit], down / METRES[unit], PER_METRE
        pair = round(across), round(down)
    except (KeyError, TypeError, ValueError, ArithmeticError):  # none, or a damaged one
        return b""
    return write_density(unit, *pair) if 1 <= min(pair) <= max(pair) <= MAX_DENSITY else b""


def shape_of_pixels(image: Image.Image) -> str:
    """A note for the user on pixels that are not square, where the file states their shape and no density."""
    info: dict[Any, Any] = image.info
    across, down = info.get("aspect", info.get("jfif_density", (1, 1)) if info.get("jfif_unit") == 0 else (1, 1))
    if image.format == "TIFF" and (tags := image.tag_v2).get(_TIFF_UNIT) == 1:  # type: ignore[attr-defined]
        across, down = tags.get(_TIFF_ACROSS, 1), tags.get(_TIFF_DOWN, 1)
    if not across or not down or across == down:
        return ""
    return f"the pixels are not square ({across} to {down}), which is not kept"


def _found(image: Image.Image) -> tuple[int, float, float]:
    """Unit and numbers. Raises KeyError and the like where there are none."""
    info: dict[Any, Any] = image.info
    if "jfif_unit" in info:
        return (_JFIF_UNITS[info["jfif_unit"]], *info["jfif_density"])
    if image.format == "TIFF":
        tags: Any = image.tag_v2  # type: ignore[attr-defined]
        return _TIFF_UNITS[tags.get(_TIFF_UNIT, 2)], float(tags[_TIFF_ACROSS]), float(tags[_TIFF_DOWN])
    across, down = map(float, info["dpi"])
    if image.format in ("PNG", "BMP"):  # Pillow has made inches of whole numbers per metre
        return PER_METRE, round(across / METRES[PER_INCH]), round(down / METRES[PER_INCH])
    return PER_INCH, across, down
