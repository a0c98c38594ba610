"""Images that are hard for codecs of this family, and the parts of small files.

    python -m benchmarks.special special [SCREENSHOT...] > benchmarks/results/grid-special.tsv
    python -m benchmarks.special split IMAGE... > benchmarks/results/grid-split.tsv

`special` encodes flat, bright, black, thin, grey, noisy and drawn images, and centre crops of the screenshots given, at
the default quality. `split` prints the bytes of header, networks and latents of 256 x 256 centre crops, four qualities.
"""

import sys
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from benchmarks.crops import centre
from benchmarks.tables import show
from fourcodec import codec, metrics

ITERATIONS = 600
QUALITIES = (20.0, 45.0, 70.0, 90.0)
SIDE = 256


def drawn() -> dict[str, np.ndarray]:
    """Images by name, uint8 (H, W) or (H, W, 3)."""
    random = np.random.default_rng(0)
    text = np.full((200, 300, 3), 255, np.uint8)
    text[20:180:12, 10:290] = 0
    text[:, 40:280:9] = (text[:, 40:280:9] // 2) + 20
    bright = np.clip(random.normal(250, 8, (96, 128, 3)), 0, 255).astype(np.uint8)
    return {
        "flat 96 x 64": np.full((64, 96, 3), (40, 120, 200), np.uint8),
        "white": np.full((90, 120, 3), 255, np.uint8),
        "black": np.zeros((90, 120, 3), np.uint8),
        "bright, some noise": bright,
        "lines on white": text,
        "one column": skimage.data.chelsea()[:, 200:201],
        "one row": skimage.data.chelsea()[150:151],
        "one pixel": skimage.data.chelsea()[:1, :1],
        "grey": skimage.data.camera()[100:300, 100:340],
        "noise": random.integers(0, 256, (64, 96, 3), np.uint8),
    }


def read(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def special(paths: list[str]) -> None:
    """Prints a row for each image, with the PSNR of its mean colour as a lower bound."""
    print("picture\tsize\tbytes\tbpp\tPSNR dB\tPSNR of the mean colour")
    pictures = drawn() | {Path(path).stem: centre(read(path), 512) for path in paths}
    for name, picture in pictures.items():
        encoded = codec.encode(picture, iterations=ITERATIONS)
        copy = codec.decode(encoded.data)
        assert copy.shape == picture.shape, name
        mean = np.rint(picture.mean(axis=(0, 1))).astype(np.uint8)
        flat_db = metrics.psnr_db(picture, np.broadcast_to(mean, picture.shape))
        psnr = "exact" if encoded.psnr_db is None else f"{encoded.psnr_db:.2f}"
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        show(name, size, encoded.size_bytes, f"{encoded.rate_bpp:.3f}", psnr, f"{flat_db:.2f}")


def split(paths: list[str]) -> None:
    """Prints a row for each image and quality."""
    print("image\tquality\tPSNR dB\tbpp\theader B\tnetworks B\tlatents B")
    for path in paths:
        picture = centre(read(path), SIDE)
        for quality in QUALITIES:
            encoded = codec.encode(picture, quality=quality, iterations=ITERATIONS)
            parts = codec.describe(encoded.data)["network"]["bytes"]
            coded = parts["networks"], parts["latents"]
            point = f"{encoded.psnr_db:.2f}", f"{encoded.rate_bpp:.3f}"
            show(Path(path).stem, f"{quality:g}", *point, encoded.size_bytes - sum(coded), *coded)


if __name__ == "__main__":
    {"special": special, "split": split}[sys.argv[1]](sys.argv[2:])
