"""A photograph as a fourcodec file and as a JPEG of at most as many bytes, side by side.

    python -m examples.demo [FOLDER]     (or: make demo)

Writes into FOLDER (default: demo) the original, the fourcodec file, the image decoded from it, the JPEG, and
comparison.png.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import skimage.data
from PIL import Image, ImageDraw, ImageFont

import fourcodec
from fourcodec import files, images, metrics
from fourcodec.bench.baselines import BASELINES, decode, make
from fourcodec.bench.matching import PeerFiles, best_within
from fourcodec.cli.options import ProgressLine

QUALITY, EFFORT = 40, 3
MARGIN = 12  # pixels around the images of the comparison
LABEL_HEIGHT = 54

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Panel:
    """An image of the comparison and its label."""

    title: str
    size_bytes: int
    psnr_db: float | None
    pixels: Pixels

    @property
    def numbers(self) -> str:
        quality = "" if self.psnr_db is None else f", PSNR {self.psnr_db:.2f} dB"
        return f"{self.size_bytes} bytes{quality}"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    original: Pixels = skimage.data.coffee()  # (400, 600, 3); ships with scikit-image
    original_png = images.to_png(original)
    panels = [Panel("original (PNG)", len(original_png), None, original)]
    files.write(folder / "original.png", original_png, overwrite=True)

    panels.append(ours(original, folder))
    panels.append(jpeg(original, folder, panels[-1].size_bytes))
    files.write(folder / "comparison.png", images.to_png(side_by_side(panels)), overwrite=True)

    for panel in panels:
        print(f"{panel.title:44}{panel.numbers}")
    print(f"see {folder / 'comparison.png'}")


def ours(original: Pixels, folder: Path) -> Panel:
    """Encodes the original, writes the file, and decodes what was written."""
    with ProgressLine() as line:
        progress = line if sys.stderr.isatty() else None
        encoded = fourcodec.encode(original, quality=QUALITY, effort=EFFORT, progress=progress)
    files.write(folder / "ours.fnc", encoded.data, overwrite=True)
    copy = fourcodec.decode((folder / "ours.fnc").read_bytes())
    files.write(folder / "ours.png", images.to_png(copy), overwrite=True)
    print(f"encoded in {encoded.encode_seconds:.1f} s, decoded in {encoded.decode_seconds:.2f} s")
    title = f"fourcodec -q {QUALITY}"
    return Panel(title, encoded.size_bytes, metrics.psnr_db(original, copy), copy)


def jpeg(original: Pixels, folder: Path, size_bytes: int) -> Panel:
    """The JPEG of highest PSNR of at most `size_bytes`, over all qualities, subsamplings and scan modes."""
    peer = PeerFiles(original, BASELINES["jpeg"])
    best = best_within(peer, size_bytes)
    if best is None:
        raise SystemExit(f"JPEG has no file of {size_bytes} bytes or less for this image")
    data = make(peer.baseline, peer.image, best.setting)
    files.write(folder / "jpeg.jpg", data, overwrite=True)
    return Panel(f"JPEG {best.setting.label}", len(data), best.psnr_db, decode(data))


def side_by_side(panels: list[Panel]) -> Pixels:
    """One image with all panels, each under its label."""
    height, width = panels[0].pixels.shape[:2]
    sheet = Image.new("RGB", (MARGIN + len(panels) * (width + MARGIN), LABEL_HEIGHT + height + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=18)
    for index, panel in enumerate(panels):
        left = MARGIN + index * (width + MARGIN)
        draw.text((left, 6), f"{panel.title}\n{panel.numbers}", fill="black", font=font)
        sheet.paste(Image.fromarray(panel.pixels), (left, LABEL_HEIGHT))
    return np.asarray(sheet)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
