"""Checks `fourcodec bench` against measurements made elsewhere: compares a run of benchmarks.peers with them.

    python -m benchmarks.check_instrument OUT RESULT.txt [--points POINTS.tsv] [--script SCRIPT.py --pictures FOLDER]

OUT is the run's folder (--bench of benchmarks.peers). POINTS.tsv has files of Pillow's JPEG at its defaults, in columns
image, quality, size_bytes, psnr_db. SCRIPT.py is an independent measurement that defines PEERS (settings by codec),
peer_curve(image, settings) and bd_rate(reference, tested). The exit status is 1 where a point differs by more than 0.05
dB or 1% of bytes, or a mean BD-rate by more than one percentage point.
"""

import argparse
import csv
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from PIL import Image

LARGEST_DB, LARGEST_SIZE_PERCENT, LARGEST_BD_POINTS = 0.05, 1.0, 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--points", type=Path)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    lines, passed = [], True
    if arguments.points:
        line, good = compare_points(arguments.out, arguments.points)
        lines, passed = [line], good
    if arguments.script:
        for line, good in compare_bd_rates(arguments.out, load(arguments.script), arguments.pictures):
            lines.append(line)
            passed &= good
    text = "\n".join([*lines, "the instrument is true" if passed else "THE INSTRUMENT IS NOT TRUE"]) + "\n"
    arguments.result.write_text(text)
    print(text, end="")
    raise SystemExit(not passed)


def compare_points(out: Path, points: Path) -> tuple[str, bool]:
    """Compares each point with our row of the same image and quality: a line of text, and True if all agree."""
    with (out / "results.csv").open(newline="") as file:
        rows = {(row["image"], row["setting"]): row for row in csv.DictReader(file) if row["codec"] == "jpeg-default"}
    worst_db = worst_size_percent = 0.0
    count = 0
    with points.open(newline="") as file:
        for point in csv.DictReader(file, delimiter="\t"):
            row = rows[point["image"], f"q={point['quality']}"]
            count += 1
            worst_db = max(worst_db, abs(float(row["psnr_db"]) - float(point["psnr_db"])))
            size_bytes = int(point["size_bytes"])
            worst_size_percent = max(worst_size_percent, 100 * abs(int(row["size_bytes"]) - size_bytes) / size_bytes)
    apart = f"at most {worst_db:.4f} dB and {worst_size_percent:.3f}% of bytes apart"
    return (
        f"{count} JPEG points at Pillow's defaults: {apart}",
        count > 0 and worst_db <= LARGEST_DB and worst_size_percent <= LARGEST_SIZE_PERCENT,
    )


def compare_bd_rates(out: Path, script: ModuleType, pictures: Path) -> Iterator[tuple[str, bool]]:
    """Compares mean BD-rates against JPEG, ours and the script's: for each codec a line and True if they agree."""
    summary = json.loads((out / "results.json").read_text())["summary"]
    ours = {rate["codec"]: rate["percent"] for rate in summary["bd_rates"]}
    theirs: dict[str, list[float]] = {codec: [] for codec in script.PEERS if codec in ours}
    for path in sorted(pictures.iterdir()):
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        jpeg = script.peer_curve(image, script.PEERS["jpeg"])
        for codec, rates in theirs.items():
            rates.append(script.bd_rate(jpeg, script.peer_curve(image, script.PEERS[codec])))
    for codec, rates in theirs.items():
        mean = sum(rates) / len(rates)
        line = f"BD-rate of {codec} against jpeg: {ours[codec]:+.2f}%, by the independent script {mean:+.2f}%"
        yield line, abs(ours[codec] - mean) <= LARGEST_BD_POINTS


def load(path: Path) -> ModuleType:
    """Imports a script by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
