"""50,000 items take no more memory than 5,000 (but for a few bytes each)."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from fourcodec.batch import engine
from fourcodec.batch.engine import RunOptions
from fourcodec.bench import runner, sources
from fourcodec.bench.items import Item, Outcome
from fourcodec.bench.memory import peak_memory
from fourcodec.bench.rows import Row
from fourcodec.bench.settings import BenchSettings, OurSetting

Make = Callable[..., BenchSettings]


def outcome_of(item: Item, settings: BenchSettings) -> Outcome:
    """What a run of the real thing would leave, as to its amount."""
    quality = 30 + item.index % 97 / 100
    if item.our is None:
        rows = [
            Row(item.image, "jpeg", f"q={step} 4:2:0 progressive", "sweep", "", 900 * step, 0.1 * step, 25 + step)
            for step in (1, 2, 3)
        ]
        return Outcome(item.index, item.image, tuple(rows))
    ours = Row(item.image, "fourcodec", item.our.label, size_bytes=9000, rate_bpp=0.4, psnr_db=quality, ssim=0.9)
    peer = Row(item.image, "jpeg", "q=9 4:2:0 baseline", "bytes", item.our.label, 8990, 0.399, 29.5, 0.88)
    return Outcome(item.index, item.image, (ours, peer), is_jpeg=True)


def peak_mb(count: int, out: Path, settings: BenchSettings, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(sources, "discover", lambda _: [f"n{place:08}.JPEG" for place in range(count)])
    with peak_memory() as peak:
        finished = runner.run(settings, RunOptions(out, quiet=True))
    assert finished.aggregate.images == count
    assert peak.megabytes is not None
    return peak.megabytes


def test_memory_is_flat_over_50_000_items(tmp_path: Path, settings_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_here(items: Iterable[Item], _: object) -> Iterator[Outcome]:
        return (outcome_of(item, settings) for item in items)

    monkeypatch.setattr(engine, "run_here", run_here)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # 50,000 of them would test the disk
    settings = settings_of(tmp_path, ours=(OurSetting(8, 6),))
    few = peak_mb(2_500, tmp_path / "few", settings, monkeypatch)
    many = peak_mb(25_000, tmp_path / "many", settings, monkeypatch)
    assert many - few < 15  # MB; the rows alone are ten times that
    assert (tmp_path / "many" / "items.jsonl").stat().st_size > 20e6
    assert (tmp_path / "many" / "items.jsonl").read_bytes().count(b"\n") == 50_000
    with (tmp_path / "many" / "results.json").open() as file:
        assert len(json.load(file)["rows"]) == 125_000
