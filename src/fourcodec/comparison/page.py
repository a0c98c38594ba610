"""The HTML page of a comparison: pictures under a slider, zoom, error maps and a table. It needs no other file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

import numpy as np
import numpy.typing as npt
from PIL import Image

from fourcodec import web
from fourcodec.arrays import Samples
from fourcodec.comparison import error_map
from fourcodec.comparison.common_format import to_depth, without_alpha
from fourcodec.comparison.measuring import Comparison, remarks, verdict
from fourcodec.comparison.peers import NAMES
from fourcodec.comparison.table import heading, rows
from fourcodec.fnc import File
from fourcodec.images import has_alpha, saved, to_eight_bits
from fourcodec.images.colour import is_rgb_profile
from fourcodec.web.pages import POLICY, Shown, decoder, element

# The page shows the middle of a larger picture at full size: reducing the picture would hide coding errors.
SHOWN_PIXELS = 1 << 24
_WEBP_SIDE = 16383  # pixels, the format's limit
_SCALE_STOPS = 16  # colours of the CSS gradient that shows the palette

Box = tuple[slice, slice]


@dataclass(frozen=True)
class Layer:
    """One picture under the slider: lossless WebP, or the .fnc file itself."""

    key: str
    name: str
    content: bytes | Shown
    is_error: bool = False


def page(comparison: Comparison, data: bytes, picture_name: str, file_name: str) -> str:
    """The whole HTML page; data is the .fnc file, and the names of the two files appear in its title.

    The file itself is in the page, and decoded there, where the page can show it among the other pictures: whole, in
    sRGB and opaque.
    """
    box = _middle(comparison.height, comparison.width)
    height, width = (part.stop - part.start for part in box)
    whole = (height, width) == (comparison.height, comparison.width)
    own = _shown(comparison, data, file_name) if whole else None
    notes = remarks(comparison)
    if not whole:
        notes.append(f"The middle {width} x {height} pixels are shown; the numbers are of the whole picture.")
    maps = _error_maps(comparison, box)
    top = error_map.common_scale([errors for _, _, errors in maps])
    colours = error_map.palette()
    drawn = ((key, name, colours[error_map.palette_indices(errors, top)]) for key, name, errors in maps)
    shown = [
        *_pictures(comparison, box, own),
        *(Layer(key, name, _webp(pixels, b""), is_error=True) for key, name, pixels in drawn),
    ]
    presets = _presets({layer.key for layer in shown})
    left, right = next(iter(presets.values()))
    sides = {left: "left", right: "right"}
    facts = f"{comparison.width} x {comparison.height} pixels, {comparison.kind}, {comparison.bit_depth} bits"
    return Template(web.asset(__package__, "page.html")).substitute(
        policy=POLICY,
        title=escape(f"{picture_name} and {file_name}"),
        verdict=escape(verdict(comparison)),
        facts=facts,
        width=width,
        height=height,
        presets=_buttons(presets),
        layers="".join(_layer(layer, sides.get(layer.key, ""), width, height) for layer in shown),
        left=_options(shown, left),
        right=_options(shown, right),
        stops=_stops(),
        top=f"{top}" if top == 255 else f"{top} and more",
        table=_table(comparison),
        remarks="\n".join(f'<p class="remark">{escape(note)}</p>' for note in notes),
        style=web.base_style() + web.asset(__package__, "page.css"),
        decoder="" if own is None else decoder([own]),
        script=web.asset(__package__, "page.js"),
    )


def _shown(comparison: Comparison, data: bytes, name: str) -> Shown | None:
    """The .fnc file as the page decodes it; None where that would not look like the pictures beside it."""
    if comparison.icc or has_alpha(comparison.copy):
        return None
    return Shown(name, data, File(data).header)


def _pictures(comparison: Comparison, box: Box, own: Shown | None) -> list[Layer]:
    shown = [
        Layer("original", "original", _webp(without_alpha(comparison.original[box]), comparison.icc)),
        Layer("ours", "fourcodec", own or _webp(without_alpha(comparison.copy[box]), comparison.icc)),
    ]
    for peer in comparison.peers:
        shown.append(Layer(peer.file.codec, peer.name, _webp(peer.file.pixels[box], comparison.icc)))
    return shown


def _error_maps(comparison: Comparison, box: Box) -> list[tuple[str, str, npt.NDArray[np.float32]]]:
    """Key, name and errors (H, W) of each map."""
    seen = without_alpha(comparison.original[box])
    maps = [("our-error", "error of fourcodec", error_map.pixel_errors(seen, without_alpha(comparison.copy[box])))]
    for peer in comparison.peers:
        theirs = to_depth(peer.file.pixels[box], seen.dtype)
        maps.append((f"{peer.file.codec}-error", f"error of {peer.name}", error_map.pixel_errors(seen, theirs)))
    return maps


def _presets(keys: set[str]) -> dict[str, tuple[str, str]]:
    """The pairs of layers, left and right, that have a button; the first pair is shown when the page opens."""
    first = next((codec for codec in NAMES if f"{codec}-error" in keys), "")
    pairs = {
        **{f"fourcodec | {name}": ("ours", codec) for codec, name in NAMES.items()},
        "original | fourcodec": ("original", "ours"),
        "errors": ("our-error", f"{first}-error" if first else "original"),
    }
    return {name: pair for name, pair in pairs.items() if keys.issuperset(pair)}


def _middle(height: int, width: int) -> Box:
    """The middle part that is shown: in the picture's proportions, within SHOWN_PIXELS and WebP's largest side."""
    share = min(1.0, (SHOWN_PIXELS / (height * width)) ** 0.5)
    rows, columns = (max(1, min(int(side * share), _WEBP_SIDE)) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    return slice(top, top + rows), slice(left, left + columns)


def _webp(pixels: Samples, icc: bytes) -> bytes:
    """A lossless WebP file of 8 bits: smaller than PNG, and every browser reads it."""
    if pixels.dtype == np.uint16:
        pixels = to_eight_bits(pixels)
    profile = icc if pixels.ndim == 3 and is_rgb_profile(icc) else b""  # WebP is always RGB
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return saved(image, "WEBP", lossless=True, quality=50, method=3, icc_profile=profile)


def _layer(layer: Layer, side: str, width: int, height: int) -> str:
    """The HTML of one layer. Each picture is in the page once; the script moves it between sides by its classes."""
    picture = (
        element(layer.content)
        if isinstance(layer.content, Shown)
        else f'<img alt="{layer.name}" width="{width}" height="{height}" draggable="false" '
        f'src="{web.data_uri("image/webp", layer.content)}">'
    )
    return (
        f'<div class="layer {side}" data-key="{layer.key}" data-name="{layer.name}" '
        f'data-error="{int(layer.is_error)}">{picture}</div>\n'
    )


def _options(shown: Sequence[Layer], chosen: str) -> str:
    return "".join(
        f'<option value="{layer.key}"{" selected" * (layer.key == chosen)}>{layer.name}</option>' for layer in shown
    )


def _buttons(presets: Mapping[str, tuple[str, str]]) -> str:
    return "".join(
        f'<button type="button" data-sides="{escape(json.dumps(sides))}">{escape(name)}</button>\n'
        for name, sides in presets.items()
    )


def _stops() -> str:
    """The palette as the stops of a CSS gradient."""
    places = np.linspace(0, error_map.COLOURS - 1, _SCALE_STOPS).round().astype(int)
    colours = error_map.palette()[places].tolist()
    return ", ".join(f"rgb({red} {green} {blue})" for red, green, blue in colours)


def _table(comparison: Comparison) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in ("measure", *heading(comparison)))
    body = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row.cells)
        + "</tr>"
        for row in rows(comparison)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
