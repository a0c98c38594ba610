"""What rounding costs the grid profile: J of the noisy latents that are fitted, of rounded ones, and of the file.

    python benchmarks/rounding.py [--steps N] [--crop SIDE] IMAGE... > benchmarks/results/rounding.tsv

J = 1000 (MSE + lambda bpp) of the latents, without the weights' bytes. "noisy" is the mean over eight draws of the
noise at the end of the noisy phase; "rounded" has the same weights in float; "settled" comes after the last turns, in
which latents are moved and networks adapt; "weights" has theirs rounded, too.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from crops import centre
from fourcodec.grid.config import QuantizedGrid
from fourcodec.grid.fit.fit import RDOQ_SHARE
from fourcodec.grid.fit.latents import proxy_at
from fourcodec.grid.fit.weights import choose_integers
from fourcodec.grid.weight_coding import weights_of
from fourcodec.images import pixels
from grid_latents_fit import LatentsFit

DRAWS = 8


def measure(planes: np.ndarray, quality: float, steps: int) -> list[float]:
    """J of noisy, rounded, settled latents and with rounded weights."""
    fitted = LatentsFit(planes, quality, steps)
    fit, pyramid = fitted.fit, fitted.pyramid
    fitted.run_to(1 - RDOQ_SHARE)
    draws, noisy = [], pyramid.noisy()
    for draw in range(DRAWS):
        noisy.perturb(proxy_at(1.0, draw))
        squares, bits, _ = noisy.gradient(fit.weights, fit._weight)
        draws.append(fitted.j(squares, float(bits.sum())))
    found = [float(np.mean(draws)), fitted.rounded(fit.weights)[0]]
    fitted.run_to(1)
    found.append(fitted.rounded(fit.weights)[0])
    exponents, symbols = choose_integers(pyramid, fitted.config, fit.weights, fit._weight)
    weights = weights_of(QuantizedGrid(fitted.config, exponents, symbols, []))
    found.append(fitted.rounded(weights)[0])
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
        planes = pixels.to_planes(centre(np.asarray(Image.open(path).convert("RGB")), arguments.crop))
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
