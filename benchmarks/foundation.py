"""The profile fnet at a fixed size, beside JPEG at the same bytes and beside a fit without quantisation.

    python -m benchmarks.foundation [--size 8x6] [--crop PIXELS] [--effort N...] [--without-float] IMAGE... > RESULT.tsv

One row for each image and effort: bytes, PSNR and SSIM of the file; the best JPEG (4:2:0 or 4:4:4, optimised,
progressive or not) of at most as many bytes; the PSNR of a separate fit of as many iterations that is never quantised;
bits a coefficient; seconds.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

import fourcodec
from benchmarks.crops import centre
from benchmarks.tables import show
from fourcodec import images, metrics
from fourcodec.bench.baselines import BASELINES
from fourcodec.bench.matching import PeerFiles, best_within
from fourcodec.bitstream import container
from fourcodec.fnet.backends import backend_of
from fourcodec.fnet.config import FnetConfig
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.fnet.fit.settings import FLOAT_SCHEDULE, FitSettings, settings_for
from fourcodec.images import pixels
from fourcodec.positions import PIXEL_CENTRES, positions

COLUMNS = (
    "image crop width depth effort steps size_bytes rate_bpp bits_per_coefficient psnr_db ssim "
    "jpeg_bytes jpeg_psnr_db difference_db float_psnr_db quantisation_loss_db encode_seconds decode_seconds"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="8x6", help="WIDTHxDEPTH")
    parser.add_argument("--crop", type=int, help="side of the centre square in pixels; all by default")
    parser.add_argument("--effort", type=int, nargs="+", default=[5], help="one row for each")
    parser.add_argument("--without-float", action="store_true", help="leave the unquantised fit out")
    parser.add_argument("images", nargs="+", type=Path)
    options = parser.parse_args()
    show(*COLUMNS.split())
    for path in options.images:
        picture = centre(images.load(path).pixels, options.crop)
        width, depth = (int(number) for number in options.size.split("x"))
        for effort in options.effort:
            row = measure(picture, width, depth, effort, not options.without_float)
            show(path.name, options.crop or "whole", *row)


def measure(picture: npt.NDArray[np.uint8], width: int, depth: int, effort: int, with_float: bool) -> list[str]:
    """The columns from `width` on."""
    encoded = fourcodec.encode(picture, width=width, depth=depth, effort=effort)
    size = container.read(encoded.data)[0].architecture  # with the order, if the encoder limited it
    config = FnetConfig.of_size(size, encoded.channels)
    peer = best_within(PeerFiles(picture, BASELINES["jpeg"]), encoded.size_bytes)
    ours_db = encoded.psnr_db if encoded.psnr_db is not None else math.inf
    float_db = float_psnr_db(picture, config, effort) if with_float else math.nan
    iterations = settings_for(effort, None).iterations
    return [
        *(str(number) for number in (width, depth, effort, iterations, encoded.size_bytes)),
        f"{encoded.rate_bpp:.4f}",
        f"{8 * encoded.size_bytes / config.coefficient_count:.2f}",
        f"{ours_db:.2f}",
        f"{encoded.ssim:.4f}",
        *([str(peer.size_bytes), f"{peer.psnr_db:.2f}", f"{ours_db - peer.psnr_db:+.2f}"] if peer else ["", "", ""]),
        f"{float_db:.2f}",
        f"{float_db - ours_db:.2f}",
        f"{encoded.encode_seconds:.0f}",
        f"{encoded.decode_seconds:.2f}",
    ]


def float_psnr_db(picture: npt.NDArray[np.uint8], config: FnetConfig, effort: int) -> float:
    """PSNR in dB, rounded to 8 bits, of a network that was fitted for as many iterations and never quantised."""
    planes = pixels.to_planes(picture)
    iterations = settings_for(effort, None).iterations
    settings = FitSettings(iterations, phases=FLOAT_SCHEDULE)
    coefficients = fnet_fit.fit_float(planes, config, settings, seed=0, device="cpu", report=None)
    count = planes.shape[1] * planes.shape[2]
    x = positions((planes.shape[1], planes.shape[2]), np.arange(count), PIXEL_CENTRES)
    y = backend_of("cpu").evaluate(config.shape, coefficients, x).reshape(planes.shape)
    return metrics.psnr_db(picture, pixels.from_planes(y))


if __name__ == "__main__":
    main()
