"""`fourcodec view`, and the page that it writes."""

import base64
import json
import re
import zlib
from pathlib import Path

import pytest

from fourcodec.cli import run
from fourcodec.web.pages import trained_starts, worker_script
from tests.golden.make import FOLDER

FILE = FOLDER / "grid-prior.fnc"


def page_of(*arguments: str) -> str:
    assert run(["view", *arguments, "--quiet"]) == 0
    return Path(arguments[arguments.index("-o") + 1]).read_text(encoding="utf-8")


def inside(page: str) -> dict[str, object]:
    found = re.search(r'id="fnc-inside">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


def test_a_page_has_the_files_themselves_inside(tmp_path: Path) -> None:
    page = page_of(str(FILE), str(FOLDER / "limited.fnc"), "-o", str(tmp_path / "page.html"))
    found = [base64.b64decode(text) for text in re.findall(r'src="data:image/x-fnc;base64,([^"]*)"', page)]
    assert found == [FILE.read_bytes(), (FOLDER / "limited.fnc").read_bytes()]
    assert 'alt="grid-prior.fnc" width="50" height="33"' in page


def test_a_page_needs_no_other_file(tmp_path: Path) -> None:
    page = page_of(str(FILE), "-o", str(tmp_path / "page.html"))
    assert not re.search(r'<(script|link|img)[^>]* (src|href)="(?!data:)', page)
    assert "default-src 'none'" in page
    assert "'self'" not in page
    assert not re.search(r"^(import|export) ", page, re.MULTILINE)
    worker = zlib.decompress(base64.b64decode(str(inside(page)["worker"])), wbits=-15).decode()
    assert worker == worker_script()


def test_a_page_has_the_trained_starts_of_its_files_or_all(tmp_path: Path) -> None:
    starts = trained_starts()
    one = inside(page_of(str(FILE), "-o", str(tmp_path / "page.html")))["starts"]
    assert isinstance(one, dict)
    assert all(base64.b64decode(text) == starts[name] for name, text in one.items())
    assert len(one) == 1
    every = inside(page_of("-o", str(tmp_path / "empty.html")))["starts"]
    assert isinstance(every, dict)
    assert {name: base64.b64decode(text) for name, text in every.items()} == starts


def test_names_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    path = tmp_path / 'a"><script>alert(1)<'
    path.write_bytes(FILE.read_bytes())
    page = page_of(str(path), "-o", str(tmp_path / "page.html"))
    assert "<script>alert" not in page


def test_nothing_is_replaced_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    assert run(["view", str(FILE), "-o", str(page)]) == 1
    assert "-f" in capsys.readouterr().err
    assert page.read_text() == "mine"
    assert run(["view", str(FILE), "-o", str(page), "-f"]) == 0
    assert page.read_text() != "mine"


def test_a_file_that_is_shown_is_never_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown, link = tmp_path / "shown.html", tmp_path / "link.html"
    shown.write_bytes(FILE.read_bytes())
    link.symlink_to(shown)
    for arguments in ([str(shown)], [str(FILE), str(shown), "-o", str(link)]):
        assert run(["view", *arguments, "-f"]) == 2
        assert "is the input itself" in capsys.readouterr().err
    assert shown.read_bytes() == FILE.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "name files to show"),
        (["{file}", "-o", "{folder}/page.png"], 2, "HTML page"),
        (["{folder}/missing.fnc"], 1, "No such file"),
        (["{folder}"], 1, "directory"),
        (["/"], 1, "directory"),
        (["{folder}/bad.fnc"], 1, "bad.fnc': not a .fnc file"),
        (["{file}", "--max-pixels", "10", "-o", "{folder}/page.html"], 1, "more than the limit"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str], status: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.fnc").write_bytes(b"x" * 50)
    given = [argument.format(file=FILE, folder=tmp_path) for argument in arguments]
    assert run(["view", *given]) == status
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("*.html"))


def test_a_browser_is_opened_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_page(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    page_of(str(FILE), "-o", str(tmp_path / "page.html"))
    assert not opened
    page_of(str(FILE), "-f", "--open", "-o", str(tmp_path / "page.html"))
    assert opened == [(tmp_path / "page.html").as_uri()]
