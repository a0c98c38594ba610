"""The measures of a comparison as rows of text, for the terminal and for the page."""

from collections.abc import Callable
from dataclasses import dataclass

from fourcodec import metrics
from fourcodec.comparison.jpeg import Jpeg
from fourcodec.comparison.measuring import Comparison, Similarity


@dataclass(frozen=True)
class Row:
    """One measure of the .fnc file and of the JPEG; `jpeg` is empty where it has no such measure."""

    name: str
    ours: str
    jpeg: str


def rows(comparison: Comparison) -> list[Row]:
    """The rows of the table, for people to read."""
    ours, theirs = comparison.ours, comparison.theirs
    jpeg = comparison.jpeg if isinstance(comparison.jpeg, Jpeg) else None
    size, rate = comparison.size_bytes, comparison.rate_bpp
    found = [
        Row("bytes", f"{size:,}", f"{jpeg.size_bytes:,}" if jpeg else ""),
        Row("bits per pixel", f"{rate(size):.3f}", f"{rate(jpeg.size_bytes):.3f}" if jpeg else ""),
    ]
    if comparison.has_alpha:
        found += [
            Row("PSNR, visible colours", decibels(comparison.psnr_db), ""),
            Row("SSIM, visible colours", _ssim(comparison.ssim), ""),
        ]
    on_white = ", on white" if comparison.has_alpha else ""
    pairs: dict[str, Callable[[Similarity], str]] = {
        f"PSNR{on_white}": lambda near: decibels(near.psnr_db),
        f"SSIM{on_white}": lambda near: _ssim(near.ssim),
        **_visual(on_white),
        "error of 255, mean": lambda near: f"{near.errors.mean:.2f}",
        "error of 255, 99% at most": lambda near: f"{near.errors.most:.0f}",
        "error of 255, largest": lambda near: f"{near.errors.largest:.0f}",
    }
    found += [Row(name, said(ours), "" if theirs is None else said(theirs)) for name, said in pairs.items()]
    if jpeg:
        found.append(Row("JPEG's settings", "", f"q={jpeg.quality} {jpeg.variant}"))
    return found


def _visual(on_white: str) -> dict[str, Callable[[Similarity], str]]:
    """The rows of the metrics that are installed."""
    found: dict[str, Callable[[Similarity], str]] = {}
    if metrics.installed("ssimulacra2"):
        found[f"SSIMULACRA 2{on_white}"] = lambda near: _decimals(near.ssimulacra2, 1)
    if metrics.installed("flip"):
        found[f"FLIP, 0 is best{on_white}"] = lambda near: _decimals(near.flip, 4)
    return found


def _decimals(value: float | None, decimals: int) -> str:
    return "too small" if value is None else f"{value:.{decimals}f}"


def decibels(psnr_db: float | None) -> str:
    """A PSNR in words; None stands for an exact copy."""
    return "exact" if psnr_db is None else f"{psnr_db:.2f} dB"


def _ssim(ssim: float | None) -> str:
    return _decimals(ssim, 4)


def lines(comparison: Comparison) -> list[str]:
    """The rows as lines of aligned columns, for a terminal."""
    found = [Row("", "fourcodec", "JPEG" if isinstance(comparison.jpeg, Jpeg) else ""), *rows(comparison)]
    widths = [max(len(getattr(row, column)) for row in found) for column in ("name", "ours", "jpeg")]
    return [f"{row.name:{widths[0]}}  {row.ours:>{widths[1]}}  {row.jpeg:>{widths[2]}}".rstrip() for row in found]
