"""Bjontegaard's delta rate (BD-rate): the percent of bytes that a codec needs more than a reference for the same PSNR.

The `bjontegaard` package computes it for each picture, with Akima interpolation of log-rate over PSNR (Bjontegaard:
Calculation of Average PSNR Differences between RD-Curves, ITU-T VCEG-M33, 2001). Means are over these.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

from fourcodec import extras
from fourcodec.plotting import load_matplotlib

Curve = list[tuple[float, float]]  # (bits per pixel, PSNR in dB), rising in both

MIN_POINTS = 3  # fewer points are no curve


@dataclass(frozen=True)
class BdRate:
    """A BD-rate, negative where the tested codec needs fewer bytes, or the reason why there is none.

    `overlap`: the share of the tested codec's PSNR range that the reference reaches too.
    """

    percent: float | None
    overlap: float = 0.0
    why_not: str = ""


def rising(points: Iterable[tuple[float | None, float | None]]) -> Curve:
    """The points by rising rate, without those of no better PSNR than a smaller rate has, and without exact copies."""
    kept: Curve = []
    for rate, quality in sorted((r, q) for r, q in points if r is not None and q is not None):
        if not kept or quality > kept[-1][1]:
            kept.append((rate, quality))
    return kept


def bd_rate(reference: Curve, tested: Curve) -> BdRate:
    """The BD-rate of a curve over the PSNRs that both curves reach."""
    if len(reference) < MIN_POINTS or len(tested) < MIN_POINTS:
        return BdRate(None, why_not=f"fewer than {MIN_POINTS} points")
    bottom = max(reference[0][1], tested[0][1])
    top = min(reference[-1][1], tested[-1][1])
    if top <= bottom:
        return BdRate(None, why_not="the curves do not overlap in PSNR")
    extras.require("BD-rate", "bjontegaard")
    load_matplotlib()
    import bjontegaard  # brings matplotlib, which takes a second

    columns = [list(column) for curve in (reference, tested) for column in zip(*curve, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about small overlaps, which the tables show
        percent = bjontegaard.bd_rate(*columns, method="akima", require_matching_points=False, min_overlap=0)
    return BdRate(float(percent), (top - bottom) / (tested[-1][1] - tested[0][1]))
