"""The thesis' table of sizes on real bytes: width 4, 6, 8 by depth 2, 4, 6.

    python -m benchmarks.thesis_table FOLDER RESULT.tsv [--bench OUT] [options of fourcodec bench]

The thesis counted four bytes a coefficient and related them to the raw image. The table has those, the bytes of the
whole file, and JPEG's best file of at most as many. Means over 4 images unless --limit is given. A run in OUT is
resumed.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from fourcodec import cli

SIZES = ["--width", "4,6,8", "--depth", "2,4,6"]
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--bench", type=Path, help="folder of the run, kept and resumed")
    given, more = parser.parse_known_args()
    options = [*SIZES, *([] if "--limit" in more else ["--limit", "4"]), *more]
    with tempfile.TemporaryDirectory() as temporary:
        out = given.bench or Path(temporary) / "bench"
        status = cli.run(["bench", str(given.folder), *options, "-o", str(out), "--resume"])
        if status:
            raise SystemExit(status)
        results = json.loads((out / "results.json").read_text())
    text = table(results, " ".join(["fourcodec bench", given.folder.name, *options]))
    given.result.write_text(text)
    print(text, end="")


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
    main()
