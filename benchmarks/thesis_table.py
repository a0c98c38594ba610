"""The thesis' table of sizes on real bytes: width 4, 6, 8 by depth 2, 4, 6.

    python -m benchmarks.thesis_table FOLDER RESULT.tsv [--bench OUT] [options of fourcodec bench]

The thesis counted four bytes a coefficient and related them to the raw image. The table has those, the bytes of the
whole file, and JPEG's best file of at most as many. Means over 4 images unless --limit is given. A run in OUT is
resumed.
"""

from typing import Any

from benchmarks.bench_runs import report_run

OPTIONS = ["--width", "4,6,8", "--depth", "2,4,6", "--limit", "4"]
COLUMNS = (
    "size",
    "coefficients",
    "float32_bytes",
    "size_bytes",
    "bits_per_coefficient",
    "rate_bpp",
    "psnr_db",
    "ssim",
    "ms_ssim",
    "jpeg_psnr_db",
    "jpeg_interpolated_psnr_db",
    "jpeg_in_reach",
    "encode_seconds",
)


def table(results: dict[str, Any], command: str) -> str:
    """The table, tab-separated, one row for each size, under the command."""
    summary = results["summary"]
    matches = {match["setting"]: match for match in summary["matches"] if match["match"] == "bytes"}
    lines = [f"# {command}", f"# means over {summary['images']} pictures", "\t".join(COLUMNS)]
    lines += ["\t".join(row(size, ours, matches[size])) for size, ours in summary["ours"].items()]
    return "\n".join(lines) + "\n"


def row(size: str, ours: dict[str, Any], jpeg: dict[str, Any]) -> tuple[str, ...]:
    """Values in the order of COLUMNS; empty where no JPEG is so small, or the images are too small for a metric."""
    return (
        size,
        f"{ours['coefficients']:.0f}",
        f"{4 * ours['coefficients']:.0f}",
        f"{ours['size_bytes']:.0f}",
        f"{8 * ours['size_bytes'] / ours['coefficients']:.2f}",
        f"{ours['rate_bpp']:.4f}",
        f"{ours['psnr_db']:.2f}",
        _shown(ours.get("ssim"), 4),
        _shown(ours.get("ms_ssim"), 4),
        _shown(jpeg["peer"].get("psnr_db"), 2),
        _shown(jpeg["interpolated_psnr_db"], 2),
        f"{jpeg['in_reach']} of {jpeg['in_reach'] + jpeg['out_of_reach']}",
        f"{ours['encode_seconds']:.1f}",
    )


def _shown(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


if __name__ == "__main__":
    report_run(__doc__, OPTIONS, table)
