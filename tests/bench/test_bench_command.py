"""`fourcodec bench` as a command: its options, what it prints, what it returns."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fourcodec import cli
from tests.support.benches import table

pytestmark = pytest.mark.usefixtures("stub_profile")
SEED = ("--seed", "1")  # with which the stub profile's copies are not exact


@pytest.fixture
def bench(folder: Path, tmp_path: Path) -> Callable[..., int]:
    """Runs the command on the folder of pictures, into `out`."""

    def command(*arguments: str) -> int:
        return cli.run(["bench", str(folder), "-o", str(tmp_path / "out"), *SEED, *arguments])

    return command


def test_without_options_it_measures_four_qualities_against_jpeg(
    bench: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench() == 0
    out, err = capsys.readouterr()
    assert "3 pictures; 1 of them JPEG files themselves" in out
    assert "fourcodec q45: " in out
    assert str(tmp_path / "out" / "report.html") in out
    assert "3 pictures: q20, q45, q70, q90, jpeg at effort " in err
    assert "3/3 pictures" in err
    rows = table(tmp_path / "out")
    assert {row["codec"] for row in rows} == {"fourcodec", "jpeg"}
    assert {row["setting"] for row in rows if row["codec"] == "fourcodec"} == {"q20", "q45", "q70", "q90"}


def test_the_pure_network_is_measured_at_8x6(bench: Callable[..., int], tmp_path: Path) -> None:
    assert bench("--profile", "fnet", "--quiet") == 0
    rows = [row for row in table(tmp_path / "out") if row["codec"] == "fourcodec"]
    assert {(row["setting"], row["coefficients"]) for row in rows} == {("8x6", "22080")}


def test_widths_and_depths_are_combined(bench: Callable[..., int], tmp_path: Path) -> None:
    assert bench("--width", "4,6", "--depth", "2,4", "--quiet") == 0
    settings = [row["setting"] for row in table(tmp_path / "out") if row["codec"] == "fourcodec"]
    assert settings[:4] == ["4x2", "4x4", "6x2", "6x4"]


def test_the_pure_network_has_qualities_with_and_without_sizes(bench: Callable[..., int], tmp_path: Path) -> None:
    for options, labels in ((["--profile", "fnet"], ["q20", "q50"]), (["--width", "4"], ["4x6 q20", "4x6 q50"])):
        assert bench("-q", "20,50", *options, "--quiet", "-f") == 0
        rows = [row for row in table(tmp_path / "out") if row["codec"] == "fourcodec"]
        assert [row["setting"] for row in rows] == labels * 3


def test_qualities_are_measured_in_place_of_sizes(bench: Callable[..., int], tmp_path: Path) -> None:
    assert bench("-q", "20,50", "--profile", "grid", "--quiet") == 0
    rows = [row for row in table(tmp_path / "out") if row["codec"] == "fourcodec"]
    assert [row["setting"] for row in rows] == ["q20", "q50"] * 3
    assert {row["coefficients"] for row in rows} == {""}


def test_quiet_is_silent_and_json_is_one_object(
    bench: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("--quiet", "--limit", "1") == 0
    assert capsys.readouterr() == ("", "")
    assert bench("--quiet", "--json", "--limit", "2", "-f") == 0
    out, err = capsys.readouterr()
    assert err == ""
    said = json.loads(out)
    assert said["output"] == str(tmp_path / "out")
    assert said["images"] == 2
    assert said["ours"]["q45"]["files"] == 2


def test_peers_only_needs_nothing_of_ours(bench: Callable[..., int], tmp_path: Path) -> None:
    assert bench("--peers-only", "--codecs", "jpeg,webp", "--quiet") == 0
    assert {row["codec"] for row in table(tmp_path / "out")} == {"jpeg", "webp"}


def test_the_default_output_is_named_after_the_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["bench", str(folder), "--peers-only", "--limit", "1", "--quiet"]) == 0
    (made,) = tmp_path.glob("bench-*")
    assert (made / "report.html").exists()


def test_strict_fails_where_a_file_was_skipped(bench: Callable[..., int], folder: Path) -> None:
    (folder / "text.png").write_text("no picture")
    assert bench("--quiet") == 0
    assert bench("--quiet", "-f", "--strict") == 1


def test_it_fails_where_all_files_failed(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "text.png").write_text("no picture")
    assert cli.run(["bench", str(tmp_path / "bad"), "-o", str(tmp_path / "out"), "--quiet"]) == 1
    assert "text.png" in (tmp_path / "out" / "summary.md").read_text()


def test_resuming_with_the_same_options_goes_on(bench: Callable[..., int], tmp_path: Path) -> None:
    assert bench("--quiet") == 0
    before = (tmp_path / "out" / "results.csv").read_bytes()
    assert bench("--quiet", "--resume") == 0
    assert (tmp_path / "out" / "results.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--codecs", "jpeg,gif"], 2, "'gif' is not one of jpeg, jpeg-default, webp, avif, avif-visual, jxl"),
        (["--width", "99"], 2, "99 is not between 1 and 10"),
        (["--depth", "4,0"], 2, "0 is not between 1 and 16"),
        (["--width", "4,x"], 2, "is not a list of whole numbers"),
        (["--limit", "0"], 2, "neither a number of pictures nor 'all'"),
        (["--limit", "some"], 2, "neither a number of pictures nor 'all'"),
        (["--profile", "grid", "--width", "4"], 2, "belong to the profile fnet"),
        (["--resume", "-f"], 2, "give one of them"),
        (["--codecs", "", "--peers-only"], 2, "leaves nothing to measure"),
        (["--scheduler", "nonsense://x"], 1, "no scheduler answers at 'nonsense://x'"),
        (["--device", "cuda"], 1, "no CUDA device"),
    ],
)
def test_a_wrong_wish_is_one_line(
    arguments: list[str],
    status: int,
    said: str,
    bench: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fourcodec.devices._has_cuda", lambda: False)
    assert bench(*arguments, "--quiet") == status
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_resume_asks_for_the_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bench", str(folder), "--resume"]) == 2
    assert "--resume needs -o" in capsys.readouterr().err


def test_results_are_refused_in_one_line(bench: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("--quiet", "--limit", "1") == 0
    assert bench("--quiet", "--limit", "1") == 1
    assert "holds results" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["settings.json", "rate_psnr.png", "summary.md"])
def test_files_of_others_are_replaced_by_force_alone(
    name: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("{}")
    assert cli.run(["bench", str(folder), "--limit", "1", "-o", str(tmp_path / "mine"), "--quiet"]) == 1
    assert "choose another -o" in capsys.readouterr().err
    assert (tmp_path / "mine" / name).read_text() == "{}"


def test_results_are_not_put_among_the_pictures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.iterdir())
    assert cli.run(["bench", str(folder), "--limit", "1", "-o", str(folder), "-f", "--quiet"]) == 1
    assert "in the folder of the pictures" in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


def test_a_missing_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bench", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err
