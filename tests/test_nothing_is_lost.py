"""Full disks and folders that cannot be written to: one line, no half file, and what was there stays as it was."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli, files
from fourcodec.batch.engine import RunOptions
from fourcodec.batch.journal import Journal
from fourcodec.bench.runner import run
from fourcodec.bench.settings import BenchSettings, OurSetting
from tests.support.golden import FOLDER

resource = pytest.importorskip("resource", reason="limits of a process, as on POSIX")
stubbed = pytest.mark.usefixtures("stub_profile")


@contextmanager
def no_file_above(size_bytes: int) -> Iterator[None]:
    """Every write beyond so many bytes of a file fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    """Of everything in a folder, hidden files too, but for the journals of folders."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.endswith(".jsonl")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture, a file of it, and older results of both."""
    noise = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    (tmp_path / "coded.fnc").write_bytes(fourcodec.encode(noise, width=2, depth=1).data)
    for name in ("old.fnc", "old.png"):
        (tmp_path / name).write_bytes(b"an older result")
    return tmp_path


@stubbed
@pytest.mark.parametrize(
    "line",
    [
        "encode {}/a.png -o {}/new.fnc",
        "encode {}/a.png -o {}/old.fnc -f",
        "decode {}/coded.fnc -o {}/new.png",
        "decode {}/coded.fnc -o {}/old.png -f",
        "decode {}/coded.fnc -o {}/new.npy",
    ],
)
def test_a_full_disk_is_one_line_and_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    before = contents(folder)
    with no_file_above(200):
        status = cli.run([*line.replace("{}", str(folder)).split(), "--quiet"])
    out, err = capsys.readouterr()
    assert status == 1
    assert out == ""
    assert err.count("\n") == 1
    assert "cannot write: File too large" in err
    assert line.split()[3].removeprefix("{}/") in err
    assert contents(folder) == before


def fill(folder: Path, count: int) -> None:
    """Makes a folder of `count` pictures in it, and one of as many files."""
    for source, name in (("a.png", "photos"), ("coded.fnc", "coded")):
        (folder / name).mkdir()
        for number in range(count):
            (folder / name / f"{number}{Path(source).suffix}").write_bytes((folder / source).read_bytes())


@stubbed
@pytest.mark.parametrize("line", ["encode {}/photos -o {}/out", "decode {}/coded -o {}/out"])
def test_a_folder_on_a_full_disk_is_resumed_where_there_is_room(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    fill(folder, 3)
    before = contents(folder)
    command = [*line.replace("{}", str(folder)).split(), "--quiet"]
    for size_bytes in (
        700,
        420,
        230,
    ):  # of which the journal's settings take some 300: first it is full later, then soon
        with no_file_above(size_bytes):
            assert cli.run([*command, "--resume"]) == 1
        err = capsys.readouterr().err
        assert "File too large" in err
        assert "Traceback" not in err
        assert contents(folder) == before
    assert cli.run([*command, "--resume"]) == 0
    assert len(contents(folder)) == len(before) + 3
    (journal,) = (folder / "out").glob(".*.jsonl")
    lines = [json.loads(text) for text in journal.read_text().splitlines()]
    assert sum("stamp" in entry for entry in lines) == 3


@stubbed
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("line", ["encode {}/photos -o {}/out", "decode {}/coded -o {}/out"])
def test_a_disk_without_room_ends_a_folder_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, code: int
) -> None:
    fill(folder, 4)
    command = line.replace("{}", str(folder)).split()
    real, written = files.write, list[Path]()

    def write(path: Path, data: bytes, **arguments: Any) -> None:
        written.append(path)
        if len(written) == 2:
            raise OSError(code, os.strerror(code), str(path))
        real(path, data, **arguments)

    monkeypatch.setattr(files, "write", write)
    assert cli.run(command) == 1
    assert len(written) == 2
    err = capsys.readouterr().err
    assert err.splitlines()[-1].startswith("stopped, 3 files left: 1.")
    assert err.endswith(f"{os.strerror(code)}; make room, then continue with --resume\n")
    assert cli.run([*command, "--resume"]) == 0
    assert len(written) == 5


@stubbed
def test_an_output_that_is_the_input_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(folder)
    os.link(folder / "a.png", folder / "link.png")
    (folder / "symbolic.png").symlink_to("a.png")
    for name in ("a.png", "link.png", "symbolic.png"):
        assert cli.run(["encode", str(folder / "a.png"), "-f", "-o", str(folder / name)]) == 2
        assert "is the input itself" in capsys.readouterr().err
    assert {name: data for name, data in contents(folder).items() if "link" not in name and "sym" not in name} == before


def test_a_full_standard_output_is_one_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    source = FOLDER / "rgb-range.fnc"
    command = [sys.executable, "-m", "fourcodec", "decode", str(source), "-o", "-"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().count("\n") <= 1  # that kernels are compiled may be said before


def test_a_real_disk_that_is_full(tmp_path: Path) -> None:
    mount = tmp_path / "disk"
    mount.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        files.write(mount / "a.fnc", bytes(40_000), overwrite=False)
        with pytest.raises(OSError, match="cannot write: No space left on device") as caught:
            files.write(mount / "a.fnc", bytes(90_000), overwrite=True)
        assert caught.value.filename == str(mount / "a.fnc")
        assert contents(mount) == {"a.fnc": bytes(40_000)}
        subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
        with pytest.raises(OSError, match="Read-only file system"):
            files.check_target(mount / "b.fnc", overwrite=False)
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.fnc"
    real = os.fsync

    def meanwhile(descriptor: int) -> None:
        real(descriptor)
        monkeypatch.setattr(files, "_check_replaceable", lambda *_: target.write_bytes(b"another's"))

    monkeypatch.setattr(os, "fsync", meanwhile)
    with pytest.raises(FileExistsError, match="exists already"):
        files.write(target, b"ours", overwrite=False)
    assert contents(tmp_path) == {"a.fnc": b"another's"}


def test_a_line_that_a_full_disk_refuses_leaves_the_journal_whole(tmp_path: Path) -> None:
    path, seen = tmp_path / "a.jsonl", []
    with Journal(path) as journal:
        journal.append({"number": 1})
        with no_file_above(30), pytest.raises(OSError, match="File too large") as caught:
            journal.append({"number": 2, "text": "x" * 50})
        assert caught.value.errno == errno.EFBIG
        journal.append({"number": 3})
    with Journal(path) as journal:
        journal.read(lambda line, _: seen.append(line))
    assert seen == [{"number": 1}, {"number": 3}]


def test_a_bench_run_on_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    source, out = tmp_path / "photos", tmp_path / "out"
    source.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    Image.fromarray(noise).save(source / "a.png")
    settings = BenchSettings(str(source), ("jpeg",), (OurSetting(4, 2),), codec="tests.support.stub_codec")
    with no_file_above(2500), pytest.raises(OSError, match="File too large"):
        run(settings, RunOptions(out, quiet=True))
    whole = run(settings, RunOptions(tmp_path / "elsewhere", quiet=True))
    for path in out.rglob("*"):
        if path.is_file() and path.suffix != ".jsonl":
            assert not path.name.endswith(".tmp")
            assert path.read_bytes() == (tmp_path / "elsewhere" / path.relative_to(out)).read_bytes()
    assert run(settings, RunOptions(out, resume=True, quiet=True)).progress == whole.progress
