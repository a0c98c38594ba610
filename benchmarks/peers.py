"""BD-rates of the other codecs against JPEG on a folder of images.

    python -m benchmarks.peers FOLDER RESULT.txt [--bench OUT]

Runs `fourcodec bench FOLDER --peers-only` on all images and writes its BD-rates as text. A run in OUT is resumed.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from fourcodec import cli

CODECS = "jpeg,webp,avif,jpeg-default"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--bench", type=Path, help="folder of the run, kept and resumed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = arguments.bench or Path(temporary) / "bench"
        options = ["--peers-only", "--codecs", CODECS, "--limit", "all", "-o", str(out), "--resume"]
        status = cli.run(["bench", str(arguments.folder), *options])
        if status:
            raise SystemExit(status)
        results = json.loads((out / "results.json").read_text())
        text = report(results, f"fourcodec bench {arguments.folder.name} --peers-only --codecs {CODECS} --limit all")
    arguments.result.write_text(text)
    print(text, end="")


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
    main()
