"""A run from the folder to the table, in one process."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourcodec.batch.cluster import ClusterError
from fourcodec.batch.engine import RunOptions
from fourcodec.batch.journal import RunError
from fourcodec.bench.rows import COLUMNS
from fourcodec.bench.runner import run
from fourcodec.bench.settings import BenchSettings, OurSetting
from tests.support.benches import make_folder, picture, stub_settings, table

Make = Callable[..., BenchSettings]
IMAGES = ("n01/a.png", "n01/b.JPEG", "n02/c.webp")
SIZES = ("4x2", "6x6")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of one run, only to be looked at."""
    top = tmp_path_factory.mktemp("run")
    settings = stub_settings(make_folder(top / "pictures"), peers=("jpeg", "webp"), seed=7)
    finished = run(settings, RunOptions(top / "out", quiet=True), "fourcodec bench pictures")
    assert finished.progress.complete
    assert finished.aggregate.images == 3
    return top / "out"


def test_a_run_leaves_every_output(out: Path) -> None:
    names = {path.name for path in out.iterdir()}
    assert {"results.csv", "results.json", "summary.md", "report.html", "rate_psnr.svg", "rate_psnr.png"} <= names
    assert not [name for name in names if name.endswith(".tmp")]


def test_the_table_holds_ours_the_curves_and_both_matches(out: Path) -> None:
    rows = table(out)
    assert list(rows[0]) == list(COLUMNS)
    ours = [row for row in rows if row["codec"] == "fourcodec"]
    assert [(row["image"], row["setting"]) for row in ours] == [(image, size) for image in IMAGES for size in SIZES]
    for row in ours:
        assert row["match"] == "none"
        item = 3 * IMAGES.index(row["image"]) + SIZES.index(row["setting"]) + 1
        size_bytes = (out / "files" / f"{item:06}.fnc").stat().st_size  # on the disk
        assert size_bytes == int(row["size_bytes"])
        assert float(row["rate_bpp"]) == pytest.approx(8 * size_bytes / (40 * 56), abs=1e-5)
        for codec in ("jpeg", "webp"):
            for match in ("bytes", "psnr"):
                wanted = {"image": row["image"], "codec": codec, "match": match, "matched_setting": row["setting"]}
                assert len([one for one in rows if wanted.items() <= one.items()]) == 1
    assert {row["match"] for row in rows} == {"none", "bytes", "psnr", "sweep"}


def test_matched_rows_keep_their_promise_or_say_why_not(out: Path) -> None:
    rows = table(out)
    ours = {(row["image"], row["setting"]): row for row in rows if row["codec"] == "fourcodec"}
    matched = [row for row in rows if row["matched_setting"]]
    assert len(matched) == 24
    for row in matched:
        our = ours[row["image"], row["matched_setting"]]
        if not row["size_bytes"]:
            assert row["setting"] == row["psnr_db"] == row["rate_bpp"] == ""
            assert "out of reach" in row["note"]
        elif row["match"] == "bytes":
            assert int(row["size_bytes"]) <= int(our["size_bytes"])
        else:
            assert float(row["psnr_db"]) >= float(our["psnr_db"])
    assert any(row["size_bytes"] for row in matched)
    assert any("interpolated in log-rate" in row["note"] for row in matched if row["match"] == "bytes")


def test_results_json_tells_the_same_and_how_it_was_made(out: Path) -> None:
    results = json.loads((out / "results.json").read_text())
    for parsed, row in zip(results["rows"], table(out), strict=True):
        assert parsed["codec"] == row["codec"]
        assert str(parsed.get("size_bytes", "")) == row["size_bytes"]
    assert results["command"] == "fourcodec bench pictures"
    assert results["seed"] == 7
    assert results["settings"]["folder"] == "pictures"
    assert {"pillow", "numpy", "python", "fourcodec"} <= results["versions"].keys()
    assert results["machine"]["cores"] >= 1
    assert "git_revision" in results
    assert results["summary"]["images"] == 3
    assert {rate["codec"] for rate in results["bd_rates"]} == {"fourcodec", "webp"}
    assert {row["match"] for row in results["rows"] if "interpolated_psnr_db" in row} == {"bytes"}


