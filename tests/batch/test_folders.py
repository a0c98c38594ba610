"""Folders: everything once, nothing lost, whatever happens on the way."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli, codec, images
from fourcodec.batch.engine import RunOptions
from fourcodec.batch.folders import run
from fourcodec.batch.journal import Journal, RunError
from fourcodec.batch.tasks import encoding
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.optimisation.progress import Progress
from tests.support import stubs
from tests.support.door import Door
from tests.support.killed import bytes_below, killed, surroundings
from tests.support.oddities import FILES

MANIFEST = ".fourcodec-encode.jsonl"
LONG_AGO = 10**18  # ns: 2001
FAST = {"width": 2, "depth": 1, "iterations": 1, "device": "cpu"}  # real fits, in milliseconds
FAST_OPTIONS = ("--width", "2", "--depth", "1", "--iterations", "1", "--device", "cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, two of them alike but for their format, and one bad file; a fifth picture below."""
    top = tmp_path / "photos"
    (top / "more").mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in ("a.png", "a.jpg", "b.png", "c.webp", "more/d.png"):
        Image.fromarray(random.integers(0, 255, (6, 9, 3), np.uint8)).save(top / name)
    (top / "bad.png").write_bytes(b"no picture")
    (top / "notes.txt").write_text("no picture either")
    return top


