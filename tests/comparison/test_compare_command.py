"""`fourcodec compare`: numbers, the page, and what is refused."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli, images, metrics
from fourcodec.bench.baselines import BASELINES, PeerSetting
from fourcodec.bench.baselines import decode as decoded_jpeg
from fourcodec.bench.matching import PeerFiles
from fourcodec.comparison import page as page_module
from fourcodec.comparison.peers import NAMES, NoPeerFile, PeerFile, best_file
from tests.support.oddities import FILES, saved

pytestmark = pytest.mark.usefixtures("stub_profile")

SIDES = 48, 72  # JPEG of that has some 700 bytes


def wave(height: int = SIDES[0], width: int = SIDES[1]) -> np.ndarray:
    """Noisy enough for the stub's file to be larger than a JPEG: uint8 (height, width, 3)."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [128 + 90 * np.sin(rows / 7 + shift) * np.cos(columns / 9) for shift in range(3)]
    return np.rint(np.stack(planes, axis=-1) + np.random.default_rng(0).normal(0, 6, (height, width, 3))).astype(
        np.uint8
    )


def coded(folder: Path, picture: np.ndarray, *, seed: int = 1) -> tuple[str, str]:
    """A picture's file and its .fnc file; with a seed the stub's copy is inexact."""
    paths = folder / "in.png", folder / "in.fnc"
    paths[0].write_bytes(images.to_png(picture))
    paths[1].write_bytes(fourcodec.encode(picture, seed=seed).data)
    return str(paths[0]), str(paths[1])


