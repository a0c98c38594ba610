"""What rounding costs the grid profile: J of the noisy latents that are fitted, of rounded ones, and of the file.

    python benchmarks/rounding.py [--steps N] [--crop SIDE] IMAGE... > benchmarks/results/rounding.tsv

J = 1000 (MSE + lambda bpp) of the latents, without the weights' bytes. "noisy" is the mean over eight draws of the
noise at the end of the noisy phase; "rounded" has the same weights in float; "settled" comes after the networks' last
steps; "weights" has theirs rounded, too.
"""

import argparse
import math
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from fourcodec import fitting, pixels
from fourcodec.fitting import grid as fitting_grid
from fourcodec.fitting.grid import SETTLE_SHARE
from fourcodec.fitting.grid_weights import choose_integers
from fourcodec.networks.grid_priors import nearest_prior
from fourcodec.profiles.grid_config import QuantizedGrid, config_for
from fourcodec.profiles.grid_networks import weights_of

DRAWS = 8


def measure(planes: np.ndarray, quality: float, steps: int) -> list[float]:
    """J of noisy, rounded, settled latents and with rounded weights."""
    settings = fitting.grid_settings_for(quality, 5, steps, None)
    channels, height, width = planes.shape
    phase = fitting.phase_index(settings.rate_weight)
    config = config_for(height, width, channels, phase, nearest_prior(settings.rate_weight))
    fit = fitting_grid._Fit(planes, config, settings, 0)
    (pyramid,) = fit._pyramids

    def j(squares: float, bits: float) -> float:
        return 1000 * (squares / planes.size + settings.rate_weight * bits / (height * width))

    def rounded() -> float:
        return j(pyramid.squared_error(fit.weights), pyramid.latent_bits(fit.weights.context))

    noisy = math.ceil(steps * (1 - SETTLE_SHARE))
    for step in range(noisy):
        fit._step(step, step / steps)
    draws = []
    for draw in range(DRAWS):
        pyramid.perturb(draw, 1.0)
        squares, bits, _ = pyramid.gradient(fit.weights, fit._weight)
        draws.append(j(squares, float(bits.sum())))
    found = [float(np.mean(draws)), rounded()]
    for step in range(noisy, steps):
        fit._step(step, step / steps)
    found.append(rounded())
    exponents, symbols = choose_integers(pyramid, config, fit.weights, fit._weight)
    weights = weights_of(QuantizedGrid(config, exponents, symbols, []))
    found.append(j(pyramid.squared_error(weights), pyramid.latent_bits(weights.context)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--qualities", default="20 45 70 90")
    parser.add_argument("images", type=Path, nargs="+")
    arguments = parser.parse_args()
    print(f"# {arguments.steps} steps, centre crops of {arguments.crop}")
    print("image\tquality\tnoisy\trounded\tsettled\tweights\tsettled against noisy\tweights against noisy")
    losses = []
    for path in arguments.images:
        picture = np.asarray(Image.open(path).convert("RGB"))
        top, left = ((side - arguments.crop) // 2 for side in picture.shape[:2])
        planes = pixels.to_planes(picture[top : top + arguments.crop, left : left + arguments.crop])
        for quality in map(float, arguments.qualities.split()):
            with threadpool_limits(1):
                values = measure(planes, quality, arguments.steps)
            loss = [value / values[0] - 1 for value in values[2:]]
            losses.append(loss)
            shown = "\t".join(f"{value:.4f}" for value in values)
            print(f"{path.stem}\t{quality:g}\t{shown}\t{loss[0]:+.2%}\t{loss[1]:+.2%}", flush=True)
    settled, weights = np.mean(losses, axis=0)
    print(f"# mean: latents {settled:+.2%}, with weights {weights:+.2%}")


if __name__ == "__main__":
    main()