def names(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*") if path.is_file())


def encode(folder: Path, out: Path, *more: str) -> int:
    return cli.run(["encode", str(folder), "-o", str(out), "--iterations", "1", "--device", "cpu", *more])


@pytest.mark.usefixtures("stub_profile")
def test_a_folder_goes_to_files_and_back(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, back = tmp_path / "out", tmp_path / "back"
    assert encode(folder, out, "--recursive") == 1  # of the bad file
    printed, err = capsys.readouterr()
    assert printed == f"{out}: 5 files, 1 failed\n"
    assert "failed: bad.png: not a picture of a known format" in err
    assert "6/6 files, 1 failed, 0 s left\n" in err
    assert names(out) == [MANIFEST, "a.jpg.fnc", "a.png.fnc", "b.fnc", "c.fnc", "more/d.fnc"]

    assert cli.run(["decode", str(out), "-o", str(back), "--format", "npy", "--scale", "1", "--quiet"]) == 0
    assert names(back) == [".fourcodec-decode.jsonl", "a.jpg.npy", "a.png.npy", "b.npy", "c.npy"]
    np.testing.assert_array_equal(np.load(back / "a.png.npy"), np.asarray(Image.open(folder / "a.png")))
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("stub_profile")
def test_resuming_does_what_is_new_changed_or_gone(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (folder / "bad.png").unlink()
    assert encode(folder, out) == 0
    for name in names(out):  # long ago: a coarse clock gives files of one moment one time
        os.utime(out / name, ns=(LONG_AGO, LONG_AGO))

    os.utime(folder / "c.webp", ns=(LONG_AGO, LONG_AGO))  # touched, and the same
    Image.new("RGB", (5, 4)).save(folder / "b.png")  # changed
    (out / "a.jpg.fnc").unlink()  # gone
    Image.new("L", (5, 4)).save(folder / "e.png")  # new
    capsys.readouterr()
    assert encode(folder, out, "--resume", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary == {"output": str(out), "done": 3, "skipped": 2, "left": 0, "failed": []}
    changed = {name for name in names(out) if (out / name).stat().st_mtime_ns != LONG_AGO} - {"e.fnc"}
    assert changed == {MANIFEST, "a.jpg.fnc", "b.fnc"}
    assert codec.decode((out / "b.fnc").read_bytes()).shape == (4, 5, 3)
    assert encode(folder, out, "--resume") == 0
    assert capsys.readouterr().out == f"{out}: 0 files, 5 were done before\n"


@pytest.mark.usefixtures("stub_profile")
def test_results_are_neither_replaced_nor_mixed_unasked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.fnc").write_bytes(b"a stranger's")
    assert encode(folder, out) == 1
    assert "failed: b.png: " in capsys.readouterr().err
    assert (out / "b.fnc").read_bytes() == b"a stranger's"
    for more, said in (
        ((), "holds results: continue with --resume, begin anew with -f"),
        (("--resume", "-q", "20"), "cannot resume: quality was not given and is now 20.0"),
        (("--resume", "-f"), "give one of them"),
    ):
        assert encode(folder, out, *more) in (1, 2)
        err = capsys.readouterr().err
        assert said in err
        assert len(err.splitlines()) == 1
    assert encode(folder, out, "-f", "-q", "20") == 1
    assert (out / "b.fnc").read_bytes() != b"a stranger's"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("encode {}", "a folder needs -o"),
        ("encode {}/a.png --resume --jobs 2", "--jobs and --resume are about folders"),
        ("decode {} -o {}/out", "nothing to decode in"),
        ("encode {} -o -", "a folder needs -o"),
        ("encode {} -o {}/out --jobs 2 --scheduler tcp://x", "give one of them"),
        ("encode {} -o {}/a.png", "a.png"),
    ],
)
def test_a_wrong_wish_is_one_line(folder: Path, command: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(command.replace("{}", str(folder)).split()) in (1, 2)
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert said in err


@pytest.mark.usefixtures("stub_profile")
def test_options_and_what_pictures_have_to_say_go_with_each_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out, back = tmp_path / "in", tmp_path / "out", tmp_path / "back"
    folder.mkdir()
    for name in ("everything.png", "animated.gif"):
        (folder / name).write_bytes(FILES[name]())
    assert encode(folder, out) == 1
    assert "failed: animated.gif: the picture has 3 frames or pages" in capsys.readouterr().err
    assert encode(folder, out, "--resume", "--frame", "1") == 1  # not what it was begun with
    assert encode(folder, out, "-f", "--frame", "1", "--target-bytes", "20000", "--profile", "fnet") == 1
    err = capsys.readouterr().err
    assert "cannot resume: frame was not given and is now 1" in err
    assert "failed: animated.gif: 20000 bytes cannot be reached" in err  # a flat picture takes few
    wanted = images.load(folder / "everything.png")
    assert fourcodec.read_metadata((out / "everything.fnc").read_bytes()) == wanted.metadata

    assert cli.run(["decode", str(out), "-o", str(back)]) == 0
    assert images.load(back / "everything.png").metadata == wanted.metadata
    np.testing.assert_array_equal(images.load(back / "everything.png").pixels, wanted.pixels)
    assert cli.run(["decode", str(out), "-o", str(back), "-f", "--format", "jpeg", "--strip"]) == 0
    assert "note: everything.fnc: JPEG holds no transparency" in capsys.readouterr().err
    assert not images.load(back / "everything.jpeg").metadata


@pytest.mark.usefixtures("stub_profile")
def test_what_a_fit_has_to_say_is_noted(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fit(*arguments: Any, report: Any, **others: Any) -> Any:
        report(Progress(iteration=1, iterations=1, loss=0.5, psnr_db=3.0, seconds_left=0.0, note="the fit diverged"))
        return stubs.fit(*arguments, report=None, **others)

    monkeypatch.setattr(fnet_fit, "fit", fit)
    encode(folder, tmp_path / "out", "--width", "3")
    assert "note: b.png: the fit diverged" in capsys.readouterr().err


def undisturbed(folder: Path, out: Path) -> dict[str, bytes]:
    assert [name for name, _ in run(encoding(FAST), folder, RunOptions(out, quiet=True)).failed] == ["bad.png"]
    return {name: (out / name).read_bytes() for name in names(out) if name != MANIFEST}


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_killed_twice_and_resumed_it_ends_in_the_same_files(folder: Path, tmp_path: Path, moment: str) -> None:
    """While files or lines of the manifest are written, and before files have their names."""
    wanted = undisturbed(folder, tmp_path / "wanted")
    out = tmp_path / "out"
    command = ["encode", str(folder), "-o", str(out), "--resume", "--quiet", *FAST_OPTIONS]
    code = "from fourcodec import cli\ncli.run(sys.argv[1:])"
    for _ in range(2):
        killed(code, *command, moment=moment, number=2)
    assert len(list(out.glob("*.fnc"))) < len(wanted)
    assert subprocess.run([sys.executable, "-m", "fourcodec", *command, "--jobs", "2"]).returncode == 1  # of bad.png
    assert {name: (out / name).read_bytes() for name in names(out) if name != MANIFEST} == wanted


@pytest.mark.usefixtures("stub_profile")
@pytest.mark.parametrize("lost_lines", [1, 2])
def test_killed_between_a_file_and_its_line_it_resumes(folder: Path, tmp_path: Path, lost_lines: int) -> None:
    out = tmp_path / "out"
    wanted = undisturbed(folder, out)
    lines = (out / MANIFEST).read_bytes().splitlines(keepends=True)
    (out / MANIFEST).write_bytes(b"".join(lines[:-lost_lines]) + lines[-lost_lines][:20])
    if lost_lines == 2:  # before the claim, hence before the file
        (out / "c.fnc").unlink()
    (out / ".c.fnc.0123456789ab.tmp").write_bytes(b"half")
    finished = run(encoding(FAST), folder, RunOptions(out, resume=True, quiet=True))
    assert (finished.done, finished.skipped) == (1, 3)
    assert {name: (out / name).read_bytes() for name in names(out) if name != MANIFEST} == wanted


@pytest.mark.usefixtures("stub_profile")
def test_ctrl_c_ends_with_what_is_done(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, calls = codec.encode, []

    def encode_some(*arguments: object, **options: object) -> codec.Encoded:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(codec, "encode", encode_some)
    out = tmp_path / "out"
    assert encode(folder, out) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "interrupted, 3 files left: continue with --resume"
    assert len(names(out)) == 3
    assert encode(folder, out, "--resume") == 1
    assert len(names(out)) == 5


def test_a_cluster_does_the_same(folder: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    wanted = undisturbed(folder, tmp_path / "wanted")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, memory_limit=0, silence_logs=50, processes=False
    ) as cluster:
        options = RunOptions(tmp_path / "out", scheduler=cluster.scheduler_address, quiet=True)
        run(encoding(FAST), folder, options)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.fnc")} == wanted


def test_two_runs_do_not_share_a_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with Journal(tmp_path / "out" / MANIFEST), pytest.raises(RunError, match="another run is writing"):
        run(encoding(FAST), folder, RunOptions(tmp_path / "out", quiet=True))


# Encodes as the command line says, each picture after waiting at the test's door.
WAITING = """
import sys
from fourcodec import cli, codec
from tests.support.door import wait_at_the_door
real = codec.encode
def encode(*arguments, **options):
    wait_at_the_door()
    return real(*arguments, **options)
codec.encode = encode
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.mark.parametrize("mode", ["--resume", "-f"])
def test_a_second_run_is_refused_and_the_first_loses_nothing(
    mode: str, folder: Path, tmp_path: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", WAITING, "encode", str(folder), "-o", str(out), "--quiet", *FAST_OPTIONS]
    first = subprocess.Popen(command, env=surroundings())
    door.let_in(1)
    door.knock()  # it is at its second picture
    (out / ".a.png.fnc.0123456789ab.tmp").write_bytes(b"what it has written of a file")
    before = bytes_below(out)
    assert encode(folder, out, mode, *FAST_OPTIONS) == 1
    err = capsys.readouterr().err
    assert "another run is writing to" in err
    assert len(err.splitlines()) == 1
    assert bytes_below(out) == before
    door.open()
    assert first.wait() == 1  # of the bad file
    assert {name: (out / name).read_bytes() for name in names(out) if name != MANIFEST} == undisturbed(
        folder, tmp_path / "wanted"
    )


def test_where_files_cannot_be_locked_runs_go_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl", reason="locks as on POSIX")

    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with Journal(tmp_path / "a.jsonl") as journal:
        assert journal.append({}) == 0


def test_an_empty_folder_says_where_else_to_look(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / "more", tmp_path / "above" / "below")
    with pytest.raises(RunError, match="--recursive looks below"):
        run(encoding(FAST), tmp_path / "above", RunOptions(tmp_path / "out", quiet=True))


def claimed(out: Path, *entries: object) -> None:
    """A folder with a manifest of these settings and lines."""
    out.mkdir()
    settings = json.loads(json.dumps(encoding(FAST).settings))
    lines = [{"settings": settings}, *entries]
    (out / MANIFEST).write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))


@pytest.mark.parametrize(
    "target",
    ["../evil.fnc", "/tmp/evil.fnc", "more/../../evil.fnc", "notes.txt", MANIFEST, "", ".", "b.fnc\0", "b.png"],
)
def test_a_strangers_manifest_chooses_no_target(folder: Path, tmp_path: Path, target: str) -> None:
    out = tmp_path / "below" / "out"
    out.parent.mkdir()
    claimed(out, {"source": "b.png", "target": target})
    before = bytes_below(tmp_path)
    with pytest.raises(RunError, match="begin anew with -f"):
        run(encoding(FAST), folder, RunOptions(out, resume=True, quiet=True))
    assert bytes_below(tmp_path) == before


@pytest.mark.parametrize(
    "line",
    [
        "null",
        "[]",
        "[" * 100_000,
        '{"a":' * 100_000,
        "\0",
        {"settings": None},
        {"source": None, "target": "a.fnc"},
        {"source": "a\0.png", "target": "a\0.fnc"},
        {"source": "", "target": ".fnc"},
        {"source": "b.png", "target": 1},
        {"source": "b.png", "target": "b.fnc", "target_bytes": 1, "stamp": None},
        {"source": "b.png", "target": "b.fnc", "target_bytes": 1, "stamp": {"size_bytes": 1}},
        {
            "source": "b.png",
            "target": "b.fnc",
            "target_bytes": "1",
            "stamp": {"size_bytes": 1, "mtime_ns": 1, "sha256": ""},
        },
    ],
    ids=lambda line: str(line)[:40],
)
def test_a_damaged_manifest_is_one_line(folder: Path, tmp_path: Path, line: object) -> None:
    claimed(tmp_path / "out", line)
    with pytest.raises(RunError, match=r"is damaged at byte \d+: begin anew with -f"):
        run(encoding(FAST), folder, RunOptions(tmp_path / "out", resume=True, quiet=True))


def test_two_sources_never_have_one_target(folder: Path, tmp_path: Path) -> None:
    claimed(tmp_path / "out", {"source": "a.png", "target": "a.fnc"}, {"source": "a.jpg", "target": "a.fnc"})
    with pytest.raises(RunError, match="is damaged at byte"):
        run(encoding(FAST), folder, RunOptions(tmp_path / "out", resume=True, quiet=True))


@pytest.mark.skipif(os.name != "posix", reason="links as on POSIX")
@pytest.mark.usefixtures("stub_profile")
def test_links_in_the_output_folder_are_not_followed(folder: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    claimed(out, {"source": "b.png", "target": "b.fnc"})
    (out / "b.fnc").symlink_to(elsewhere / "b.fnc")
    (out / "more").symlink_to(elsewhere)
    finished = run(encoding(FAST), folder, RunOptions(out, resume=True, quiet=True), recursive=True)
    assert [source for source, reason in finished.failed if "leads out of the folder" in reason] == ["more/d.png"]
    assert list(elsewhere.iterdir()) == []
    assert (out / "b.fnc").is_file()
    assert not (out / "b.fnc").is_symlink()


@pytest.mark.skipif(os.name != "posix", reason="links as on POSIX")
@pytest.mark.parametrize("force", [True, False])
def test_a_manifest_that_is_a_link_or_no_file_is_left_alone(folder: Path, tmp_path: Path, force: bool) -> None:
    out, options = tmp_path / "out", RunOptions(tmp_path / "out", resume=not force, force=force, quiet=True)
    out.mkdir()
    (tmp_path / "precious").write_bytes(b"precious")
    (out / MANIFEST).symlink_to(tmp_path / "precious")
    with pytest.raises(RunError, match="is a link: remove it"):
        run(encoding(FAST), folder, options)
    (out / MANIFEST).unlink()
    os.mkfifo(out / MANIFEST)
    with pytest.raises(RunError, match="is not a regular file: remove it"):
        run(encoding(FAST), folder, options)
    assert (tmp_path / "precious").read_bytes() == b"precious"
