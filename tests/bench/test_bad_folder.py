"""A folder of bad things: each is named in the summary, and the rest is measured."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourcodec.batch.engine import RunOptions
from fourcodec.bench.runner import Finished, run
from fourcodec.bench.settings import BenchSettings
from tests.support.benches import picture, table

Make = Callable[..., BenchSettings]

BAD = {
    "empty.jpg": "an empty file",
    "text.png": "not a picture of a known format",
    "truncated.JPEG": "is damaged",
    "folder.png": "a folder, not a file",
    "nowhere.png": "No such file or directory",
}
GOOD = ("cmyk.jpg", "deep.png", "fine.png", "folder.png/inside.png", "one.png")


@pytest.fixture
def bad_folder(tmp_path: Path) -> Path:
    top = tmp_path / "bad"
    (top / "folder.png").mkdir(parents=True)
    (top / "empty.jpg").touch()
    (top / "text.png").write_text("this is no picture")
    Image.fromarray(picture(1, 80, 96)).save(top / "truncated.JPEG", quality=90)
    data = (top / "truncated.JPEG").read_bytes()
    (top / "truncated.JPEG").write_bytes(data[: len(data) // 2])
    os.symlink(top / "gone.png", top / "nowhere.png")
    Image.fromarray(picture(2)).convert("CMYK").save(top / "cmyk.jpg")
    Image.fromarray(picture(3)[:, :, 0].astype(np.uint16) * 257).save(top / "deep.png")
    Image.fromarray(picture(4)).save(top / "fine.png")
    Image.fromarray(picture(5)).save(top / "folder.png" / "inside.png")
    Image.fromarray(picture(6)[:1, :1]).save(top / "one.png")
    return top


@pytest.fixture
def finished(bad_folder: Path, tmp_path: Path, settings_of: Make) -> Finished:
    return run(settings_of(bad_folder), RunOptions(tmp_path / "out", quiet=True))


def test_each_bad_file_is_named_with_its_reason_and_the_rest_is_done(finished: Finished, tmp_path: Path) -> None:
    assert finished.aggregate.skipped.count == len(BAD)
    assert finished.aggregate.images == len(GOOD)
    lines = (tmp_path / "out" / "summary.md").read_text().splitlines()
    for name, reason in BAD.items():
        assert any(line.startswith(f"| {name} | ") and reason in line for line in lines), name
    rows = table(tmp_path / "out")
    for name in BAD:
        assert any(row["image"] == name and row["note"].startswith("skipped: ") for row in rows)
    for name in GOOD:
        ours = [row for row in rows if row["image"] == name and row["codec"] == "fourcodec"]
        assert len(ours) == 2
        assert all(int(row["size_bytes"]) > 0 for row in ours)
    assert [row["note"] for row in rows if row["image"] == "deep.png" and row["codec"] == "fourcodec"] == [
        "16-bit samples are reduced to 8 bits"
    ] * 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(bad_folder: Path, tmp_path: Path, settings_of: Make) -> None:
    (bad_folder / "fine.png").chmod(0)
    run(settings_of(bad_folder), RunOptions(tmp_path / "out", quiet=True))
    assert "| fine.png | Permission denied |" in (tmp_path / "out" / "summary.md").read_text()


def test_a_folder_of_nothing_but_bad_files_still_has_a_summary(tmp_path: Path, settings_of: Make) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "text.png").write_text("this is no picture")
    finished = run(settings_of(tmp_path / "bad"), RunOptions(tmp_path / "out", quiet=True))
    assert finished.aggregate.measured_files == 0
    assert "| text.png |" in (tmp_path / "out" / "summary.md").read_text()
    assert (tmp_path / "out" / "report.html").exists()
