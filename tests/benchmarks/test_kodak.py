"""The tables of benchmarks/kodak.py, from rows and curves that are made up."""

import math
from pathlib import Path

import pytest

from benchmarks import kodak
from benchmarks.kodak import Row, Task
from fourcodec.bench.bdrate import Curve
from fourcodec.optimisation.settings import rate_weight_of

POINTS = {20.0: (0.2, 26.0), 45.0: (0.5, 30.0), 70.0: (1.0, 34.0), 90.0: (2.0, 39.0)}  # bpp and dB by quality


def row(image: str, quality: float, seconds: float = 100.0) -> Row:
    rate_bpp, psnr_db = POINTS[quality]
    return Row(image, quality, 5, round(1000 * rate_bpp), rate_bpp, psnr_db, seconds, 1, 2, "a processor", "0.1 (abc)")


def scaled(factor: float) -> Curve:
    """The curve of POINTS at `factor` times the rate: its BD-rate is known."""
    return [(factor * rate_bpp, psnr_db) for rate_bpp, psnr_db in POINTS.values()]


def table_of(text: str, heading: str) -> list[list[str]]:
    """Cells of the table whose heading begins so, without heading and rule."""
    block = next(block for block in text.split("\n\n") if block.startswith(f"| {heading} "))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().splitlines()[2:]]


def test_a_curve_at_twice_the_rate_has_a_bd_rate_of_minus_half_and_means_are_over_images() -> None:
    rows = [row(image, quality, seconds) for image, seconds in (("a", 100), ("b", 200)) for quality in POINTS]
    curves = {"a": {"JPEG": scaled(2), "AVIF": scaled(1)}, "b": {"JPEG": scaled(1), "AVIF": scaled(0.5)}}
    first, second, mean = table_of(kodak.summary(rows, curves), "image")
    assert first == ["a", "0.200, 26.00", "0.500, 30.00", "1.000, 34.00", "2.000, 39.00", "-50.0%", "+0.0%", "100"]
    assert second[-3:] == ["+0.0%", "+100.0%", "200"]
    assert mean == ["mean of 2", "", "", "", "", "-25.0%", "+50.0%", "150"]


def test_missing_files_and_codecs_leave_cells_without_a_number() -> None:
    rows = [row("a", quality) for quality in POINTS] + [row("b", 20.0)]
    text = kodak.summary(rows, {"a": {"JPEG": scaled(2)}, "b": {"JPEG": scaled(2)}, "c": {"JPEG": scaled(2)}})
    _, second, mean = table_of(text, "image")
    assert second == ["b", "0.200, 26.00", "", "", "", "none", "100"]
    assert mean == ["mean of 2", "", "", "", "", "-50.0%", "100"]


def test_cost_is_mse_and_lambda_bpp_and_is_compared_with_the_least_of_the_anchor() -> None:
    rate_weight = rate_weight_of(45)
    cost = 1000 * (10**-3 + rate_weight * 0.5)
    assert row("a", 45.0).cost == pytest.approx(cost)
    anchor = scaled(1)
    gaps = [kodak.gap_percent(row("a", quality), anchor) for quality in POINTS]
    assert all(gap >= -1e-6 for gap in gaps)  # every file lies on the anchor's curve, so none is below its least
    assert kodak.gap_percent(row("a", 45.0), scaled(2)) < 0
    text = kodak.summary([row("a", quality) for quality in POINTS], {"a": {kodak.ANCHOR: anchor}})
    (first, mean) = table_of(text, "1000 J")
    assert first[2] == f"{cost:.3f} ({gaps[1]:+.1f}%)"
    assert mean[0] == f"mean against {kodak.ANCHOR}"


def test_a_file_is_compared_with_other_codecs_at_as_many_bytes() -> None:
    rows = [row("a", quality) for quality in POINTS]
    text = kodak.summary(rows, {"a": {"JPEG": [(rate, psnr - 1.5) for rate, psnr in scaled(1)], "AVIF": scaled(2)}})
    jpeg, avif = table_of(text, "dB at equal bytes")
    assert jpeg == ["a", "JPEG", "+1.50", "+1.50", "+1.50", "+1.50"]
    assert avif[:3] == ["a", "AVIF", "none"]  # the curve begins at twice the rate of the smallest file
    assert float(avif[4]) == pytest.approx(4.0)  # at 1 bpp its PSNR is that of the file of 0.5 bpp


def test_rows_that_are_there_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Task] = []

    def measure(task: Task) -> Row:
        made.append(task)
        return row(task.path.stem, task.quality)

    monkeypatch.setattr(kodak, "measure", measure)
    table, tasks = tmp_path / "rows.tsv", [Task(Path("a.png"), quality, 5, 1) for quality in POINTS]
    kodak.measure_all(table, tasks[:2], jobs=1)
    kodak.measure_all(table, tasks, jobs=1)
    assert made == tasks
    assert kodak.read(table) == [row("a", quality) for quality in POINTS]


def test_an_exact_copy_has_a_row_and_no_part_in_bd_rates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = Row("a", 90.0, 5, 60, 0.1, math.inf, 1.0, 1, 1, "a processor", "0.1 (abc)")
    monkeypatch.setattr(kodak, "measure", lambda task: exact)
    kodak.measure_all(tmp_path / "rows.tsv", [Task(Path("a.png"), 90.0, 5, 1)], jobs=1)
    (read,) = kodak.read(tmp_path / "rows.tsv")
    assert read == exact
    assert "0.100, inf | none" in kodak.summary([read], {"a": {"JPEG": scaled(2)}})
