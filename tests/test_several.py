"""Inputs and outputs of `encode` and `decode`: IN OUT, several inputs, folders to write into."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourcodec import cli, codec
from fourcodec.cli import several

pytestmark = pytest.mark.usefixtures("stub_profile")


@pytest.fixture
def folder(tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with two pictures."""
    for name in ("a.png", "b.png"):
        Image.fromarray(photo).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def run(line: str) -> int:
    return cli.run(line.split())


def test_the_second_of_two_paths_is_the_output(folder: Path) -> None:
    assert run("encode a.png c.fnc") == 0
    assert run("decode c.fnc d.bmp") == 0
    assert run("encode a.png plain") == 0
    assert names(folder) == ["a.png", "b.png", "c.fnc", "d.bmp", "plain"]
    assert run("encode a.png c.fnc") == 1  # it is there
    assert run("encode a.png c.fnc -f") == 0


def test_an_output_that_is_a_folder_gets_the_file(folder: Path) -> None:
    (folder / "there").mkdir()
    assert run("encode a.png there") == 0
    assert run("encode a.png -o new/below/") == 0
    assert run("decode there/a.fnc copies/ --format webp") == 0
    assert names(folder) == ["a.png", "b.png", "copies/a.webp", "new/below/a.fnc", "there/a.fnc"]


def test_a_folder_and_a_second_path_are_a_run_over_the_folder(folder: Path) -> None:
    (folder / "photos").mkdir()
    (folder / "a.png").rename(folder / "photos" / "a.png")
    assert run("encode photos coded --quiet") == 0
    assert (folder / "coded" / "a.fnc").is_file()


def test_several_inputs_are_written_beside_themselves_or_into_a_folder(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("encode a.png b.png") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert run("decode a.fnc b.fnc -o copies/ --format jpeg") == 0
    assert names(folder) == ["a.fnc", "a.png", "b.fnc", "b.png", "copies/a.jpeg", "copies/b.jpeg"]


def test_a_bad_input_does_not_end_the_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.png").write_bytes(b"no picture")
    assert run("encode a.png bad.png missing.png b.png -o out/ --json") == 1
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert [file["output"] for file in told["files"]] == ["out/a.fnc", "out/b.fnc"]
    assert [failure["source"] for failure in told["failed"]] == ["bad.png", "missing.png"]
    first, second = err.splitlines()
    assert first.startswith("error: 'bad.png': not a picture")
    assert second == "error: 'missing.png': No such file or directory"
    assert names(folder / "out") == ["a.fnc", "b.fnc"]


def test_a_name_of_a_picture_is_an_output_where_it_is_forced(folder: Path) -> None:
    assert run("encode a.png -o c.png") == 2
    assert run("encode a.png -o c.png -f") == 0
    assert codec.File(folder / "c.png").header.width == 24


def test_each_file_has_its_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first from the start of the command, the second from the end of the first."""
    begun: list[float | None] = []

    def record(max_seconds: float, since: float | None) -> float:
        begun.append(since)
        return max_seconds

    monkeypatch.setattr("fourcodec.cli.options.time_left", record)
    assert run("encode a.png b.png --max-seconds 60") == 0
    assert begun[0] is None
    assert begun[1] is not None


def test_an_interrupt_ends_them_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(codec, "encode", interrupted)
    assert run("encode a.png b.png") == 130
    assert names(folder) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("a.png", "b.fnc"), (["a.png"], "b.fnc")),
        (("a.png", "-"), (["a.png"], "-")),
        (("a.png", "b.png"), (["a.png", "b.png"], None)),
        (("a.png", "b.png", "c.fnc"), (["a.png", "b.png", "c.fnc"], None)),
        (("a.png",), (["a.png"], None)),
    ],
)
def test_two_paths_are_told_apart(given: tuple[str, ...], expected: tuple[list[str], str | None]) -> None:
    sources, output = several.split(tuple(map(Path, given)), None, lambda path: path.suffix == ".fnc")
    assert ([str(source) for source in sources], output and str(output)) == expected
    assert several.split(tuple(map(Path, given)), Path("x"), lambda path: True)[1] == Path("x")
