"""The measures of a comparison as rows of text, for the terminal and for the page."""

from dataclasses import dataclass

from fourcodec.comparison.jpeg import Jpeg
from fourcodec.comparison.measuring import Comparison


@dataclass(frozen=True)
class Row:
    """One measure of the .fnc file and of the JPEG; `jpeg` is empty where it has no such measure."""

    name: str
    ours: str
    jpeg: str


def rows(comparison: Comparison) -> list[Row]:
    """The rows of the table, for people to read."""
    ours, theirs, jpeg = comparison.ours, comparison.theirs, comparison.jpeg
    found = [Row("bytes", f"{comparison.size_bytes:,}", f"{jpeg.size_bytes:,}" if isinstance(jpeg, Jpeg) else "")]
    found.append(Row("bits per pixel", *(_rate(comparison, size) for size in _sizes(comparison))))
    if comparison.has_alpha:
        found += [
            Row("PSNR, visible colours", decibels(comparison.psnr_db), ""),
            Row("SSIM, visible colours", _ssim(comparison.ssim), ""),
        ]
    on_white = ", on white" if comparison.has_alpha else ""
    pairs = {
        f"PSNR{on_white}": lambda near: decibels(near.psnr_db),
        f"SSIM{on_white}": lambda near: _ssim(near.ssim),
        "error of 255, mean": lambda near: f"{near.errors.mean:.2f}",
        "error of 255, 99% at most": lambda near: f"{near.errors.most:.0f}",
        "error of 255, largest": lambda near: f"{near.errors.largest:.0f}",
    }
    found += [Row(name, said(ours), "" if theirs is None else said(theirs)) for name, said in pairs.items()]
    if isinstance(jpeg, Jpeg):
        found.append(Row("JPEG's settings", "", f"q={jpeg.quality} {jpeg.variant}"))
    return found


def decibels(psnr_db: float | None) -> str:
    """A PSNR in words; None stands for an exact copy."""
    return "exact" if psnr_db is None else f"{psnr_db:.2f} dB"


def _ssim(ssim: float | None) -> str:
    return "too small" if ssim is None else f"{ssim:.4f}"


def _sizes(comparison: Comparison) -> tuple[int, int | None]:
    jpeg = comparison.jpeg
    return comparison.size_bytes, jpeg.size_bytes if isinstance(jpeg, Jpeg) else None


def _rate(comparison: Comparison, size_bytes: int | None) -> str:
    return "" if size_bytes is None else f"{comparison.rate_bpp(size_bytes):.3f}"


def lines(comparison: Comparison) -> list[str]:
    """The rows as lines of aligned columns, for a terminal."""
    found = rows(comparison)
    if not isinstance(comparison.jpeg, Jpeg):
        found = [Row("", "fourcodec", ""), *found]
    else:
        found = [Row("", "fourcodec", "JPEG"), *found]
    widths = [max(len(getattr(row, column)) for row in found) for column in ("name", "ours", "jpeg")]
    return [f"{row.name:{widths[0]}}  {row.ours:>{widths[1]}}  {row.jpeg:>{widths[2]}}".rstrip() for row in found]
