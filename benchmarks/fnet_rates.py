"""Rate-distortion of the profile fnet at target rates, beside JPEG, WebP and AVIF.

    python -m benchmarks.fnet_rates ROWS.tsv [--rates 0.08,0.15,0.25,0.4] [--effort 5] [--crop PIXELS] IMAGE...
    python -m benchmarks.fnet_rates ROWS.tsv --summary SUMMARY.md [--plot PLOT.png] IMAGE...

The first command makes a row for each image and rate: bytes, decoded PSNR and seconds of the encode. Rows that are
there already are not made again. The second reads the rows and the images. Its table has, for each image, the
difference in PSNR from JPEG at exactly as many bytes (interpolated between its best files), the rate at which the two
curves cross, and the BD-rates against JPEG, WebP and AVIF, computed as by `fourcodec bench`.
"""

import argparse
import csv
import io
import itertools
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

import fourcodec
from benchmarks import tables
from benchmarks.crops import centre
from benchmarks.curves import PEERS, cells, curve_of, mean, peer_files, shown
from fourcodec import files, images
from fourcodec.bench.bdrate import Curve, bd_rate, rising
from fourcodec.bench.matching import PeerFiles, interpolated_psnr_db
from fourcodec.bitstream import container
from fourcodec.errors import TargetError
from fourcodec.optimisation.progress import Progress