def test_the_summary_says_which_sources_are_jpeg_files(out: Path) -> None:
    assert "1 of 3 sources are themselves JPEG files" in (out / "summary.md").read_text()


def test_the_summary_has_a_row_for_each_size(folder: Path, tmp_path: Path, settings_of: Make) -> None:
    sizes = tuple(OurSetting(width, depth) for width in (4, 6) for depth in (2, 4))
    run(settings_of(folder, ours=sizes), RunOptions(tmp_path / "out", quiet=True))
    text = (tmp_path / "out" / "summary.md").read_text()
    section = text.split("## Ours, by size")[1].split("##")[0]
    assert [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")][2:] == [
        "4x2",
        "4x4",
        "6x2",
        "6x4",
    ]
    coefficients = 2 * (4 * 6 + 3 * 6 * 2**6 + 3 * 2**6)
    assert f"| {coefficients:,} | {4 * coefficients:,} |" in section


def test_peers_only_measures_curves_and_bd_rates(folder: Path, tmp_path: Path, settings_of: Make) -> None:
    finished = run(settings_of(folder, peers=("jpeg", "webp"), ours=()), RunOptions(tmp_path / "out", quiet=True))
    assert {row["match"] for row in table(tmp_path / "out")} == {"sweep"}
    assert list(finished.aggregate.bd_rates) == [("webp", "jpeg")]
    assert finished.aggregate.bd_rates["webp", "jpeg"].percent.count == 3


def test_another_run_makes_the_same_table(out: Path, folder: Path, tmp_path: Path, settings_of: Make) -> None:
    run(settings_of(folder, peers=("jpeg", "webp"), seed=7), RunOptions(tmp_path / "again", quiet=True))
    assert table(tmp_path / "again", repeatable=True) == table(out, repeatable=True)


def test_results_are_not_overwritten_unasked(folder: Path, tmp_path: Path, settings_of: Make) -> None:
    out = tmp_path / "out"
    run(settings_of(folder, limit=1), RunOptions(out, quiet=True))
    (out / "mine.txt").write_text("not a result")
    with pytest.raises(RunError, match=r"holds results.*--resume.*-f"):
        run(settings_of(folder), RunOptions(out, quiet=True))
    assert run(settings_of(folder), RunOptions(out, force=True, quiet=True)).aggregate.images == 3
    assert (out / "mine.txt").read_text() == "not a result"


def test_resuming_a_finished_run_measures_nothing_again(folder: Path, tmp_path: Path, settings_of: Make) -> None:
    out = tmp_path / "out"
    run(settings_of(folder), RunOptions(out, quiet=True))
    before = (out / "results.csv").read_bytes()
    run(settings_of(folder), RunOptions(out, resume=True, quiet=True))
    assert (out / "results.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"effort": 9}, "--effort was 1 and is now 9"),
        ({"iterations": 50}, "--iterations was not given and is now 50"),
        ({"peers": ("jpeg", "webp")}, "--codecs was jpeg and is now jpeg,webp"),
        ({"ours": (OurSetting(4, 2),)}, "was 4x2,6x6 and is now 4x2"),
        ({"seed": 3}, "--seed was 0 and is now 3"),
        ({"limit": 2}, "--limit was not given and is now 2"),
    ],
)
def test_a_changed_setting_is_refused_on_resume(
    changed: dict, said: str, folder: Path, tmp_path: Path, settings_of: Make
) -> None:
    out = tmp_path / "out"
    run(settings_of(folder), RunOptions(out, quiet=True))
    with pytest.raises(RunError, match="cannot resume") as refusal:
        run(settings_of(folder, **changed), RunOptions(out, resume=True, quiet=True))
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_another_set_of_pictures_is_refused_on_resume(folder: Path, tmp_path: Path, settings_of: Make) -> None:
    run(settings_of(folder), RunOptions(tmp_path / "out", quiet=True))
    Image.fromarray(picture(9)).save(folder / "new.png")
    with pytest.raises(RunError, match="the list of pictures in the folder has changed"):
        run(settings_of(folder), RunOptions(tmp_path / "out", resume=True, quiet=True))


