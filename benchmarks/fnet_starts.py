"""What a trained start is worth to the pure network: fits with and without it, at equal iterations.

    python -m benchmarks.fnet_starts ROWS.tsv [--size 8x6] [--iterations 1000] [--quality 54.4] IMAGE...

Two rows for each image, without and with the size's trained start: bytes and PSNR of the real file, bits a coefficient,
J = MSE + lambda bpp, whether the file names the start, the best JPEG (4:2:0 or 4:4:4, optimised, progressive or not) of
at most as many bytes, and processor seconds. Rows that are there already are not made again.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import tables
from fourcodec import images, metrics
from fourcodec.bench import baselines
from fourcodec.bench.baselines import BASELINES
from fourcodec.bench.matching import PeerFiles, best_within
from fourcodec.bitstream import container
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.fnet.fit.settings import FitSettings
from fourcodec.fnet.fit.sizes import size_named
from fourcodec.fnet.trained_starts import number_for
from fourcodec.images import pixels
from fourcodec.optimisation.settings import rate_weight_of

COLUMNS = (
    "image", "size", "iterations", "quality", "start", "size_bytes", "bpp", "psnr_db", "bits_per_coefficient", "j",
    "in_file", "ssim", "jpeg_psnr_db", "jpeg_ssim", "processor_seconds",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--size", default="8x6")
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--quality", type=float, default=54.4)
    parser.add_argument("--only", choices=("none", "trained"))
    parser.add_argument("images", nargs="+", type=Path)
    options = parser.parse_args()
    size = size_named(options.size)
    for path in options.images:
        picture = images.plain(images.load(path)).pixels
        for start, prior in (("none", 0), ("trained", number_for(size))):
            key = [path.name, options.size, str(options.iterations), f"{options.quality:g}", start]
            if options.only in (None, start) and key not in [row[:5] for row in tables.begin(options.rows, COLUMNS)]:
                config = FnetConfig.of_size(size, 1 if picture.ndim == 2 else 3, prior=prior)
                tables.append(options.rows, key + measure(picture, config, options.iterations, options.quality))


def measure(picture: npt.NDArray[np.uint8], config: FnetConfig, iterations: int, quality: float) -> list[str]:
    """The columns from `size_bytes` on."""
    planes, rate_weight, began = pixels.to_planes(picture), rate_weight_of(quality), time.process_time()
    settings = FitSettings(iterations, rate_weight=rate_weight)
    network = fnet_fit.fit(planes, config, settings, seed=0, device="cpu", report=None)
    seconds = time.process_time() - began
    (channels, height, width), (fields, sections) = planes.shape, fnet.pack(network)
    header = container.Header(width, height, channels, fnet.PROFILE_ID, **fields)
    size_bytes = len(container.write(header, sections))
    copy = pixels.from_planes(fnet.render(network, (height, width), "cpu")).reshape(picture.shape)
    psnr_db, bpp = metrics.psnr_db(picture, copy), metrics.bpp(size_bytes, width, height)
    return [
        str(size_bytes), f"{bpp:.4f}", f"{psnr_db:.3f}", f"{8 * size_bytes / config.coefficient_count:.2f}",
        f"{10 ** (-psnr_db / 10) + rate_weight * bpp:.4e}", str(network.config.prior),
        f"{metrics.ssim(picture, copy) or math.nan:.4f}", *of_jpeg(picture, size_bytes), f"{seconds:.0f}",
    ]  # fmt: skip


def of_jpeg(picture: npt.NDArray[np.uint8], size_bytes: int) -> list[str]:
    """PSNR and SSIM of the best JPEG of at most so many bytes; empty cells where there is none."""
    files = PeerFiles(picture, BASELINES["jpeg"])
    best = best_within(files, size_bytes)
    if best is None:
        return ["", ""]
    decoded = baselines.decode(baselines.make(files.baseline, files.image, best.setting))
    own = decoded if picture.ndim == 3 else np.ascontiguousarray(decoded[:, :, 0])
    return [f"{best.psnr_db:.3f}", f"{metrics.ssim(picture, own) or math.nan:.4f}"]


if __name__ == "__main__":
    main()
