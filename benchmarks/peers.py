"""BD-rates of the other codecs against JPEG on a folder of images.

    python -m benchmarks.peers FOLDER RESULT.txt [--bench OUT]

Runs `fourcodec bench FOLDER --peers-only` on all images and writes its BD-rates as text. A run in OUT is resumed.
"""

from typing import Any

from benchmarks.bench_runs import report_run

OPTIONS = ["--peers-only", "--codecs", "jpeg,webp,avif,jpeg-default", "--limit", "all"]


def report(results: dict[str, Any], command: str) -> str:
    """The BD-rates by image and their means, under the command and the versions of everything used."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines = [f"# {command}", f"# {versions}", "", "image\tcodec\treference\tbd_rate_percent\toverlap"]
    for rate in results["bd_rates"]:
        known = rate["percent"] is not None
        value = f"{rate['percent']:+.2f}\t{rate['overlap']:.3f}" if known else f"{rate['why_not']}\t"
        lines.append(f"{rate['image']}\t{rate['codec']}\t{rate['reference']}\t{value}")
    for mean in results["summary"]["bd_rates"]:
        lines.append(f"mean of {mean['images']}\t{mean['codec']}\t{mean['reference']}\t{mean['percent']:+.2f}\t")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    report_run(__doc__, OPTIONS, report)
