"""Names and files as folders have them: any bytes in names, FIFOs among the files, streams that are closed."""

import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli
from fourcodec.batch.engine import RunOptions
from fourcodec.bench.runner import run
from fourcodec.bench.settings import BenchSettings
from fourcodec.errors import one_line, printable
from tests.golden.make import FOLDER
from tests.support.killed import surroundings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="names, FIFOs and descriptors as on POSIX")
stubbed = pytest.mark.usefixtures("stub_profile")
CODED = FOLDER / "fnet-rgba.fnc"
FIT = ("--width", "2", "--depth", "1", "--device", "cpu")
NOT_UTF_8 = os.fsdecode(b"caf\xe9")
CONTROLS = "red\x1b[31m\nline\x07\u202e"


@pytest.fixture(params=[NOT_UTF_8, CONTROLS], ids=["not UTF-8", "controls"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A picture in a folder of its own, whose name has what terminals and encodings stumble over."""
    path = tmp_path / "pictures" / f"{request.param}.png"
    path.parent.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)).save(path, "png")
    return path


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, which is in UTF-8 and moves no cursor but to the next line."""
    text = "".join(capsys.readouterr())
    text.encode()
    assert [line for line in text.splitlines() if line != printable(line)] == []
    return text


def test_what_cannot_be_printed_is_escaped_and_nothing_else() -> None:
    assert printable(CONTROLS) == "red\\x1b[31m\\nline\\x07\\u202e"
    assert printable(NOT_UTF_8) == "caf\\xe9"
    for name in ("あ 🏳\u200d🌈 é\u3000ü.png", "C:\\a.png"):
        assert printable(name) == name
    assert one_line(ValueError("two\nlines \x1b[0m")) == "two lines \\x1b[0m"


@stubbed
def test_every_command_works_on_any_name(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coded, copy = source.with_suffix(".fnc"), source.with_name(f"copy of {source.name}")
    assert cli.run(["encode", str(source), *FIT]) == 0
    assert printable(coded.name) in said(capsys)
    assert cli.run(["decode", str(coded), "-o", str(copy)]) == 0
    assert printable(copy.name) in said(capsys)
    assert copy.exists()
    assert cli.run(["encode", str(source), *FIT]) == 1  # it is there already
    assert "exists already" in said(capsys)


def test_files_behind_a_name_are_verified_too(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (source.stem, "last"):
        (source.parent / f"{name}.fnc").write_bytes(CODED.read_bytes())
        (source.parent / f"{name} cut.fnc").write_bytes(CODED.read_bytes()[:-1])
    assert cli.run(["verify", str(source.parent)]) == 1
    lines = said(capsys).splitlines()
    assert [": ok" in line for line in lines].count(True) == 2
    assert len(lines) == 4
    assert cli.run(["verify", str(source.parent), "--json"]) == 1
    assert {entry["file"] for entry in json.loads(capsys.readouterr().out)["files"]} >= {
        str(source.with_suffix(".fnc"))
    }


def test_info_and_its_plot_work_on_any_name(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coded, plot = source.with_suffix(".fnc"), source.with_name("plot " + source.name)
    coded.write_bytes(CODED.read_bytes())
    assert cli.run(["info", str(coded), "--plot", str(plot)]) == 0
    assert printable(plot.name) in said(capsys)


@stubbed
def test_a_comparison_has_any_name_in_its_page(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coded, page = source.with_suffix(".fnc"), source.with_suffix(".html")
    assert cli.run(["encode", str(source), *FIT]) == 0
    assert cli.run(["compare", str(source), str(coded), "-o", str(page)]) == 0
    assert printable(page.name) in said(capsys)
    assert printable(source.name) in page.read_text("utf-8")


@stubbed
def test_a_folder_reports_any_name(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.with_stem(source.stem + " bad").write_bytes(b"no picture")
    Image.new("RGBA", (3, 2), "red").save(source.with_stem(source.stem + " opaque"), "png")
    out = tmp_path / source.stem
    assert cli.run(["encode", str(source.parent), "-o", str(out), *FIT]) == 1
    text = said(capsys)
    assert f"failed: {printable(source.stem)} bad.png: not a picture" in text
    assert f"note: {printable(source.stem)} opaque.png: the picture is opaque" in text
    assert printable(str(out)) in text


def test_a_bench_reports_any_name(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_bytes(b"no picture")
    out = tmp_path / source.stem
    run(BenchSettings(str(source.parent), ("jpeg",), (), "cpu"), RunOptions(out), f"fourcodec bench {source}")
    said(capsys)
    for name in ("summary.md", "report.html"):
        text = (out / name).read_bytes().decode()
        assert printable(source.name) in text
        assert not {"\x1b", "\x07", "\u202e"} & set(text)


@stubbed
@pytest.mark.parametrize("end", ["/", "/."])
def test_an_output_that_ends_in_a_slash_is_a_folder(
    source: Path, end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new"
    assert cli.run(["info", str(CODED), "--plot", f"{out}.png{end}"]) == 2
    assert "is a folder, by its slash: name a file in it" in said(capsys)
    assert list(tmp_path.iterdir()) == [source.parent]
    for number, given in enumerate((source, source.parent)):
        assert cli.run(["encode", str(given), "-o", f"{out}{number}{end}", *FIT]) == 0
        assert (tmp_path / f"new{number}" / f"{source.stem}.fnc").is_file()
    assert cli.run(["decode", str(tmp_path / "new0" / f"{source.stem}.fnc"), f"{out}{end}"]) == 0
    assert (out / f"{source.stem}.png").is_file()


@pytest.fixture
def special(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture and its file, and of each a FIFO and a socket, all of which end as such files do."""
    folder = tmp_path / "special"
    folder.mkdir()
    monkeypatch.chdir(folder)  # paths of sockets must be short
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)).save(folder / "a.png")
    (folder / "a.fnc").write_bytes(CODED.read_bytes())
    for suffix in ("png", "fnc"):
        os.mkfifo(folder / f"fifo.{suffix}")
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"socket.{suffix}")
    return folder


@stubbed
def test_special_files_in_a_folder_are_named_and_skipped(
    special: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.run(["encode", str(special), "-o", str(out), *FIT]) == 1
    printed, err = capsys.readouterr()
    assert f"{out}: 1 files, 2 failed" in printed
    for name in ("fifo.png", "socket.png"):
        assert f"failed: {name}: not a regular file" in err


def test_special_files_in_a_folder_are_not_sound(special: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["verify", str(special)]) == 1
    out = capsys.readouterr().out
    assert f"{special / 'a.fnc'}: ok" in out
    for name in ("fifo.fnc", "socket.fnc"):
        assert f"{special / name}: FAILED: not a regular file" in out


def test_special_files_are_skipped_by_a_bench(special: Path, tmp_path: Path) -> None:
    finished = run(BenchSettings(str(special), ("jpeg",), (), "cpu"), RunOptions(tmp_path / "out", quiet=True))
    assert finished.aggregate.skipped.first == [
        ("fifo.png", "not a regular file"),
        ("socket.png", "not a regular file"),
    ]


def in_shell(line: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """A command line of a shell, in which $F is the program."""
    script = f'F="{sys.executable} -m fourcodec"; {line}'
    return subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, env=surroundings(), check=False)


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_a_file_is_written_whatever_streams_are_closed(tmp_path: Path, closed: str) -> None:
    done = in_shell(f"$F decode {CODED} -o copy.png {closed}", tmp_path)
    assert done.returncode == 0
    with Image.open(tmp_path / "copy.png") as copy:
        assert copy.size == (24, 16)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"$F decode {CODED} -o - >&-", b"error: 'standard output': closed\n"),
        ("$F encode - -o a.fnc <&-", b"error: 'standard input': closed\n"),
        (f"$F info {CODED} >&-", b""),
    ],
)
def test_a_closed_stream_that_is_needed_is_named(tmp_path: Path, line: str, said: bytes) -> None:
    done = in_shell(line, tmp_path)
    assert (done.returncode, done.stderr) == (int(bool(said)), said)
    assert list(tmp_path.iterdir()) == []


def test_letters_that_standard_output_lacks_are_escaped(tmp_path: Path) -> None:
    done = in_shell(f"PYTHONIOENCODING=latin-1:strict $F decode {CODED} -o あ.png", tmp_path)
    assert (done.returncode, done.stdout) == (0, b"\\u3042.png: 24 x 16 pixels\n")


@pytest.mark.parametrize(
    "line",
    [
        "encode '' -o a.fnc",
        "encode a.png -o ''",
        "decode ''",
        "verify ''",
        "info ''",
        "compare '' ''",
        "bench ''",
        "bench . -o ''",
        "generate train . -o ''",
        "generate sample ''",
        "generate evaluate '' .",
        "generate prior '' .",
    ],
)
def test_an_empty_name_is_not_the_current_folder(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it comes from a variable of a shell that is not set."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (3, 2)).save("a.png")
    assert cli.run(shlex.split(line)) == 2
    assert "the name is empty" in capsys.readouterr().err
    assert os.listdir() == ["a.png"]


def test_an_empty_path_is_a_file_that_is_not_there() -> None:
    for use in (fourcodec.encode, fourcodec.decode, fourcodec.File):
        with pytest.raises(FileNotFoundError):
            use("")