def test_outputs_among_the_pictures_are_not_measured(folder: Path, settings_of: Make) -> None:
    run(settings_of(folder), RunOptions(folder / "out", quiet=True))
    assert run(settings_of(folder), RunOptions(folder / "out", resume=True, quiet=True)).progress.complete


def test_a_run_that_never_began_leaves_no_results_to_refuse(folder: Path, tmp_path: Path, settings_of: Make) -> None:
    with pytest.raises(ClusterError, match="no scheduler"):
        run(settings_of(folder), RunOptions(tmp_path / "out", scheduler="nonsense://x", quiet=True))
    assert run(settings_of(folder), RunOptions(tmp_path / "out", quiet=True)).progress.complete


def test_resuming_nothing_begins(folder: Path, tmp_path: Path, settings_of: Make) -> None:
    assert run(settings_of(folder), RunOptions(tmp_path / "new", resume=True, quiet=True)).progress.complete


def test_one_failing_picture_does_not_end_the_run(folder: Path, tmp_path: Path, settings_of: Make) -> None:
    Image.fromarray(picture(9, height=13)).save(folder / "thirteen.png")  # which the stub refuses
    finished = run(settings_of(folder), RunOptions(tmp_path / "out", quiet=True))
    assert finished.aggregate.failed.count == 2
    assert "thirteen rows are too many" in (tmp_path / "out" / "summary.md").read_text()
    failed = [row for row in table(tmp_path / "out") if row["image"] == "thirteen.png" and row["codec"] == "fourcodec"]
    assert [row["size_bytes"] for row in failed] == ["", ""]
    assert len([row for row in table(tmp_path / "out") if row["match"] == "bytes"]) == 6


def test_an_empty_folder_is_refused(tmp_path: Path, settings_of: Make) -> None:
    with pytest.raises(RunError, match="no pictures in"):
        run(settings_of(tmp_path), RunOptions(tmp_path / "out", quiet=True))


def test_what_is_coming_is_said_before_it_begins(
    folder: Path, tmp_path: Path, settings_of: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    run(settings_of(folder, limit=2), RunOptions(tmp_path / "out"))
    lines = capsys.readouterr().err.splitlines()
    assert "2 of 3 pictures (a sample by seed 0; --limit all takes every one): 4x2, 6x6, jpeg" in lines[0]
    assert "by a trial" in lines[1]
    assert lines[-1].startswith("2/2 pictures, 0 s left, ours ")


def test_exact_copies_and_tiny_pictures_have_empty_metrics(tmp_path: Path, settings_of: Make) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(np.full((5, 7, 3), 128, np.uint8)).save(tmp_path / "in" / "flat.png")
    run(settings_of(tmp_path / "in"), RunOptions(tmp_path / "out", quiet=True))
    ours = [row for row in table(tmp_path / "out") if row["codec"] == "fourcodec"]
    assert all(row["psnr_db"] == "" and row["note"] == "an exact copy" for row in ours)
    assert all(row["ssim"] == "" and row["ms_ssim"] == "" for row in ours)


@pytest.mark.parametrize("text", ["null", "[]", "{}", '{"a":' * 100_000, '{"versions": []}', "\0", "x" * (1 << 21)])
def test_damaged_settings_are_one_line(text: str, folder: Path, tmp_path: Path, settings_of: Make) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "settings.json").write_text(text)
    with pytest.raises(RunError, match=r"settings\.json' is damaged or of no run: choose another -o"):
        run(settings_of(folder), RunOptions(tmp_path / "out", resume=True, quiet=True))


@pytest.mark.skipif(os.name != "posix", reason="links as on POSIX")
def test_reports_are_not_written_through_links(folder: Path, tmp_path: Path, settings_of: Make) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(settings_of(folder, limit=1), RunOptions(out, quiet=True))
    names = [path.name for path in out.iterdir() if path.is_file() and path.suffix not in (".jsonl", ".json")]
    for name in (*names, "results.json"):
        (out / name).unlink()
        (out / name).symlink_to(elsewhere / name)
        (out / f".{name}.tmp").symlink_to(elsewhere / name)
    run(settings_of(folder, limit=1), RunOptions(out, resume=True, quiet=True))
    assert list(elsewhere.iterdir()) == []
    assert all((out / name).is_file() and not (out / name).is_symlink() for name in names)
