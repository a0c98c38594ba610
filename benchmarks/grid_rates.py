"""One fit of the profile grid with other constants (learning rates, noise, prices): compares variants of the fit.

    python -m benchmarks.grid_rates [--crop 512] [--quality 45] [--iterations 1000] [--seed 0] IMAGE [NAME=VALUE...]

NAME is a constant of a module in fourcodec.grid.fit, VALUE a Python literal. Prints one row: image, side of the crop,
quality, iterations, constants, 1000 J of the file, its bytes, the bytes of its networks, its PSNR. The columns are
those of results/grid-rates.tsv, most of whose rows came from code that was not kept.
"""

import argparse
import ast
import importlib
import math
import pkgutil
from pathlib import Path

import fourcodec
from benchmarks.crops import centre
from benchmarks.curves import cost
from fourcodec import codec, images
from fourcodec.grid import fit
from fourcodec.optimisation.settings import rate_weight_of

MODULES = [importlib.import_module(f"{fit.__name__}.{module.name}") for module in pkgutil.iter_modules(fit.__path__)]


def replace(name: str, value: str) -> None:
    """Sets a constant in every module of the fit that has it. Raises ValueError where none has."""
    owners = [module for module in MODULES if hasattr(module, name)]
    if not owners:
        raise ValueError(f"the fit has no constant {name}")
    for module in owners:
        setattr(module, name, ast.literal_eval(value))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crop", type=int, default=512, help="side of the centre square in pixels, 0: all")
    parser.add_argument("--quality", type=float, default=45.0)
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("image", type=Path)
    parser.add_argument("constants", nargs="*", metavar="NAME=VALUE")
    options = parser.parse_args()
    for constant in options.constants:
        replace(*constant.split("=", 1))
    picture = centre(images.load(options.image).pixels, options.crop)
    encoded = fourcodec.encode(
        picture, quality=options.quality, iterations=options.iterations, seed=options.seed, device="cpu"
    )
    psnr_db = math.inf if encoded.psnr_db is None else encoded.psnr_db
    what = [f"seed{options.seed}"] * (options.seed > 0) + options.constants
    print(
        *(options.image.stem, options.crop, f"{options.quality:g}", options.iterations, " ".join(what) or "-"),
        f"{cost(encoded.rate_bpp, psnr_db, rate_weight_of(options.quality)):.4f}",
        *(encoded.size_bytes, codec.describe(encoded.data)["network"]["bytes"]["networks"], f"{psnr_db:.3f}"),
        sep="\t",
    )


if __name__ == "__main__":
    main()
