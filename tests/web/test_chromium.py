"""The decoder in headless Chromium."""

import base64
import json
import struct
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fourcodec import codec
from fourcodec.bitstream.metadata import Metadata
from fourcodec.comparison.measuring import compare
from fourcodec.comparison.page import page
from fourcodec.fnc import File
from fourcodec.grid.weights import UNUSED
from fourcodec.images import Picture
from fourcodec.web.pages import Shown, joined, trained_starts, view_page
from tests.golden.make import FILES, FOLDER
from tests.support.browser import Browser, in_a_browser
from tests.support.node import FOLDER as WEB

GOLDEN = [FOLDER / f"{name}.fnc" for name in FILES]
WAYS: dict[str, dict[str, Any]] = {  # what is used, and the arguments of `accelerated` for it
    "wasm": {"webgl": False},
    "wasm webgl": {"software": True},
    "": {"wasm": False, "webgl": False},
}
READY = """new Promise((done) => {
  const look = () => (document.documentElement.dataset.ready ? done(true) : setTimeout(look, 20));
  look();
})"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile"), *Browser.SOFTWARE_WEBGL) as running:
        yield running


def decoder_in(browser: Browser) -> None:
    """Puts the decoder into an empty page, as `fnc`."""
    browser.open("about:blank")
    script = joined("decoder.js", "fast.js").replace("import.meta.url", "location.href")
    browser.run(
        f"(() => {{ {script}; const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));"
        "const text = ({buffer, byteOffset, byteLength}) => {"
        "let all = ''; const read = new Uint8Array(buffer, byteOffset, byteLength);"
        "for (const byte of read) all += String.fromCharCode(byte);"
        "return btoa(all); };"
        "window.fnc = {decode, decodeSymbols, accelerated, bytes, text}; })()"
    )


def in_page(browser: Browser, what: str, data: bytes, fast: dict[str, Any]) -> Any:
    """The value of an expression with `file` and `options` in an asynchronous function."""
    named = {name: base64.b64encode(start).decode() for name, start in trained_starts().items()}
    file = base64.b64encode(data).decode()
    return browser.run(
        f"(async () => {{ const fast = fnc.accelerated({json.dumps(fast)}); const file = fnc.bytes('{file}');"
        f"const named = Object.entries({json.dumps(named)}).map(([name, text]) => [name, fnc.bytes(text)]);"
        f"const options = {{fast, starts: Object.fromEntries(named)}}; return {what}; }})()"
    )


@in_a_browser
@pytest.mark.parametrize("ways", WAYS)
def test_pixels_of_every_golden_file_are_within_one(ways: str, browser: Browser) -> None:
    decoder_in(browser)
    fast = WAYS[ways]
    assert in_page(browser, "fast.ways", b"", fast) == ways.split()
    for path in GOLDEN:
        wanted = codec.decode(path.read_bytes())
        raw = in_page(browser, "fnc.text((await fnc.decode(file, options)).data)", path.read_bytes(), fast)
        found = np.frombuffer(base64.b64decode(raw), wanted.dtype).reshape(wanted.shape)
        assert np.abs(found.astype(int) - wanted).max() <= (1 if wanted.dtype == np.uint8 else 257), path.stem


@in_a_browser
@pytest.mark.parametrize("name", ["rgb-range", "grid-prior"])
def test_a_comparison_shows_the_file_itself(name: str, tmp_path: Path, browser: Browser) -> None:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    pixels = codec.decode(data)
    path = tmp_path / "page.html"
    path.write_text(page(compare(Picture(pixels), data), data, "a.png", "a.fnc"), encoding="utf-8")
    browser.open(path.as_uri())
    element = "document.querySelector('.layer[data-key=ours] fnc-img')"
    waiting = (
        f"new Promise((done) => {{ const look = () => {element}.found ? done(true) : setTimeout(look, 20); look(); }})"
    )
    assert browser.run(waiting)
    found = drawn(browser, f"{element}.shadowRoot.querySelector('canvas')")
    assert np.abs(found[:, :, :3].astype(int) - pixels).max() <= 1


@in_a_browser
@pytest.mark.parametrize("ways", ["wasm", ""])
def test_symbols_of_every_golden_file_are_equal(ways: str, browser: Browser) -> None:
    decoder_in(browser)
    listed = (
        "await fnc.decodeSymbols(file, options).then(({symbols, tiles = []}) => "
        "[symbols, ...tiles.flat().map((level) => Int32Array.from(level.data))].map(fnc.text))"
    )
    for path in GOLDEN:
        data = path.read_bytes()
        found = [np.frombuffer(base64.b64decode(raw), "<i4") for raw in in_page(browser, listed, data, WAYS[ways])]
        whole = File(data).integers
        if File(data).header.profile == 1:
            wanted = [whole.symbols]
        else:
            wanted = [whole.networks.symbols[whole.config.shape.groups != UNUSED]]
            wanted += [level for number in sorted(whole.tiles) for level in whole.tiles[number]]
        assert len(found) == len(wanted)
        assert all(np.array_equal(one, other.ravel()) for one, other in zip(found, wanted, strict=True)), path.stem


def page_of(folder: Path, *names: str) -> str:
    """The address of a page with these golden files."""
    shown = []
    for name in names:
        data = (FOLDER / f"{name}.fnc").read_bytes()
        shown.append(Shown(f"{name}.fnc", data, File(data).header))
    path = folder / "page.html"
    path.write_text(view_page(shown), encoding="utf-8")
    return path.as_uri()


def drawn(browser: Browser, canvas: str) -> np.ndarray:
    """The pixels of a canvas, (H, W, 4)."""
    script = f"""(() => {{
      const canvas = {canvas};
      const {{data}} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return [canvas.height, canvas.width, btoa(String.fromCharCode(...data))];
    }})()"""
    height, width, raw = browser.run(script)
    return np.frombuffer(base64.b64decode(raw), np.uint8).reshape(height, width, 4)


@in_a_browser
def test_a_page_shows_the_files_that_it_has_inside(tmp_path: Path, browser: Browser) -> None:
    browser.open(page_of(tmp_path, "grid-prior", "limited"))
    browser.run(READY)
    found = drawn(browser, "document.querySelector('fnc-img').shadowRoot.querySelector('canvas')")
    wanted = codec.decode((FOLDER / "grid-prior.fnc").read_bytes())
    assert np.abs(found[:, :, :3].astype(int) - wanted).max() <= 1
    assert browser.run("document.getElementById('facts').textContent").startswith("50 × 33 pixels")
    names = browser.run("[...document.getElementById('choice').options].map((option) => option.textContent)")
    assert names == ["grid-prior.fnc", "limited.fnc"]


@in_a_browser
def test_a_place_is_reserved_before_a_picture_is_there_and_errors_are_shown(tmp_path: Path, browser: Browser) -> None:
    address = page_of(tmp_path, "grid-prior")
    path = tmp_path / "page.html"
    damaged = path.read_text(encoding="utf-8").replace("base64,k0ZOQw", "base64,k0ZOQQ")
    path.write_text(damaged, encoding="utf-8")
    browser.open(address)
    browser.run(READY)
    assert browser.run("document.getElementById('facts').textContent").startswith("It cannot be shown: not a .fnc file")
    box = browser.run(
        "(({offsetWidth, offsetHeight}) => [offsetWidth, offsetHeight])(document.querySelector('fnc-img'))"
    )
    assert box == [50, 33]


@in_a_browser
def test_a_network_is_evaluated_anew_where_a_page_is_zoomed_in(tmp_path: Path, browser: Browser) -> None:
    browser.open(page_of(tmp_path, "limited"))  # 25 x 18
    browser.run(READY)
    browser.run("""new Promise((done) => {
      for (let n = 0; n < 4; n++) document.querySelector('[data-zoom=in]').click();
      const frame = document.getElementById('frame');
      const look = () => (frame.dataset.sharp ? done() : setTimeout(look, 20));
      look();
    })""")
    rows, columns = browser.run(
        "(({height, width}) => [height, width])(document.querySelector('#frame > canvas:last-of-type'))"
    )
    assert columns > 4 * 25
    assert rows > 4 * 18


def profile_with_red(x: float) -> bytes:
    """As much of an ICC profile as says that red has the given X (D50): header, one tag, its value."""
    value = b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(part * 65536)) for part in (x, 0.24, 0.0))
    return bytes(128) + struct.pack(">i4sii", 1, b"rXYZ", 144, len(value)) + value


@in_a_browser
@pytest.mark.parametrize(("red", "space"), [(0.5151, "display-p3"), (0.4361, "srgb"), (0.6097, "srgb")])
def test_pictures_of_display_p3_get_a_canvas_of_it(red: float, space: str, browser: Browser, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    picture = Picture(random.integers(0, 256, (12, 20, 3), np.uint8), Metadata(icc=profile_with_red(red)))
    data = codec.encode(picture, iterations=2, device="cpu").data
    path = tmp_path / "page.html"
    path.write_text(view_page([Shown("wide.fnc", data, File(data).header)]), encoding="utf-8")
    browser.open(path.as_uri())
    browser.run(READY)
    canvas = "document.querySelector('fnc-img').shadowRoot.querySelector('canvas')"
    assert browser.run(f"{canvas}.getContext('2d').getContextAttributes().colorSpace") == space
    found = drawn(browser, canvas)  # in the canvas' own colour space, so nothing was converted
    assert np.abs(found[:, :, :3].astype(int) - codec.decode(data)).max() <= 1


@in_a_browser
def test_a_dropped_file_is_shown(browser: Browser, tmp_path: Path) -> None:
    browser.open(page_of(tmp_path))
    raw = base64.b64encode((FOLDER / "grid-grey.fnc").read_bytes()).decode()
    browser.run(f"""(() => {{
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob('{raw}'), (letter) => letter.charCodeAt(0))], 'dropped.fnc'));
      document.dispatchEvent(new DragEvent('drop', {{dataTransfer: transfer, bubbles: true, cancelable: true}}));
    }})()""")
    browser.run(READY)
    found = drawn(browser, "document.querySelector('fnc-img').shadowRoot.querySelector('canvas')")
    wanted = codec.decode((FOLDER / "grid-grey.fnc").read_bytes())
    assert np.abs(found[:, :, 0].astype(int) - wanted).max() <= 1
    assert browser.run("document.title") == "dropped.fnc"


class Door(ThreadingHTTPServer):
    """A server of the folder web/ of the package. It serves /picture.fnc up to the byte `first`, and the rest
    when `opened` is set."""

    def __init__(self, data: bytes, first: int) -> None:
        self.data, self.first, self.opened = data, first, threading.Event()
        super().__init__(("127.0.0.1", 0), Guest)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Guest(SimpleHTTPRequestHandler):
    """One request to a Door."""

    server: Door

    def __init__(self, *given: Any) -> None:
        super().__init__(*given, directory=str(WEB))

    def do_GET(self) -> None:
        if self.path != "/picture.fnc":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "image/x-fnc")
        self.send_header("Content-Length", str(len(self.server.data)))
        self.end_headers()
        self.wfile.write(self.server.data[: self.server.first])
        self.wfile.flush()
        self.server.opened.wait()
        self.wfile.write(self.server.data[self.server.first :])
        return None

    def log_message(self, *_: Any) -> None:
        pass


@in_a_browser
def test_a_picture_appears_while_it_loads(browser: Browser) -> None:
    data = (FOLDER / "grid-smooth.fnc").read_bytes()
    cut = len(data) - 30
    with Door(data, cut) as door:
        browser.open(f"{door.address}/index.html")
        browser.run("""(() => {
          window.image = document.createElement('fnc-img');
          image.setAttribute('src', '/picture.fnc');
          window.loaded = new Promise((done) => image.addEventListener('load', () => done(true)));
          document.body.append(image);
        })()""")
        canvas = "image.shadowRoot.querySelector('canvas')"
        browser.run(f"""new Promise((done) => {{
          const look = () => {{
            const {{width}} = {canvas};
            const seen = width === 46 && {canvas}.getContext('2d').getImageData(20, 20, 1, 1).data[3];
            if (seen) done();
            else setTimeout(look, 20);
          }};
          look();
        }})""")
        coarse = drawn(browser, canvas)
        door.opened.set()
        assert browser.run("loaded")
        whole = drawn(browser, canvas)
        door.shutdown()
    wanted = codec.decode(data)
    assert np.abs(whole[:, :, :3].astype(int) - wanted).max() <= 1
    errors = np.abs(coarse[:, :, :3].astype(int) - wanted)
    assert errors.max() > 1
    assert errors.mean() < np.abs(wanted - wanted.mean(axis=(0, 1))).mean()
