"""Measures the best size of an fnet network by lambda: makes the table from which the encoder chooses.

    python -m tools.fnet_sizes ROWS.tsv TABLE.tsv IMAGE... CROP:IMAGE... [--iterations N] [--sizes 6x5,7x5x3]
        [--lambdas 0.01]      (ROWS: benchmarks/results/fnet-sizes.tsv, TABLE: src/fourcodec/fnet/fit/fnet_sizes.tsv)

One row is appended to ROWS for each image, size and lambda: bytes and PSNR of the real file, and J = MSE + lambda bpp.
Rows that are there already are not made again. "256:kodim01.png" is the centre square of 256 pixels. The smallest
lambda is fitted from nothing; each of the others is a warm start from the one below it, with 0.3 of the iterations.

TABLE is made from all rows. For each number of iterations, of pixels and lambda it has the size of least mean J, each
image's J divided by its least, provided that the next smaller and larger sizes were measured, too. Iterations are part
of the key because a small network is ahead after few of them and behind after many.

In the rows of the repository, those at lambda 5e-3 were fitted from nothing, and those of 5,000 iterations at 1.25e-3
are the fits of foundation-7x5.tsv and foundation-8x6.tsv.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import tables
from benchmarks.crops import centre
from fourcodec import files, images, metrics
from fourcodec.bitstream import container
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.fnet.fit.settings import FitSettings
from fourcodec.fnet.fit.sizes import coefficient_count, size_named
from fourcodec.images import pixels
from fourcodec.optimisation.settings import WHOLE, Part

LAMBDAS = "3e-4,1e-3,3e-3,1e-2,3e-2"
SIZES = "6x5,7x5,8x6,7x6x3,8x6x3,9x6x3,10x6x3"
ONWARD = Part(0.3, begin=0.3)
COLUMNS = ["picture", "pixels", "lambda", "size", "steps", "size_bytes", "psnr_db", "j"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--iterations", type=int, default=700)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--lambdas", default=LAMBDAS)
    parser.add_argument("pictures", nargs="*")
    options = parser.parse_args()
    lambdas = [float(weight) for weight in options.lambdas.split(",")]
    for name in options.pictures:
        picture = load(name)
        for size in options.sizes.split(","):
            measure(options.rows, Path(name).name, picture, size, options.iterations, lambdas)
    text = table(options.rows)
    files.write(options.table, text.encode(), overwrite=True)
    print(text, end="")


def load(name: str) -> npt.NDArray[np.uint8]:
    """An image, or its centre square of the side that stands before a colon."""
    side, _, path = name.rpartition(":")
    return centre(images.load(Path(path)).pixels, int(side or 0))


def measure(
    rows: Path, name: str, picture: npt.NDArray[np.uint8], size: str, iterations: int, lambdas: Sequence[float]
) -> None:
    """Appends the missing rows of one image and size; a chain of warm starts that was stopped begins anew."""
    label = f"{name}@{picture.shape[0]}"
    key = [label, str(picture.shape[0] * picture.shape[1]), size, str(iterations)]
    done = {line[2] for line in tables.begin(rows, COLUMNS) if line[:2] + line[3:5] == key}
    if done >= {f"{weight:g}" for weight in lambdas}:
        return
    planes, network = pixels.to_planes(picture), None
    config = FnetConfig.of_size(size_named(size), 3)
    for weight in lambdas:
        settings = FitSettings(iterations).part(ONWARD if network else WHOLE, weight)
        network = fnet_fit.fit(planes, config, settings, seed=0, device="cpu", report=None, start=network)
        if f"{weight:g}" in done:
            continue
        size_bytes, psnr_db = measured(network, picture)
        cost = 10 ** (-psnr_db / 10) + weight * metrics.bpp(size_bytes, picture.shape[1], picture.shape[0])
        tables.append(rows, [*key[:2], f"{weight:g}", *key[2:], str(size_bytes), f"{psnr_db:.3f}", f"{cost:.4e}"])


def measured(network: QuantizedFnet, picture: npt.NDArray[np.uint8]) -> tuple[int, float]:
    """Bytes of the file of a network, and PSNR of the pixels decoded from it."""
    height, width, channels = picture.shape
    fields, sections = fnet.pack(network)
    header = container.Header(width=width, height=height, channels=channels, profile=fnet.PROFILE_ID, **fields)
    copy = pixels.from_planes(fnet.render(network, (height, width), "cpu"))
    return len(container.write(header, sections)), metrics.psnr_db(picture, copy)


def table(path: Path) -> str:
    """The table made from the rows: the best size for each number of iterations, of pixels and lambda."""
    costs: dict[tuple[int, int, float], dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for picture, pixel_count, weight, size, steps, _, _, cost in tables.begin(path, COLUMNS):
        costs[int(steps), int(pixel_count), float(weight)][size][picture] = float(cost)
    lines = [
        "# The size of pure network with the least J = MSE + lambda bpp (tools/fnet_sizes.py): the mean of the",
        "# pictures, each relative to its least. Others: what they have in relation to the best.",
        "\t".join(["steps", "pixels", "lambda", "size", "pictures", "others"]),
    ]
    measured_sizes: dict[tuple[int, int], set[str]] = defaultdict(set)
    for (step_count, count, _), sizes in costs.items():
        measured_sizes[step_count, count] |= set(sizes)
    for (step_count, count, rate_weight), sizes in sorted(costs.items()):
        pictures = set.intersection(*(set(found) for found in sizes.values()))
        if not pictures:
            continue
        means = relative_means(sizes, pictures)
        best = min(means, key=lambda size: means[size])
        if not neighbours(best, measured_sizes[step_count, count]) <= set(sizes):
            continue
        others = ", ".join(f"{size} {mean / means[best]:.3f}" for size, mean in means.items() if size != best)
        keys = [str(step_count), str(count), f"{rate_weight:g}", best]
        lines.append("\t".join([*keys, ", ".join(sorted(pictures)), others]))
    return "\n".join(lines) + "\n"


def neighbours(size: str, sizes: set[str]) -> set[str]:
    """A size with the next smaller and larger ones by coefficients, any of which might be the best if unmeasured."""
    by_count = sorted(sizes, key=lambda name: coefficient_count(size_named(name)))
    place = by_count.index(size)
    return set(by_count[max(place - 1, 0) : place + 2])


def relative_means(sizes: dict[str, dict[str, float]], pictures: set[str]) -> dict[str, float]:
    """Mean over the pictures of each size's J, divided by the picture's least."""
    least = {picture: min(costs[picture] for costs in sizes.values()) for picture in pictures}
    return {
        size: sum(costs[picture] / least[picture] for picture in pictures) / len(pictures)
        for size, costs in sizes.items()
    }


if __name__ == "__main__":
    main()