def compared(paths: tuple[str, str], capsys: pytest.CaptureFixture[str], *more: str) -> dict:
    assert cli.run(["compare", *paths, "--json", *more]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_the_numbers_are_those_of_the_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = wave()
    paths = coded(tmp_path, picture)
    found = compared(paths, capsys)
    data = Path(paths[1]).read_bytes()
    copy = fourcodec.decode(data)
    assert found["size_bytes"] == len(data)
    assert found["rate_bpp"] == pytest.approx(8 * len(data) / picture[:, :, 0].size)
    assert found["psnr_db"] == pytest.approx(metrics.psnr_db(picture, copy))
    assert found["ssim"] == pytest.approx(metrics.ssim(picture, copy))
    assert (found["width"], found["height"], found["channels"], found["bit_depth"]) == (72, 48, 3, 8)
    assert found["errors"]["largest"] == np.abs(picture.astype(int) - copy).max()
    assert found["page"] is None
    assert found["on_white"] is None


def test_the_jpeg_is_a_real_one_of_at_most_our_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = wave()
    found = compared(coded(tmp_path, picture), capsys)
    jpeg = found["jpeg"]
    assert 0 < jpeg["size_bytes"] <= found["size_bytes"]
    options = {"quality": jpeg["quality"], "subsampling": jpeg["variant"].split()[0], "optimize": True}
    data = saved(picture, "JPEG", **options, progressive=jpeg["variant"].endswith("progressive"))
    assert len(data) == jpeg["size_bytes"]
    assert jpeg["psnr_db"] == pytest.approx(metrics.psnr_db(picture, decoded_jpeg(data)))
    assert jpeg["ssim"] == pytest.approx(metrics.ssim(picture, decoded_jpeg(data)))


@pytest.mark.parametrize("codec", ["webp", "avif"])
def test_bisection_finds_the_largest_file_that_fits(codec: str) -> None:
    """It misses nothing where files grow with the quality, as they do here."""
    picture = wave(*SIDES)
    files = PeerFiles(picture, BASELINES[codec])
    sizes = {quality: files.point(PeerSetting(files.baseline.variants[0], quality)) for quality in (30, 50)}
    for quality, point in sizes.items():
        found = best_file(codec, picture, point.size_bytes)
        assert isinstance(found, PeerFile)
        assert found.size_bytes <= point.size_bytes
        assert metrics.psnr_db(picture, found.pixels) >= point.psnr_db - 0.01, quality
    none = best_file(codec, picture, 20)
    assert isinstance(none, NoPeerFile)
    assert none.reason.endswith(" bytes")


def test_the_answer_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = coded(tmp_path, wave())
    found = compared(paths, capsys, "-o", str(tmp_path / "page.html"))
    gain = found["psnr_db"] - found["jpeg"]["psnr_db"]
    page = (tmp_path / "page.html").read_text()
    sentence = re.search(r'<p class="verdict">(.*)</p>', page)
    assert sentence is not None
    assert f"a PSNR of {found['psnr_db']:.2f} dB: {gain:+.2f} dB against JPEG, " in sentence[1]
    assert page.index("verdict") < page.index('id="viewer"')
    assert cli.run(["compare", *paths]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.split() == ["fourcodec", "JPEG", "WebP", "AVIF"]
    assert re.search(r"^99% of errors are at most( +\d+ of 255){4}$", "\n".join(lines), re.MULTILINE)


def test_a_size_out_of_jpegs_reach_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = coded(tmp_path, np.full((16, 24, 3), 90, np.uint8))
    found = compared(paths, capsys)
    assert found["jpeg"] is None
    assert re.fullmatch(r"JPEG's smallest file of this picture has \d+ bytes", found["jpeg_note"])
    assert cli.run(["compare", *paths, "-o", str(tmp_path / "page.html")]) == 0
    assert "JPEG's smallest file" in " ".join(capsys.readouterr().out.split())
    page = (tmp_path / "page.html").read_text()
    assert "smallest file" in page
    assert '<option value="jpeg"' not in page


def test_a_side_that_jpeg_cannot_have_is_said() -> None:
    found = best_file("jpeg", np.zeros((1, 65_536), np.uint8), 10_000)
    assert isinstance(found, NoPeerFile)
    assert found.reason.startswith("JPEG cannot hold this picture (")


@pytest.mark.parametrize(("height", "width"), [(1, 70_000), (40_000, 3), (6_000, 8_000), (1, 1)])
def test_what_is_shown_fits_into_webp_and_the_page(height: int, width: int) -> None:
    rows, columns = page_module._middle(height, width)
    shown = rows.stop - rows.start, columns.stop - columns.start
    assert min(shown) >= 1
    assert max(shown) <= 16_383
    assert shown[0] * shown[1] <= page_module.SHOWN_PIXELS
    assert abs(rows.start - (height - rows.stop)) <= 1


def test_an_exact_copy_has_no_psnr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = coded(tmp_path, wave(), seed=0)
    assert compared(paths, capsys)["psnr_db"] is None
    assert cli.run(["compare", *paths]) == 0
    assert re.search(r"^PSNR +exact ", capsys.readouterr().out, re.MULTILINE)


def test_transparency_is_laid_on_white_where_jpeg_comes_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alpha = np.repeat(np.linspace(0, 255, SIDES[1]).astype(np.uint8)[None], SIDES[0], axis=0)
    picture = np.dstack([wave(), alpha])
    found = compared(coded(tmp_path, picture), capsys)
    copy = fourcodec.decode((tmp_path / "in.fnc").read_bytes())
    white = [images.on_white(one) for one in (picture, copy)]
    assert found["psnr_db"] == pytest.approx(metrics.psnr_db(picture, copy))
    assert found["on_white"]["psnr_db"] == pytest.approx(metrics.psnr_db(*white))
    assert found["jpeg"]["psnr_db"] > 20
    assert cli.run(["compare", str(tmp_path / "in.png"), str(tmp_path / "in.fnc")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "PSNR, visible colours" in out
    assert "its alpha is exact" in out


def test_sixteen_bits_are_measured_as_sixteen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = wave().astype(np.uint16) * 257 ^ 0x35
    paths = coded(tmp_path, picture)
    found = compared(paths, capsys, "-o", str(tmp_path / "page.html"))
    copy = fourcodec.decode(Path(paths[1]).read_bytes())
    assert copy.dtype == np.uint16
    assert (found["bit_depth"], found["psnr_db"]) == (16, pytest.approx(metrics.psnr_db(picture, copy)))
    assert found["errors"]["largest"] == pytest.approx(np.abs(picture.astype(int) - copy).max() / 257)
    assert found["jpeg"]["psnr_db"] > 10


def test_grey_stays_grey(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = compared(coded(tmp_path, wave()[:, :, 0]), capsys, "-o", str(tmp_path / "page.html"))
    assert found["channels"] == 1
    assert found["jpeg"]["psnr_db"] > 20


def test_metadata_are_not_held_against_us(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.png").write_bytes(FILES["everything.png"]())
    assert cli.run(["encode", str(tmp_path / "in.png"), "--quiet"]) == 0
    paths = str(tmp_path / "in.png"), str(tmp_path / "in.fnc")
    found = compared(paths, capsys, "-o", str(tmp_path / "page.html"))
    assert found["metadata_bytes"] > 0
    limit_bytes = found["size_bytes"] - found["metadata_bytes"]
    assert f"compared at the remaining {limit_bytes:,} bytes" in (tmp_path / "page.html").read_text()


def test_other_forms_of_the_picture_are_compared_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pillow reads 16-bit colour in 8 bits: such a file beside its original."""
    paths = coded(tmp_path, wave(), seed=0)
    Path(paths[0]).write_bytes(images.to_png(wave().astype(np.uint16) * 257))
    assert compared(paths, capsys)["psnr_db"] is None


class Links(HTMLParser):
    """What a page refers to, and its pictures by key."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: dict[str, Image.Image] = {}
        self.files: list[bytes] = []  # .fnc files
        self._key = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.links += [given[name] or "" for name in ("src", "href") if name in given]
        self._key = given.get("data-key") or self._key
        data = base64.b64decode((given.get("src") or "").partition("base64,")[2])
        if tag == "fnc-img":
            self.files.append(data)
        if tag == "img":
            self.pictures[self._key] = Image.open(io.BytesIO(data)).convert("RGB")
            assert given["alt"]


def test_the_page_needs_nothing_else_and_holds_the_very_pixels(tmp_path: Path) -> None:
    picture = wave()
    paths = coded(tmp_path, picture)
    assert cli.run(["compare", *paths, "-o", str(tmp_path / "page.html")]) == 0
    text = (tmp_path / "page.html").read_text("utf-8")
    links = Links()
    links.feed(text)
    assert links.links
    assert all(link.startswith("data:") for link in links.links)
    assert not re.search(r"@import|url\((?!data:)|https?:", text)
    assert "default-src 'none'" in text
    np.testing.assert_array_equal(np.asarray(links.pictures["original"]), picture)
    data = Path(paths[1]).read_bytes()
    assert links.files == [data]
    for codec in NAMES:
        peer = best_file(codec, picture, len(data))
        assert isinstance(peer, PeerFile)
        np.testing.assert_array_equal(np.asarray(links.pictures[codec]), peer.pixels)
    assert set(links.pictures) == {"original", *NAMES, "our-error", *(f"{codec}-error" for codec in NAMES)}


def test_names_are_no_markup(tmp_path: Path) -> None:
    paths = [tmp_path / "<b>&.png", tmp_path / "<i>.fnc"]
    paths[0].write_bytes(images.to_png(wave()))
    paths[1].write_bytes(fourcodec.encode(wave()).data)
    assert cli.run(["compare", *map(str, paths), "-o", str(tmp_path / "page.html")]) == 0
    text = (tmp_path / "page.html").read_text()
    assert "<title>&lt;b&gt;&amp;.png and &lt;i&gt;.fnc</title>" in text
    assert "<b>&" not in text


def test_of_a_large_picture_the_middle_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "SHOWN_PIXELS", 864)
    picture = wave()
    assert cli.run(["compare", *coded(tmp_path, picture), "-o", str(tmp_path / "page.html")]) == 0
    links = Links()
    links.feed((tmp_path / "page.html").read_text())
    np.testing.assert_array_equal(np.asarray(links.pictures["original"]), picture[12:36, 18:54])
    assert "The middle 36 x 24 pixels are shown" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("first", "second", "status", "said"),
    [
        ("in.fnc", "in.png", 2, "the picture comes first, and '{}in.fnc' is a .fnc file: fourcodec compare"),
        ("in.fnc", "in.fnc", 2, "the picture comes first"),
        ("in.png", "in.png", 1, "'{}in.png' is not a .fnc file: the picture comes first"),
        ("in.png", "missing.fnc", 1, "missing.fnc': No such file"),
        ("missing.png", "in.fnc", 1, "missing.png': No such file"),
        ("text.png", "in.fnc", 1, "'{}text.png': not a picture of a known format"),
        ("other.png", "in.fnc", 1, "'{}in.fnc': the picture has 71 x 48 pixels and the .fnc file 72 x 48"),
        ("in.png", "cut.fnc", 1, "'{}cut.fnc': "),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    tmp_path: Path, first: str, second: str, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    coded(tmp_path, wave())
    (tmp_path / "text.png").write_bytes(b"text")
    (tmp_path / "other.png").write_bytes(images.to_png(wave()[:, 1:]))
    (tmp_path / "cut.fnc").write_bytes((tmp_path / "in.fnc").read_bytes()[:-9])
    before = sorted(path.name for path in tmp_path.iterdir())
    command = ["compare", str(tmp_path / first), str(tmp_path / second), "-o", str(tmp_path / "page.html")]
    assert cli.run(command) == status
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert said.format(f"{tmp_path}/") in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_no_page_is_replaced_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths, page = coded(tmp_path, wave()), tmp_path / "page.html"
    page.write_text("old")
    assert cli.run(["compare", *paths, "-o", str(page)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert page.read_text() == "old"
    assert cli.run(["compare", *paths, "-o", str(page), "-f"]) == 0
    assert page.read_text().startswith("<!doctype html>")
    assert cli.run(["compare", *paths, "-o", str(tmp_path / "page.png")]) == 2
    assert "name it with .html" in capsys.readouterr().err


def test_a_long_search_is_announced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fourcodec.cli.compare._LONG_PIXELS", 24 * 16)
    paths = coded(tmp_path, np.full((16, 24, 3), 90, np.uint8))
    assert cli.run(["compare", *paths, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("note: searching for the best JPEG, WebP and AVIF of the same size")
    json.loads(out)


def test_a_frame_is_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.gif").write_bytes(FILES["animated.gif"]())
    assert cli.run(["encode", str(tmp_path / "in.gif"), "--frame", "2", "--quiet"]) == 0
    paths = str(tmp_path / "in.gif"), str(tmp_path / "in.fnc")
    assert cli.run(["compare", *paths]) == 1
    assert "choose one with --frame" in capsys.readouterr().err
    assert compared(paths, capsys, "--frame", "2")["psnr_db"] is None
