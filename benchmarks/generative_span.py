"""How well the last layer of an untrained Fourier network shows images, by its width and by how fine its waves are.

    python benchmarks/generative_span.py DATA

The last layer is linear in its coefficients, so the best for an image are a ridge regression on its features. Their
PSNR over the first 200 training images is what the decoder can reach before the other layers move; with a larger ridge,
by small coefficients, which are learned first. Means over three starts of depth 3.
"""

import math
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fourcodec.generative.datasets import load_dataset
from fourcodec.positions import PIXEL_CENTRES, positions

IMAGES = 200
STARTS = 3
HIDDEN_LAYERS = 2
HIDDEN_START = 0.03  # that of generative/networks.py
RIDGES = (0.01, 1, 30)

Doubles = npt.NDArray[np.float64]


def features(x: Doubles) -> Doubles:
    """(m, N) -> (2^(m+1), N): cosines, then sines, of all k in {0, 1}^m."""
    bits = np.arange(2 ** len(x))[:, None] >> np.arange(len(x)) & 1
    angles = 2 * np.pi * (bits @ x)
    return np.concatenate([np.cos(angles), np.sin(angles)])


def start(width: int, first_start: float, where: Doubles, random: np.random.Generator) -> Doubles:
    """What the last layer of an untrained network sees, (width, N)."""
    x: Doubles = random.normal(0, first_start, (width, 8)) @ features(where)
    for _ in range(HIDDEN_LAYERS):
        deviation = HIDDEN_START / math.sqrt(2 << width)
        x = x + random.normal(0, deviation, (width, 2 << width)) @ features(x)
    return x


def psnr_db(last: Doubles, wanted: Doubles, ridge: float) -> float:
    """Of the ridge regression of samples (N, images and channels) in [-1, 1] on features (count, N)."""
    weights = np.linalg.solve(last @ last.T + ridge * np.eye(len(last)), last @ wanted)
    return float(10 * np.log10(4 / np.square(last.T @ weights - wanted).mean()))


def main() -> None:
    images = load_dataset(Path(sys.argv[1])).train[:IMAGES].astype(np.float64) / 127.5 - 1
    height, width, channels = images.shape[1:]
    wanted = images.transpose(1, 2, 0, 3).reshape(height * width, IMAGES * channels)
    where = positions((height, width), np.arange(height * width), PIXEL_CENTRES).astype(np.float64)
    random = np.random.default_rng(0)
    print("width  first_start  PSNR at ridge " + ", ".join(map(str, RIDGES)))
    for layer_width in (7, 6):
        for first_start in (0.15, 0.2, 0.25, 0.3, 0.4):
            lasts = [features(start(layer_width, first_start, where, random)) for _ in range(STARTS)]
            found = [np.mean([psnr_db(last, wanted, ridge) for last in lasts]) for ridge in RIDGES]
            print(f"{layer_width}  {first_start}  " + "  ".join(f"{value:.2f}" for value in found), flush=True)


if __name__ == "__main__":
    main()
