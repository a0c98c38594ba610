"""The headline: rate-distortion of the profile grid by quality, beside JPEG, WebP, AVIF and, if given, Cool-chic.

    python -m benchmarks.kodak ROWS.tsv IMAGE... [--quality 20,45,70,90] [--effort 5] [--jobs 2]
        [--keep FOLDER] [--summary TABLE.md] [--anchor POINTS.tsv]

Each image is encoded at each quality, and a row is appended to ROWS for each file: its bytes, the PSNR of the pixels
decoded from it, the seconds of the encode, and what made it. Files that have a row already are not made again, so that
a run that was stopped goes on. With --jobs, so many encodes run at a time, each with its share of the cores.
--keep writes the files to FOLDER, from which benchmarks.visual measures what people see.

--summary writes the tables of docs/results.md: rates, PSNRs, BD-rates and seconds, then J = MSE + lambda bpp, then how
far each file is above the other codecs at as many bytes. The settings of the other codecs are those of
fourcodec.bench.baselines. POINTS has Cool-chic's published points, in columns seq_name (an image's name without its
suffix), rate_bpp and psnr_db; J is then compared with the least on its curve.
"""

import argparse
import csv
import itertools
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator

import fourcodec
from benchmarks.curves import PEERS, cells, cost, curve_of, mean, peer_files, shown
from fourcodec import files, images, metrics
from fourcodec.batch.processes import run_here, run_in_processes
from fourcodec.batch.work import Work
from fourcodec.bench import environment
from fourcodec.bench.bdrate import Curve, bd_rate, rising
from fourcodec.optimisation.settings import rate_weight_of
from fourcodec.threads import thread_count

ANCHOR = "Cool-chic"
CURVE_SAMPLES = 4000  # points of the interpolated anchor among which the least J is looked for


@dataclass(frozen=True)
class Task:
    """One encode of the profile grid."""

    path: Path
    quality: float
    effort: int
    jobs: int  # encodes at a time; only for the record
    keep: Path | None = None  # the folder that the file is written to

    @property
    def key(self) -> tuple[str, float, int]:
        return self.path.stem, self.quality, self.effort


