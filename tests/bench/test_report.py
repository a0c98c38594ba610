"""The page: complete in itself, and at home in a real browser."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fourcodec.batch.engine import RunOptions
from fourcodec.bench.page import page as report_page
from fourcodec.bench.rows import Row
from fourcodec.bench.runner import run
from fourcodec.bench.settings import BenchSettings
from fourcodec.bench.showcase import Exhibit
from fourcodec.fnc import File
from fourcodec.web.pages import Shown
from tests.golden.make import FOLDER
from tests.support.browser import in_a_browser, opened

Make = Callable[..., BenchSettings]


@pytest.fixture
def page(folder: Path, tmp_path: Path, settings_of: Make) -> Path:
    run(settings_of(folder), RunOptions(tmp_path / "out", quiet=True), "fourcodec bench <pictures>")
    return tmp_path / "out" / "report.html"


def test_the_page_needs_nothing_else(page: Path) -> None:
    text = page.read_text()
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert "@import" not in text
    assert not re.findall(r"url\((?!data:)", text)


def test_the_page_shows_summary_plots_pictures_and_settings(page: Path) -> None:
    text = page.read_text()
    for heading in ("Best: ", "Median: ", "Worst: "):
        assert f"<h3>{heading}" in text
    assert text.count('src="data:image/png') == 9  # ours, the peer and the original of three pictures
    assert text.count('src="data:image/svg+xml') == 4  # not MS-SSIM: the pictures are too small for it
    assert "1 of 3 sources are themselves JPEG files" in text
    assert "fourcodec bench &lt;pictures&gt;" in text
    assert "<dt>versions</dt>" in text


def test_a_file_of_ours_is_in_the_page_itself() -> None:
    data = (FOLDER / "grid-prior.fnc").read_bytes()
    row = Row("a.png", "fourcodec", size_bytes=len(data), rate_bpp=1.0, psnr_db=30.0)
    exhibit = Exhibit("best", row, row, Shown("ours", data, File(data).header), b"peer", b"original", (8, 8), False)
    text = report_page([], [], [], [exhibit], [], {})
    assert text.count(f'<fnc-img src="data:image/x-fnc;base64,{base64.b64encode(data).decode()}"') == 1
    assert text.count('id="fnc-inside"') == 1
    assert text.count('src="data:image/png') == 2


@in_a_browser
def test_a_browser_opens_the_page_without_console_errors(page: Path, tmp_path: Path) -> None:
    dom, console = opened(page, tmp_path / "profile")
    assert 'data-ready="yes"' in dom  # the script ran to its end
    assert console == []


@in_a_browser
def test_the_page_is_as_wide_as_a_phone(page: Path, tmp_path: Path) -> None:
    """A frame of 360 pixels, since a headless window is never narrower than 500."""
    probe = tmp_path / "out" / "probe.html"
    probe.write_text(
        '<iframe src="report.html" width="360" height="800" onload="'
        "const inner = this.contentDocument.documentElement;"
        "document.title = inner.scrollWidth + ' of ' + inner.clientWidth; console.error('probed')"
        '"></iframe>'
    )
    dom, console = opened(probe, tmp_path / "profile", "--allow-file-access-from-files")
    assert len(console) == 1  # and so a console error would be noticed above
    match = re.search(r"<title>(\d+) of (\d+)</title>", dom)
    assert match is not None
    assert int(match[1]) <= int(match[2]) <= 360
