"""What a curve costs and gives when each rate is fitted on from its neighbour, beside fits from nothing.

    benchmarks/warm_start.py fnet|grid IMAGE... [--size 7x5] [--crop 256] [--steps 1000] [--share 0.3] > RESULT.tsv

Four qualities (20, 45, 70, 90) of the centre square of each picture: cold, each by a whole fit; warm, the first by a
whole fit and each of the others by `share` of the steps on from the one before, beginning at 0.3 of the schedule, once
upwards and once downwards in quality. Bytes are those of the sections. bd_rate: of the warm curve against the cold one,
in percent.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from crops import centre
from fourcodec import images, metrics
from fourcodec.bench.bdrate import bd_rate, rising
from fourcodec.encoder import FnetFits, GridFits, Subject
from fourcodec.images import pixels
from fourcodec.optimisation.settings import WHOLE, Part, rate_weight_of
from fourcodec.request import Request

QUALITIES = (20, 45, 70, 90)
COLUMNS = ("picture", "curve", "whole_fits", *(f"q{quality}" for quality in QUALITIES), "bd_rate")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", choices=("fnet", "grid"))
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--size", default="7x5")
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--share", type=float, default=0.3)
    options = parser.parse_args()
    onward = Part(options.share, begin=0.3)
    print("\t".join(COLUMNS), flush=True)
    for path in options.pictures:
        picture = centre(images.load(path).pixels, options.crop)
        width, depth = map(int, options.size.split("x"))
        subject = Subject(pixels.to_planes(picture), None, 3, 8, [])
        fits: FnetFits | GridFits = (
            GridFits(subject, Request(), 5, options.steps, 0, "cpu")
            if options.profile == "grid"
            else FnetFits(subject, Request(width=width, depth=depth), 5, options.steps, 0, "cpu")
        )
        cold = curve(picture, fits, QUALITIES, None)
        show(path, "cold", len(QUALITIES), cold, cold)
        for name, order in (("up", QUALITIES), ("down", QUALITIES[::-1])):
            show(path, name, 1 + options.share * (len(QUALITIES) - 1), curve(picture, fits, order, onward), cold)


def curve(picture: np.ndarray, fits: Any, order: tuple[int, ...], onward: Part | None) -> dict[int, tuple[int, float]]:
    """Bytes and PSNR by quality; each on from the one before where `onward` says how."""
    found, network = {}, None
    for quality in order:
        part = WHOLE if network is None or onward is None else onward
        network = fits.fit(rate_weight_of(quality), part, None if part == WHOLE else network, None)
        size_bytes = sum(len(section.payload) for section in fits.profile.pack(network)[1])
        copy = pixels.from_planes(fits.profile.render(network, picture.shape[:2], "cpu"))
        found[quality] = size_bytes, metrics.psnr_db(picture, copy)
    return found


def show(
    path: Path, name: str, whole_fits: float, found: dict[int, tuple[int, float]], cold: dict[int, tuple[int, float]]
) -> None:
    points = [f"{found[quality][0]} B {found[quality][1]:.2f} dB" for quality in QUALITIES]
    rate = bd_rate(rising(cold.values()), rising(found.values()))
    shown = rate.why_not if rate.percent is None else f"{rate.percent:+.1f}"
    print("\t".join([path.name, name, f"{whole_fits:.1f}", *points, shown]), flush=True)


if __name__ == "__main__":
    main()