@dataclass(frozen=True)
class Row:
    """One file as it was measured."""

    image: str
    quality: float
    effort: int
    size_bytes: int
    rate_bpp: float
    psnr_db: float  # over RGB, 8 bits; infinite for an exact copy
    seconds: float  # of the whole encode, wall clock
    threads: int
    jobs: int
    processor: str
    version: str

    @property
    def key(self) -> tuple[str, float, int]:
        return self.image, self.quality, self.effort

    @property
    def cost(self) -> float:
        """1000 J at the lambda of the quality."""
        return cost(self.rate_bpp, self.psnr_db, rate_weight_of(self.quality))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--quality", default="20,45,70,90")
    parser.add_argument("--effort", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--anchor", type=Path)
    options = parser.parse_args()
    qualities = [float(quality) for quality in options.quality.split(",")]
    pairs = itertools.product(options.images, qualities)
    tasks = [Task(path, quality, options.effort, options.jobs, options.keep) for path, quality in pairs]
    measure_all(options.rows, tasks, options.jobs)
    if options.summary:
        keys = {task.key for task in tasks}
        rows = [row for row in read(options.rows) if row.key in keys]
        anchors = read_anchors(options.anchor) if options.anchor else {}
        curves = {path.stem: curves_of(path, anchors) for path in options.images}
        files.write(options.summary, summary(rows, curves).encode(), overwrite=True)


def measure_all(table: Path, tasks: Iterable[Task], jobs: int) -> None:
    """Appends the rows that are missing, as they come."""
    if not table.exists():
        table.write_text("\t".join(field.name for field in fields(Row)) + "\n")
    done = {row.key for row in read(table)}
    missing = [task for task in tasks if task.key not in done]
    work = Work(measure, failed)
    for row in run_in_processes(missing, work, jobs) if jobs > 1 else run_here(missing, work):
        with table.open("a") as file:
            file.write("\t".join(map(str, astuple(row))) + "\n")
        print(
            f"{row.image} q {row.quality:g}: {row.rate_bpp:.3f} bpp, {row.psnr_db:.2f} dB, {row.seconds:.0f} s",
            flush=True,
        )


def kept_name(path: Path, quality: float) -> str:
    """The name of the file of a picture at a quality in the folder of --keep."""
    return f"{path.stem}-q{quality:g}.fnc"


def measure(task: Task) -> Row:
    """Encodes, decodes and compares."""
    original = images.plain(images.load(task.path)).pixels
    started = time.perf_counter()
    data = fourcodec.encode(original, profile="grid", quality=task.quality, effort=task.effort, device="cpu").data
    seconds = time.perf_counter() - started
    if task.keep:
        files.write(task.keep / kept_name(task.path, task.quality), data, overwrite=True)
    height, width = original.shape[:2]
    return Row(
        *task.key,
        size_bytes=len(data),
        rate_bpp=metrics.bpp(len(data), width, height),
        psnr_db=metrics.psnr_db(original, fourcodec.decode(data)),
        seconds=round(seconds, 1),
        threads=thread_count(),
        jobs=task.jobs,
        processor=str(environment.machine()["processor"]),
        version="{} ({})".format(*(environment.versions()[name] for name in ("fourcodec", "fourcodec's code"))),
    )


def failed(task: Task, reason: str) -> Row:
    """Ends the run where a worker process died again and again."""
    raise SystemExit(f"{task.path} at quality {task.quality:g}: {reason}")


def read(table: Path) -> list[Row]:
    """The rows of a table, types as in Row."""
    with table.open(newline="") as file:
        return [
            Row(**{field.name: field.type(row[field.name]) for field in fields(Row)})  # type: ignore[operator]
            for row in csv.DictReader(file, delimiter="\t")
        ]


def read_anchors(points: Path) -> dict[str, Curve]:
    """Curves by image from a table with the columns seq_name, rate_bpp, psnr_db."""
    found: dict[str, list[tuple[float, float]]] = {}
    with points.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found.setdefault(row["seq_name"], []).append((float(row["rate_bpp"]), float(row["psnr_db"])))
    return {name: rising(curve) for name, curve in found.items()}


def curves_of(path: Path, anchors: Mapping[str, Curve]) -> dict[str, Curve]:
    """The curves that an image is compared with, by the names of the table's columns."""
    peers = peer_files(images.plain(images.load(path)).pixels)
    curves = {PEERS[peer]: curve_of(found) for peer, found in peers.items()}
    return curves | ({ANCHOR: anchors[path.stem]} if path.stem in anchors else {})


def summary(rows: Sequence[Row], curves: Mapping[str, Mapping[str, Curve]]) -> str:
    """The tables in Markdown. `curves` holds the other codecs' by image and name; images without a row are left out."""
    by_image = {name: {row.quality: row for row in rows if row.image == name} for name in curves}
    measured = {name: found for name, found in by_image.items() if found}
    qualities = sorted({row.quality for row in rows})
    codecs = list(dict.fromkeys(codec for name in measured for codec in curves[name]))
    return "\n".join(
        [
            about(rows),
            "",
            *rates(measured, curves, qualities, codecs),
            "",
            *costs(measured, curves, qualities),
            "",
            *leads(measured, curves, qualities),
            "",
        ]
    )


def about(rows: Sequence[Row]) -> str:
    """One line that says what made the rows; several values of one thing are all named."""

    def of(name: str) -> str:
        return ", ".join(dict.fromkeys(str(asdict(row)[name]) for row in rows))

    return (
        f"Profile grid, effort {of('effort')}, fourcodec {of('version')}; threads an encode: {of('threads')}, encodes "
        f"at a time: {of('jobs')}, on {of('processor')}. Each cell: bits per pixel, PSNR in dB."
    )


def rates(
    measured: Mapping[str, Mapping[float, Row]],
    curves: Mapping[str, Mapping[str, Curve]],
    qualities: Sequence[float],
    codecs: Sequence[str],
) -> list[str]:
    """A row for each image: its files, BD-rates against the codecs, seconds an encode; then the means over images."""
    heading = ["image", *(f"q {quality:g}" for quality in qualities)]
    heading += [*(f"BD-rate: {codec}" for codec in codecs), "s/encode"]
    lines, percents, seconds = [cells(heading), cells(["---"] * len(heading))], [], []
    for name, found in measured.items():
        ours = rising((row.rate_bpp, row.psnr_db) for row in found.values() if math.isfinite(row.psnr_db))
        percents.append([bd_rate(curves[name].get(codec, []), ours).percent for codec in codecs])
        seconds.append(mean(row.seconds for row in found.values()))
        points = [found.get(quality) for quality in qualities]
        shown_points = ["" if row is None else f"{row.rate_bpp:.3f}, {row.psnr_db:.2f}" for row in points]
        lines.append(cells([name, *shown_points, *map(_percent, percents[-1]), shown(seconds[-1], ".0f")]))
    means = [mean(of_codec) for of_codec in zip(*percents, strict=True)]
    empty = [""] * len(qualities)
    return [*lines, cells([f"mean of {len(measured)}", *empty, *map(_percent, means), shown(mean(seconds), ".0f")])]


def costs(
    measured: Mapping[str, Mapping[float, Row]],
    curves: Mapping[str, Mapping[str, Curve]],
    qualities: Sequence[float],
) -> list[str]:
    """A row for each image: 1000 J of each file, and by how much it is above the anchor's least at the same lambda."""
    heading = ["1000 J", *(f"q {quality:g}" for quality in qualities)]
    lines, gaps = [cells(heading), cells(["---"] * len(heading))], list[list[float | None]]()
    for name, found in measured.items():
        anchor, points = curves[name].get(ANCHOR), [found.get(quality) for quality in qualities]
        gaps.append([None if row is None or anchor is None else gap_percent(row, anchor) for row in points])
        pairs = zip(points, gaps[-1], strict=True)
        shown_costs = ["" if row is None else f"{row.cost:.3f}{_in_brackets(gap)}" for row, gap in pairs]
        lines.append(cells([name, *shown_costs]))
    if any(gap is not None for of_image in gaps for gap in of_image):
        means = [mean(of_quality) for of_quality in zip(*gaps, strict=True)]
        lines.append(cells([f"mean against {ANCHOR}", *map(_percent, means)]))
    return lines


def leads(
    measured: Mapping[str, Mapping[float, Row]],
    curves: Mapping[str, Mapping[str, Curve]],
    qualities: Sequence[float],
) -> list[str]:
    """A row for each image and codec: the PSNR of each file above the codec's at as many bytes, in dB."""
    heading = ["dB at equal bytes", "codec", *(f"q {quality:g}" for quality in qualities)]
    lines = [cells(heading), cells(["---"] * len(heading))]
    for name, found in measured.items():
        points = [found.get(quality) for quality in qualities]
        for codec, curve in curves[name].items():
            decibels = [None if row is None else lead_db(row, curve) for row in points]
            lines.append(cells([name, codec, *(shown(value, "+.2f") for value in decibels)]))
    return lines


def lead_db(row: Row, curve: Curve) -> float | None:
    """The PSNR of a file above that of another codec's curve at its rate; None beyond the ends of the curve."""
    if not curve[0][0] <= row.rate_bpp <= curve[-1][0]:
        return None
    return row.psnr_db - float(psnr_over_log_rate(curve)(math.log(row.rate_bpp)))


def gap_percent(row: Row, anchor: Curve) -> float:
    """How far J of a file is above the least J on another codec's curve, at the lambda of the file's quality."""
    between = np.linspace(math.log(anchor[0][0]), math.log(anchor[-1][0]), CURVE_SAMPLES)
    decibels = psnr_over_log_rate(anchor)(between)
    weight = rate_weight_of(row.quality)
    least = min(cost(math.exp(rate), psnr, weight) for rate, psnr in zip(between, decibels, strict=True))
    return 100 * (row.cost / least - 1)


def psnr_over_log_rate(curve: Curve) -> PchipInterpolator:
    """PSNR as a function of the natural logarithm of the rate: monotone cubics (PCHIP) through the curve's points."""
    return PchipInterpolator(np.log([rate for rate, _ in curve]), [psnr for _, psnr in curve])


def _percent(value: float | None) -> str:
    return shown(value, "+.1f", "%")


def _in_brackets(value: float | None) -> str:
    return "" if value is None else f" ({_percent(value)})"


if __name__ == "__main__":
    main()
