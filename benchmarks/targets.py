"""Encodes to random targets: how close the files come, and how long the search takes.

    python -m benchmarks.targets RESULT.tsv FOLDER [--pairs 20] [--crop PIXELS] [--effort N] [--iterations N] [--seed 0]

One row for each pair of an image and a target: the target, the result, its outcome ("within" the tolerance, "MISSED",
or the reason of a refusal), the number of fits, the seconds of the encode and those before its last, full fit. Rows
that RESULT has already are not made again. Profiles alternate; targets are 0.08 to 1.5 bpp (as bytes or bpp) and 24 to
38 dB, and every fifth pair of the profile fnet has a fixed size.
"""

import argparse
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

import fourcodec
from benchmarks import tables
from fourcodec import images
from fourcodec.bench import sources
from fourcodec.errors import TargetError
from fourcodec.optimisation.progress import Progress
from fourcodec.optimisation.targets import BYTES_BELOW, PSNR_ABOVE_DB

COLUMNS = "pair picture profile size target wanted bytes bpp psnr_db outcome fits seconds search_seconds"
KINDS = ("target_bytes", "target_bpp", "target_psnr")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--crop", type=int, help="side in pixels of a random square of each image")
    parser.add_argument("--effort", type=int, default=5)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    done = {row[0] for row in tables.begin(options.result, COLUMNS.split())}
    found = sources.discover(options.folder)
    for pair in range(options.pairs):
        chance = random.Random(options.seed * 1000 + pair)
        name = chance.choice(found)
        picture = cut(images.load(options.folder / name).pixels, options.crop, chance)
        asked = wish(pair, chance, picture.shape[0] * picture.shape[1])
        if str(pair) not in done:
            row = measure(picture, asked, options.effort, options.iterations)
            tables.append(options.result, [str(pair), name, *row])
    print(options.result.read_text(), end="")


def cut(picture: np.ndarray, side: int | None, chance: random.Random) -> np.ndarray:
    """A random square of an image, or the whole image where `side` is None."""
    if side is None:
        return picture
    top, left = (chance.randrange(max(1, length - side + 1)) for length in picture.shape[:2])
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def wish(pair: int, chance: random.Random, pixels: int) -> dict[str, Any]:
    """Random arguments of encode for an image of so many pixels: target, profile, size."""
    kind, rate_bpp = chance.choice(KINDS), round(0.08 * (1.5 / 0.08) ** chance.random(), 3)
    value = {
        "target_bytes": int(rate_bpp * pixels / 8),
        "target_bpp": rate_bpp,
        "target_psnr": round(chance.uniform(24, 38), 1),
    }[kind]
    size = {"width": 7, "depth": 5} if pair % 10 == 9 else {}
    return {kind: value, "profile": "fnet" if pair % 2 else "grid", **size}


def measure(picture: np.ndarray, asked: dict[str, Any], effort: int, iterations: int | None) -> list[str]:
    """The columns of a row behind pair and picture."""
    kind = next(name for name in KINDS if name in asked)
    wanted, started, stages = asked[kind], time.perf_counter(), dict[str, float]()

    def watch(progress: Progress) -> None:
        stages.setdefault(progress.stage, time.perf_counter() - started)

    asked_for = [asked["profile"], f"{asked['width']}x{asked['depth']}" if "width" in asked else "", kind, str(wanted)]
    try:
        encoded = fourcodec.encode(picture, **asked, effort=effort, iterations=iterations, progress=watch)
        reached = [str(encoded.size_bytes), f"{encoded.rate_bpp:.4f}", f"{encoded.psnr_db or float('inf'):.3f}"]
        outcome = "within" if within(kind, wanted, encoded) else "MISSED"
    except TargetError as exc:
        reached, outcome = ["", "", ""], f"refused: {exc}"
    seconds = time.perf_counter() - started
    return [*asked_for, *reached, outcome, str(len(stages)), f"{seconds:.0f}", f"{stages.get('fit', 0):.0f}"]


def within(kind: str, wanted: float, encoded: fourcodec.Encoded) -> bool:
    """True where a file keeps the tolerance of its kind of target."""
    if kind == "target_psnr":
        return encoded.psnr_db is not None and wanted <= encoded.psnr_db <= wanted + PSNR_ABOVE_DB
    most = int(wanted * encoded.width * encoded.height / 8) if kind == "target_bpp" else wanted
    return (1 - BYTES_BELOW) * most <= encoded.size_bytes <= most


if __name__ == "__main__":
    main()