COLUMNS = ("picture", "crop", "effort", "target_bpp", "network", "size_bytes", "bpp", "psnr_db", "seconds", "searching")
OURS = "pure network"
HEADING = (
    "| picture | crop | effort | bpp, PSNR (network) | dB above JPEG | crossing bpp | JPEG | WebP | AVIF | seconds |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
Pixels = npt.NDArray[np.uint8]
Row = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--rates", default="0.08,0.15,0.25,0.4", help="in bits per pixel of the whole file")
    parser.add_argument("--effort", type=int, default=5)
    parser.add_argument("--crop", type=int, default=0, help="side of the centre square in pixels, 0: all")
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("images", nargs="+", type=Path)
    options = parser.parse_args()
    if options.summary:
        summarise(options.rows, options.images, options.summary, options.plot)
    else:
        rates = [float(rate) for rate in options.rates.split(",")]
        measure_all(options.rows, options.images, rates, options.effort, options.crop)


def measure_all(table: Path, paths: Sequence[Path], rates: Sequence[float], effort: int, crop: int) -> None:
    done = {tuple(row[:4]) for row in tables.begin(table, COLUMNS)}
    for path in paths:
        picture = loaded(path, crop)
        for rate in rates:
            key = (path.name, str(crop), str(effort), f"{rate:g}")
            if key not in done:
                tables.append(table, [*key, *measure(picture, rate, effort)])


def read(table: Path) -> list[Row]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def loaded(path: Path, crop: int) -> Pixels:
    """uint8 (H, W, 3) of an image or of its centre square."""
    return centre(images.load(path).pixels, crop)


def measure(picture: Pixels, rate_bpp: float, effort: int) -> list[str]:
    """The columns after the key of a row; where the target is refused, all but the seconds are empty."""
    started, stages = time.perf_counter(), dict[str, float]()

    def watch(progress: Progress) -> None:
        stages.setdefault(progress.stage, time.perf_counter() - started)

    try:
        encoded = fourcodec.encode(picture, profile="fnet", target_bpp=rate_bpp, effort=effort, progress=watch)
        network = "x".join(map(str, container.read(encoded.data)[0].architecture))
        reached = [network, str(encoded.size_bytes), f"{encoded.rate_bpp:.5f}", f"{encoded.psnr_db or math.inf:.4f}"]
    except TargetError:
        reached = [""] * 4
    return [*reached, f"{time.perf_counter() - started:.0f}", f"{stages.get('fit', 0):.0f}"]


def summarise(table: Path, paths: Sequence[Path], summary: Path, plot: Path | None) -> None:
    runs = defaultdict(list)
    for row in read(table):
        if row["size_bytes"]:
            runs[row["picture"], row["crop"], row["effort"]].append(row)
    lines, drawn, percents = list(HEADING), list[tuple[str, dict[str, Curve]]](), list[dict[str, float | None]]()
    for path in paths:
        for (name, crop, effort), rows in runs.items():
            if name == path.name:
                picture = loaded(path, int(crop))
                peers = peer_files(picture)
                curves = {peer: curve_of(peers[peer]) for peer in PEERS}
                curves[OURS] = rising((float(row["bpp"]), float(row["psnr_db"])) for row in rows)
                percents.append({peer: bd_rate(curves[peer], curves[OURS]).percent for peer in PEERS})
                lines.append(line([path.stem, crop, effort], rows, peers["jpeg"], percents[-1]))
                drawn.append((f"{path.stem}, effort {effort}", curves))
    means = [mean([percent[peer] for percent in percents]) for peer in PEERS]
    lines.append(cells(["mean", "", "", "", "", "", *(shown(value, "+.1f", "%") for value in means), ""]))
    files.write(summary, ("\n".join(lines) + "\n").encode(), overwrite=True)
    if plot:
        draw(drawn, plot)


def line(names: list[str], rows: list[Row], jpeg: PeerFiles, percents: dict[str, float | None]) -> str:
    theirs = [interpolated_psnr_db(jpeg, int(row["size_bytes"])) for row in rows]
    ahead = [None if db is None else float(row["psnr_db"]) - db for row, db in zip(rows, theirs, strict=True)]
    points = ", ".join(f"{float(row['bpp']):.3f} {float(row['psnr_db']):.2f} ({row['network']})" for row in rows)
    seconds = ", ".join(f"{row['seconds']} ({row['searching']})" for row in rows)
    crossing = crossing_bpp([float(row["bpp"]) for row in rows], ahead)
    return cells(
        [
            *names,
            points,
            ", ".join(shown(db, "+.2f") for db in ahead),
            shown(crossing, ".2f"),
            *(shown(percents[peer], "+.1f", "%") for peer in PEERS),
            seconds,
        ]
    )


def crossing_bpp(rates: list[float], ahead: list[float | None]) -> float | None:
    """The rate from which JPEG is better, interpolated linearly in log-rate; None where there is no such rate."""
    known = [(rate, db) for rate, db in sorted(zip(rates, ahead, strict=True)) if db is not None]
    for (low, before), (high, after) in itertools.pairwise(known):
        if before >= 0 > after:
            return math.exp(math.log(low) + math.log(high / low) * before / (before - after))
    return None


def draw(drawn: list[tuple[str, dict[str, Curve]]], plot: Path) -> None:
    """A panel for each image, over the rates of our curve and half an octave beyond."""
    columns = min(3, len(drawn))
    down = -(-len(drawn) // columns)
    figure = Figure(figsize=(4 * columns, 3.2 * down), layout="constrained")
    for axes, (title, curves) in zip(figure.subplots(down, columns, squeeze=False).flat, drawn, strict=False):
        lowest, highest = curves[OURS][0][0] / 1.4, curves[OURS][-1][0] * 1.4
        for name, curve in curves.items():
            points = [point for point in curve if lowest <= point[0] <= highest]
            axes.plot(*zip(*points, strict=True), marker="o" if name == OURS else ".", label=name)
        axes.set(title=title, xscale="log", xlabel="bits per pixel", ylabel="PSNR (dB)")
        axes.xaxis.set_major_locator(FixedLocator([0.05, 0.1, 0.2, 0.5, 1, 2, 5]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(lowest, highest)
        axes.grid(alpha=0.3)
        axes.legend()
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=90)
    files.write(plot, data.getvalue(), overwrite=True)


if __name__ == "__main__":
    main()
