"""How a fit of the grid profile gets to where it ends: J of its noisy latents and of the same ones rounded.

    python benchmarks/grid_trace.py [--steps N] [--crop SIDE] [--quality Q] IMAGE... > benchmarks/results/grid-trace.tsv

Ten rows a picture, one for each tenth of the steps: J = 1000 (MSE + lambda bpp) of the latents, without the weights'
bytes, and their bpp. What is noisy costs less than what can be coded: it says more than integers can, and networks
learn to listen. The rounded latents are what counts, and what a change of noise or temperature must be judged by.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from crops import centre
from fourcodec.images import pixels
from grid_latents_fit import LatentsFit

ROWS = 10


def trace(planes: np.ndarray, quality: float, steps: int) -> list[list[float]]:
    """For each tenth of the steps: its share, J and bpp of noisy latents, J and bpp of rounded ones."""
    fitted, rows = LatentsFit(planes, quality, steps), []
    for row in range(1, ROWS + 1):
        squares, weights = fitted.run_to(row / ROWS), fitted.fit.weights
        noisy_bits = fitted.pyramid.network.latent_bits(weights.entropy_model)
        j, bits = fitted.rounded(weights)
        rows.append([row / ROWS, fitted.j(squares, noisy_bits), noisy_bits / fitted.pixels, j, bits / fitted.pixels])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--crop", type=int, help="the centre square of so many pixels, instead of everything")
    parser.add_argument("--quality", type=float, default=45.0)
    parser.add_argument("images", type=Path, nargs="+")
    arguments = parser.parse_args()
    print("image\tcrop\tquality\tsteps\tshare\tnoisy J\tnoisy bpp\trounded J\trounded bpp")
    for path in arguments.images:
        picture = centre(np.asarray(Image.open(path).convert("RGB")), arguments.crop)
        key = f"{path.stem}\t{arguments.crop or 0}\t{arguments.quality:g}\t{arguments.steps}"
        with threadpool_limits(1):
            rows = trace(pixels.to_planes(picture), arguments.quality, arguments.steps)
        for share, *values in rows:
            print(f"{key}\t{share:.1f}\t" + "\t".join(f"{value:.4f}" for value in values), flush=True)


if __name__ == "__main__":
    main()
