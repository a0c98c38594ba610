"""Bjontegaard's delta rate: percent of bytes that a codec needs more (or less) than another for the same PSNR.

Computed by the `bjontegaard` package with Akima interpolation of log-rate over PSNR, for each picture; averages are
of these.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

Curve = list[tuple[float, float]]  # (bits per pixel, PSNR in dB), rising in both

MIN_POINTS = 3  # a curve of fewer says nothing


@dataclass(frozen=True)
class BdRate:
    """Negative percent: fewer bytes than the reference. `overlap`: the share of the tested PSNR range that counts."""

    percent: float | None
    overlap: float = 0.0
    why_not: str = ""


def rising(points: Iterable[tuple[float | None, float | None]]) -> Curve:
    """Sorted by rate; left out are points that cost more for less, and those without a value (exact copies)."""
    kept: Curve = []
    for rate, quality in sorted((r, q) for r, q in points if r is not None and q is not None):
        if not kept or quality > kept[-1][1]:
            kept.append((rate, quality))
    return kept


def bd_rate(reference: Curve, tested: Curve) -> BdRate:
    """Over the PSNRs that both curves reach; `why_not` tells where there is no number."""
    if len(reference) < MIN_POINTS or len(tested) < MIN_POINTS:
        return BdRate(None, why_not=f"fewer than {MIN_POINTS} points")
    bottom = max(reference[0][1], tested[0][1])
    top = min(reference[-1][1], tested[-1][1])
    if top <= bottom:
        return BdRate(None, why_not="the curves do not overlap in PSNR")
    import bjontegaard  # brings matplotlib, which takes a second

    (rates_0, qualities_0), (rates_1, qualities_1) = zip(*reference, strict=True), zip(*tested, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of small overlaps, which we say ourselves
        percent = bjontegaard.bd_rate(
            list(rates_0),
            list(qualities_0),
            list(rates_1),
            list(qualities_1),
            method="akima",
            require_matching_points=False,
            min_overlap=0,
        )
    return BdRate(float(percent), (top - bottom) / (tested[-1][1] - tested[0][1]))
