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

from fourcodec import fitting, pixels
from fourcodec.fitting import grid as fitting_grid
from fourcodec.networks.grid_priors import nearest_prior
from fourcodec.profiles.grid_config import config_for

ROWS = 10


def trace(planes: np.ndarray, quality: float, steps: int) -> list[list[float]]:
    """For each tenth of the steps: its share, J and bpp of noisy latents, J and bpp of rounded ones."""
    settings = fitting.grid_settings_for(quality, 5, steps, None)
    channels, height, width = planes.shape
    phase = fitting.phase_index(settings.rate_weight)
    config = config_for(height, width, channels, phase, nearest_prior(settings.rate_weight))
    fit = fitting_grid._Fit(planes, config, settings, 0)
    (pyramid,) = fit._pyramids

    def j_and_bpp(squares: float, bits: float) -> list[float]:
        bpp = bits / (height * width)
        return [1000 * (squares / planes.size + settings.rate_weight * bpp), bpp]

    rows = []
    for step in range(steps):
        squares = fit._step(step, step / steps)
        if (step + 1) % (steps // ROWS) == 0:
            noisy = j_and_bpp(squares, pyramid.network.latent_bits(fit.weights.context))
            rounded = j_and_bpp(pyramid.squared_error(fit.weights), pyramid.latent_bits(fit.weights.context))
            rows.append([(step + 1) / steps, *noisy, *rounded])
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
        picture = np.asarray(Image.open(path).convert("RGB"))
        if arguments.crop:
            top, left = ((side - arguments.crop) // 2 for side in picture.shape[:2])
            picture = picture[top : top + arguments.crop, left : left + arguments.crop]
        key = f"{path.stem}\t{arguments.crop or 0}\t{arguments.quality:g}\t{arguments.steps}"
        with threadpool_limits(1):
            rows = trace(pixels.to_planes(picture), arguments.quality, arguments.steps)
        for share, *values in rows:
            print(f"{key}\t{share:.1f}\t" + "\t".join(f"{value:.4f}" for value in values), flush=True)


if __name__ == "__main__":
    main()
