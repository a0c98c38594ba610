"""A fit of the grid profile with other constants of fourcodec.grid.fit: rates, noise, prices.

    python benchmarks/grid_rates.py [--crop 512] [--quality 45] [--steps 1000] IMAGE [NAME=NUMBER[,NUMBER]...]

One row: J = 1000 (MSE + lambda bpp) of everything in the file but its header, the bytes of that, those of the networks,
PSNR. The columns are those of results/grid-rates.tsv, most of whose rows need code that was not kept.
"""

import argparse
import ast
import math
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from crops import centre
from fourcodec.grid import profile
from fourcodec.grid.fit import fit as grid
from fourcodec.grid.fit import latents as grid_latents
from fourcodec.grid.fit import rdoq as grid_descent
from fourcodec.grid.fit import weights as grid_weights
from fourcodec.images import pixels
from grid_latents_fit import LatentsFit


def replace(name: str, value: str) -> None:
    """Sets a constant wherever the fit has it. Raises ValueError where it has none."""
    owners = [module for module in (grid, grid_descent, grid_latents, grid_weights) if hasattr(module, name)]
    if not owners:
        raise ValueError(f"the fit has no constant {name}")
    for module in owners:
        setattr(module, name, ast.literal_eval(value))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crop", type=int, default=512, help="the side of the centre square, 0 for everything")
    parser.add_argument("--quality", type=float, default=45.0)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("image", type=Path)
    parser.add_argument("constants", nargs="*")
    arguments = parser.parse_args()
    for constant in arguments.constants:
        replace(*constant.split("=", 1))
    planes = pixels.to_planes(centre(np.asarray(Image.open(arguments.image).convert("RGB")), arguments.crop))
    fitted = LatentsFit(planes, arguments.quality, arguments.steps, arguments.seed)
    with threadpool_limits(1):
        fitted.run_to(1)
    found = fitted.fit.integers()
    networks, latents = (len(section.payload) for section in profile.pack(found)[1])
    squares = fitted.pyramid.squared_error(found.networks.weights)
    what = [f"seed{arguments.seed}"] * (arguments.seed > 0) + arguments.constants
    j, psnr_db = fitted.j(squares, 8 * (networks + latents)), -10 * math.log10(squares / fitted.samples)
    key = [arguments.image.stem, arguments.crop, f"{arguments.quality:g}", arguments.steps, " ".join(what) or "-"]
    print(*key, f"{j:.4f}", networks + latents, networks, f"{psnr_db:.3f}", sep="\t")


if __name__ == "__main__":
    main()
