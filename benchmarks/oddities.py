"""Every picture of the folders given, and the oddities of real life, through encode and decode: what came of each.

    python -m benchmarks.oddities FOLDER... > benchmarks/results/pngsuite.tsv
    python -m benchmarks.oddities --made > benchmarks/results/oddities.tsv

A picture is coded in a few steps, decoded, written as PNG and read back. `outcome` is "coded" where size, channels,
depth, metadata and, sample by sample, alpha are what they were, or "refused", with the reason that a user is shown.
Exit status 1 where anything else happened.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tests.images.oddities import make_all

from fourcodec import codec, images
from fourcodec.errors import FourcodecError

STEPS = 60


def outcome(path: Path) -> tuple[str, str]:
    """(coded, refused or wrong; what a person wants to know about it)."""
    try:
        picture = images.load(path)
    except FourcodecError as exc:
        return "refused", str(exc)
    encoded = codec.encode(picture, iterations=STEPS, quality=90, device="cpu")
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
    if not all(kept.values()):
        return "wrong", ", ".join(name for name, same in kept.items() if not same)
    kind = ("grey", "grey and alpha", "RGB", "RGBA")[encoded.channels - 1]
    psnr = "exact" if encoded.psnr_db is None else f"{encoded.psnr_db:.1f} dB"
    facts = [f"{kind}, {encoded.bit_depth} bits", f"{encoded.size_bytes} bytes", psnr]
    facts += [f"{name} {size_bytes} bytes" for name, size_bytes in encoded.metadata_bytes.items()]
    return "coded", "; ".join([*facts, *picture.notes, *png_notes])


def pictures(folders: list[str]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in {".png", *SUFFIXES})


SUFFIXES = (".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".tga", ".qoi")


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as made:
        folders = arguments
        if arguments == ["--made"]:
            make_all(Path(made))
            folders = [made]
        wrong = 0
        print("file\toutcome\treason")
        for path in pictures(folders):
            what, why = outcome(path)
            wrong += what == "wrong"
            print(path.name, what, why, sep="\t", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
