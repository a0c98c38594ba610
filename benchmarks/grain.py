"""Does grain in place of lost texture please the metrics? Noise of exactly the lost strength is added to decoded files.

    python -m benchmarks.grain FOLDER IMAGE... > benchmarks/results/grain.tsv

FOLDER has files NAME-qQ.fnc of the images (`benchmarks.kodak --keep`). The strength is the standard deviation of the
error of luma around each pixel (Gaussian of 6 pixels), which only an encoder knows; a share of it is added, white or of
one octave. The last rows add a share of the lost texture itself, the most that any decoder could.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import fourcodec
from benchmarks.crops import LUMA
from benchmarks.tables import show
from fourcodec import images, metrics

SHARES = (0.15, 0.3, 0.6)


def main() -> None:
    """Prints a row for each file, kind of noise and share."""
    folder, paths = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    show("file", "added", "share", "psnr_db", "ssimulacra2", "flip")
    for path in paths:
        original = images.plain(images.load(path)).pixels
        for file in sorted(folder.glob(f"{path.stem}-q*.fnc")):
            decoded = fourcodec.decode(file)
            lost = original @ LUMA - decoded @ LUMA
            strength = np.sqrt(gaussian_filter(lost * lost, 6))
            kinds = {name: strength * noise for name, noise in noises(lost.shape).items()}
            for name, grain in {"nothing": lost * 0, **kinds, "lost luma": lost}.items():
                for share in SHARES if name != "nothing" else (0.0,):
                    copy = np.clip(np.rint(decoded + (share * grain)[..., None]), 0, 255).astype(np.uint8)
                    measures = metrics.psnr_db, metrics.ssimulacra2, metrics.flip
                    show(file.stem, name, f"{share:g}", *(f"{measure(original, copy):.4f}" for measure in measures))


def noises(shape: tuple[int, ...]) -> dict[str, NDArray[np.float64]]:
    """Noise of standard deviation 1."""
    white = np.random.default_rng(0).standard_normal(shape)
    found = {
        "white": white,
        "fine octave": gaussian_filter(white, 0.6) - gaussian_filter(white, 2),
        "coarser octave": gaussian_filter(white, 1) - gaussian_filter(white, 3),
    }
    return {name: noise / noise.std() for name, noise in found.items()}


if __name__ == "__main__":
    main()
