"""Unusual images through encode, decode, Pillow and compare: those of folders, or ones made to be odd.

    python -m benchmarks.oddities FOLDER... > benchmarks/results/pngsuite.tsv
    python -m benchmarks.oddities --made > benchmarks/results/oddities.tsv

One row for each file, with four outcomes and the messages that a user sees:

    coded      encode and decode: "coded" where size, channels, depth, metadata and all samples of alpha are preserved,
               also when the decoded image is written as PNG and read back; or "refused"
    opened     Image.open on the .fnc file: "opened" where size, metadata and pixels are those of decode, in 8 bits
               where Pillow has no deeper mode
    saved      Image.open on the image and Image.save as .fnc: "saved" where the file opens in the same size
    compared   compare: PSNR of the file and of the JPEG of as many bytes; the page is made as well

The exit status is 1 where any outcome is wrong.
"""

import io
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import fourcodec
from benchmarks.tables import show
from fourcodec import codec, images
from fourcodec.comparison.measuring import compare
from fourcodec.comparison.page import page
from fourcodec.comparison.table import decibels
from fourcodec.errors import FourcodecError, one_line
from fourcodec.images import Picture
from tests.support.oddities import make_all

ITERATIONS = 60
# The smallest network and one iteration: here only the success of Image.save counts, not its quality.
SAVING: dict[str, Any] = {"width": 1, "depth": 1, "iterations": 1, "device": "cpu"}
NOTHING = "-"
WRONG = "wrong"


@dataclass
class Outcome:
    """The outcomes for one file, and the messages about it."""

    coded: str = "refused"
    opened: str = NOTHING
    saved: str = NOTHING
    compared: str = NOTHING
    reasons: list[str] = field(default_factory=list)

    @property
    def is_wrong(self) -> bool:
        return WRONG in (self.coded, self.opened, self.saved, self.compared)


def outcome(path: Path) -> Outcome:
    found = Outcome()
    try:
        picture = images.load(path)
    except FourcodecError as exc:
        found.reasons.append(str(exc))
    else:
        encoded = codec.encode(picture, iterations=ITERATIONS, quality=90, device="cpu")
        _code(picture, encoded, found)
        _open(encoded.data, found)
        _compare(picture, encoded.data, path.name, found)
    _save(path, found)
    return found


def _code(picture: Picture, encoded: codec.Encoded, found: Outcome) -> None:
    pixels, metadata = codec.decode(encoded.data), codec.read_metadata(encoded.data)
    png, png_notes = images.write(pixels, "png", metadata)
    back = images.read(images.write(pixels, "png")[0] if png_notes else png)
    alpha = encoded.channels in (2, 4)
    kept = {
        "shape": pixels.shape == picture.pixels.shape,
        "depth": pixels.dtype == picture.pixels.dtype,
        "alpha": not alpha or np.array_equal(pixels[..., -1], picture.pixels[..., -1]),
        "metadata": metadata == picture.metadata and (bool(png_notes) or back.metadata == metadata),
        "PNG": np.array_equal(back.pixels, pixels),
    }
    found.coded = _all(kept, "coded", found)
    kind = ("grey", "grey and alpha", "RGB", "RGBA")[encoded.channels - 1]
    facts = [f"{kind}, {encoded.bit_depth} bits", f"{encoded.size_bytes} bytes"]
    facts += [f"{name} {size_bytes} bytes" for name, size_bytes in encoded.metadata_bytes.items()]
    found.reasons += [*facts, *picture.notes, *png_notes]


def _open(data: bytes, found: Outcome) -> None:
    pixels, metadata = codec.decode(data), codec.read_metadata(data)
    deep = pixels.dtype == np.uint16 and pixels.ndim == 3
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
    with Image.open(io.BytesIO(data)) as image:
        described = {name: image.info.get(name, b"") for name in ("icc_profile", "exif", "xmp")}
        loaded = np.asarray(image)
    kept = {
        "size": image.size == pixels.shape[1::-1],
        "pixels": np.array_equal(loaded, images.to_eight_bits(pixels) if deep else pixels),
        "metadata in Pillow": described["icc_profile"] == metadata.icc
        and described["exif"].removeprefix(b"Exif\0\0") == metadata.exif
        and described["xmp"] == metadata.xmp,
    }
    found.opened = _all(kept, "opened", found)
    if deep:
        found.reasons.append("Pillow opens it in 8 bits")


def _compare(picture: Picture, data: bytes, name: str, found: Outcome) -> None:
    comparison = compare(picture, data)
    if "<!doctype html>" not in page(comparison, data, name, "coded.fnc"):
        found.compared = WRONG
        return
    reason = next((one.reason for one in comparison.without if one.codec == "jpeg"), "")
    if reason:
        theirs = reason.replace("JPEG's smallest file of this picture has", "JPEG needs")
    else:
        (jpeg,) = (peer for peer in comparison.peers if peer.file.codec == "jpeg")
        theirs = f"JPEG {decibels(jpeg.near.psnr_db)}"
    found.compared = f"{decibels(comparison.ours.psnr_db)}, {theirs}"


def _save(path: Path, found: Outcome) -> None:
    """Saves through Pillow, which has only the first of several frames, and 8 bits of 16-bit colour."""
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                image.save(buffer, "FNC", **SAVING)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        found.saved = "refused"
        found.reasons.append(f"Pillow: {one_line(exc)}".replace(str(path), path.name))
        return
    sides = sorted(image.size)  # EXIF orientation may exchange them
    with Image.open(buffer) as saved:
        found.saved = _all({"size in Pillow": sorted(saved.size) == sides}, "saved", found)


def _all(kept: dict[str, bool], good: str, found: Outcome) -> str:
    found.reasons += [f"not kept: {name}" for name, same in kept.items() if not same]
    return good if all(kept.values()) else WRONG


def pictures(folders: list[str]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in {".png", *SUFFIXES})


SUFFIXES = (".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".tga", ".qoi")


def main(arguments: list[str]) -> int:
    fourcodec.register()
    with tempfile.TemporaryDirectory() as made:
        folders = arguments
        if arguments == ["--made"]:
            make_all(Path(made))
            folders = [made]
        wrong = 0
        show("file", "encode, decode", "Pillow opens it", "Pillow saves it", "compare", "reason")
        for path in pictures(folders):
            found = outcome(path)
            wrong += found.is_wrong
            reasons = "; ".join(dict.fromkeys(found.reasons))
            show(path.name, found.coded, found.opened, found.saved, found.compared, reasons)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
