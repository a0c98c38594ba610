"""The measures of a comparison as rows of text, for the terminal and for the page."""

from collections.abc import Callable
from dataclasses import dataclass

from fourcodec import metrics
from fourcodec.comparison.measuring import Comparison, Similarity


@dataclass(frozen=True)
class Row:
    """One measure: of the .fnc file, then of each peer; empty where a peer has no such measure."""

    name: str
    cells: tuple[str, ...]


def heading(comparison: Comparison) -> tuple[str, ...]:
    """The names of the columns behind the measure's."""
    return ("fourcodec", *(peer.name for peer in comparison.peers))


def rows(comparison: Comparison) -> list[Row]:
    """The rows of the table, for people to read."""
    nears = [comparison.ours, *(peer.near for peer in comparison.peers)]
    sizes = [comparison.size_bytes, *(peer.file.size_bytes for peer in comparison.peers)]
    found = [
        Row("bytes", tuple(f"{size:,}" for size in sizes)),
        Row("bits per pixel", tuple(f"{comparison.rate_bpp(size):.3f}" for size in sizes)),
    ]
    if comparison.has_alpha:
        nothing = ("",) * len(comparison.peers)
        found += [
            Row("PSNR, visible colours", (decibels(comparison.psnr_db), *nothing)),
            Row("SSIM, visible colours", (_ssim(comparison.ssim), *nothing)),
        ]
    on_white = ", on white" if comparison.has_alpha else ""
    measures: dict[str, Callable[[Similarity], str]] = {
        f"PSNR{on_white}": lambda near: decibels(near.psnr_db),
        f"SSIM{on_white}": lambda near: _ssim(near.ssim),
        **_visual(on_white),
        "mean error": lambda near: f"{near.errors.mean:.2f} of 255",
        "99% of errors are at most": lambda near: f"{near.errors.most:.0f} of 255",
        "largest error": lambda near: f"{near.errors.largest:.0f} of 255",
    }
    return [*found, *(Row(name, tuple(map(said, nears))) for name, said in measures.items())]


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
    found = [Row("", heading(comparison)), *rows(comparison)]
    width = max(len(row.name) for row in found)
    widths = [max(map(len, column)) for column in zip(*(row.cells for row in found), strict=True)]
    return ["  ".join([f"{row.name:{width}}", *map(str.rjust, row.cells, widths)]).rstrip() for row in found]
