"""The numbers of README.md are those of benchmarks/results: each is computed again from its file."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def text(name: str) -> str:
    return (RESULTS / name).read_text(encoding="utf-8")


def kodak_means(name: str) -> dict[str, float]:
    """The means of a summary of benchmarks.kodak: BD-rates by codec, and seconds an encode."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text(f"{name}.md").splitlines()]
    (heading,) = [row for row in rows if row[0] == "image"]
    (means,) = [row for row in rows if row[0].startswith("mean of")]
    named = zip(heading, means, strict=True)
    return {
        name.removeprefix("BD-rate: "): float(cell.strip("%")) for name, cell in named if re.match(r"[-+]?\d", cell)
    }


def grid_row(name: str) -> list[float]:
    """Seconds and the BD-rates of a row of README's table."""
    means = kodak_means(name)
    return [means[name] for name in ("s/encode", "JPEG", "WebP", "AVIF")]


def fnet_row(name: str) -> list[float]:
    summary = re.search(r"^\| mean \|.*?\| ([^|]*%) \| ([^|]*%) \| ([^|]*%) \|", text(f"{name}.md"), re.MULTILINE)
    assert summary is not None
    with (RESULTS / f"{name}.tsv").open(encoding="utf-8") as file:
        seconds = fmean(float(row["seconds"]) for row in csv.DictReader(file, delimiter="\t"))
    return [seconds, *(float(rate.strip("%")) for rate in summary.groups())]


# The beginning of a row of README's table, and what its seconds and BD-rates come from.
ROWS: list[tuple[str, Callable[[], list[float]]]] = [
    ("| grid, effort 5 (default) | 1,100 | 6 |", lambda: grid_row("kodak-grid")),
    ("| grid, effort 8 | 8,800 | 3 |", lambda: grid_row("kodak-effort8")),
    ("| fnet, effort 5 | 5,000 | 6 |", lambda: fnet_row("fnet-kodak")),
    ("| fnet, effort 9 | 60,000 | 2 |", lambda: fnet_row("fnet-effort9")),
]


@pytest.mark.parametrize(("beginning", "computed"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_of_the_table_is_what_its_file_gives(beginning: str, computed: Callable[[], list[float]]) -> None:
    (row,) = [line for line in README.splitlines() if line.startswith(beginning)]
    cells = [re.sub(r"[*,%]|one core", "", cell) for cell in row.removeprefix(beginning).strip(" |").split("|")]
    seconds, *rates = (float(cell) for cell in cells)
    assert seconds == pytest.approx(computed()[0], abs=0.51)
    assert rates == pytest.approx(computed()[1:], abs=0.051)


def networks_share_at_q20() -> tuple[float, float]:
    shares = []
    for row in csv.DictReader(text("grid-split.tsv").splitlines()[1:], delimiter="\t"):
        if row["quality"] == "20":
            parts = [float(row[name]) for name in ("header B", "networks B", "latents B")]
            shares.append(100 * parts[1] / sum(parts))
    return min(shares), max(shares)


def seconds_of_decoding(what: str) -> float:
    found = re.search(rf"decode 768x512 grid -q 60, {what}\s+median ([\d.]+) s", text("costs.txt"))
    assert found is not None
    return float(found[1])


def minutes_of_12_megapixels() -> float:
    """At the mean seconds per megapixel of camera photographs at default effort, on an idle machine."""
    rows = csv.DictReader(text("large-seconds.tsv").splitlines()[1:], delimiter="\t")
    taken = [float(row["seconds"]) / float(row["megapixels"]) for row in rows if row["effort"] == "5"]
    return 12 / 60 * sum(taken) / len(taken)


def seconds_on_cuda() -> float:
    """Of the encode that had nothing left to compile."""
    found = re.search(r"^kodim05\t\d+\t[\d.]+\t[\d.]+\t([\d.]+)$", text("grid-cuda.txt"), re.MULTILINE)
    assert found is not None
    return float(found[1])


# A phrase of README with one number in it, what the number comes from, and how exactly they agree.
PHRASES: list[tuple[str, Callable[[], float], float]] = [
    (r"on an H100 GPU \| 2,500 \| 1 \| (\d+) \|", seconds_on_cuda, 0.5),
    (r"Decoding takes ([\d.]+) s in a running process", lambda: seconds_of_decoding("in-process"), 0.005),
    (r"in a running process and ([\d.]+) s as a command", lambda: seconds_of_decoding("command"), 0.05),
    (r"12 megapixels take about (\d+) minutes", minutes_of_12_megapixels, 0.5),
    (r"`grid` needs (\d+)% more bytes", lambda: kodak_means("kodak-grid")["Cool-chic"], 0.5),
    (r"the networks are (\d+) to \d+% of the file", lambda: networks_share_at_q20()[0], 0.5),
    (r"the networks are \d+ to (\d+)% of the file", lambda: networks_share_at_q20()[1], 0.5),
]


@pytest.mark.parametrize(("phrase", "computed", "within"), PHRASES, ids=[row[0] for row in PHRASES])
def test_a_number_in_a_sentence_is_what_its_file_gives(
    phrase: str, computed: Callable[[], float], within: float
) -> None:
    (number,) = re.findall(phrase, re.sub(r"\s+", " ", README))
    assert float(number) == pytest.approx(computed(), abs=within)
