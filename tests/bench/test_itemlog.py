"""What is in the log is whole, whenever the process died."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fourcodec.batch import journal
from fourcodec.batch.journal import Journal, RunError
from fourcodec.bench.itemlog import ItemLog
from fourcodec.bench.items import Outcome
from fourcodec.bench.rows import Row


def outcome(index: int) -> Outcome:
    row = Row(f"{index}.png", "fourcodec", "8x6", size_bytes=1000 + index, rate_bpp=0.5, psnr_db=30.25, note="a, b")
    return Outcome(index, row.image, (row,), is_jpeg=True, data=b"file")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "items.jsonl"


@contextmanager
def opened(path: Path, count: int = 5) -> Iterator[ItemLog]:
    with Journal(path) as lines:
        yield ItemLog(lines, path.parent / "files", count)


def test_outcomes_come_back_in_the_order_of_their_numbers(path: Path) -> None:
    with opened(path) as log:
        for index in (3, 0, 2):
            log.append(outcome(index))
    with opened(path) as log:
        assert [entry.index for entry in log] == [0, 2, 3]
        assert len(log) == 3
        assert 2 in log
        assert 1 not in log
        assert log[2].rows == outcome(2).rows
        assert log.file_of(2).read_bytes() == b"file"


def test_a_line_torn_at_any_byte_costs_that_item_only(path: Path) -> None:
    with opened(path) as log:
        log.append(outcome(0))
        whole = path.stat().st_size
        log.append(outcome(1))
    data = path.read_bytes()
    for end in range(whole, len(data)):
        path.write_bytes(data[:end])
        with opened(path) as log:
            assert [entry.index for entry in log] == [0]
            log.append(outcome(1))
            assert [entry.index for entry in log] == [0, 1]
        assert path.read_bytes() == data


SOUND = '{"index":0,"image":"a.png","is_jpeg":false,"rows":[{"image":"a.png","codec":"jpeg","psnr_db":1}]}'


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "null",
        "[]",
        "[" * 100_000,
        '{"a":' * 100_000,
        "\0",
        SOUND.replace('"index":0', '"index":-1'),
        SOUND.replace('"index":0', '"index":true'),
        SOUND.replace('"index":0', '"index":1e400'),
        SOUND.replace('"a.png"', "null"),
        SOUND.replace('"rows":[', '"rows":[7,'),
        SOUND.replace('"psnr_db":1', '"psnr_db":"1"'),
        SOUND.replace('"psnr_db":1', '"psnr_db":NaN'),
        SOUND.replace('"codec":"jpeg",', ""),
        SOUND.replace('"is_jpeg":false', '"data":"x"'),
    ],
    ids=str,
)
def test_a_damaged_log_is_refused(path: Path, line: str) -> None:
    path.write_text(f"{SOUND}\n{line}\n")
    with pytest.raises(RunError, match=f"damaged at byte {len(SOUND) + 1}: begin anew with -f"), opened(path):
        pass


def test_a_line_without_an_end_is_not_held_in_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_LINE_BYTES", 1000)
    path.write_bytes(b"x" * 2000)
    with pytest.raises(RunError, match="damaged at byte 0"), opened(path):
        pass


def test_an_outcome_of_another_run_is_refused(path: Path) -> None:
    with opened(path) as log:
        log.append(outcome(0))
    with Journal(path) as lines, pytest.raises(RunError, match="damaged at byte 0"):
        ItemLog(lines, path.parent / "files", 5, lambda entry: entry.image == "a.png")


@pytest.mark.skipif(os.name != "posix", reason="links as on POSIX")
def test_links_in_the_folder_lead_nowhere(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".a.fnc.0123456789ab.tmp").touch()
    before = sorted(elsewhere.iterdir())
    (tmp_path / "files").symlink_to(elsewhere)
    with pytest.raises(RunError, match="is a link"), opened(path):
        pass
    path.unlink()
    path.symlink_to(elsewhere / "new")
    with pytest.raises(RunError, match="is a link"), opened(path):
        pass
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(RunError, match="not a regular file"), opened(path):
        pass
    assert sorted(elsewhere.iterdir()) == before


def test_a_log_of_a_longer_run_is_refused(path: Path) -> None:
    with opened(path) as log:
        log.append(outcome(4))
    with pytest.raises(RunError, match="damaged"), opened(path, count=2):
        pass


def test_two_runs_do_not_share_a_log(path: Path) -> None:
    with opened(path), pytest.raises(RunError, match="another run is writing"), opened(path):
        pass
    with opened(path):
        pass
