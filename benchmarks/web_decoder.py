"""The decoder in JavaScript: its time on files under node and in Chromium, and what becomes of damaged files.

python -m benchmarks.web_decoder times FILE.fnc...
    processor time under node: of the first decoding in a process, of later ones, of the integers alone
python -m benchmarks.web_decoder chromium FILE.fnc...
    the same in a fresh headless Chromium: processor time of the page's process from bytes to the first coarse picture
    and to the whole one, and the longest time in which a page that decodes in a worker drew no frame
python -m benchmarks.web_decoder mutated COUNT
    verdicts on mutated golden files beside those of Python, the longest time, the most memory
"""

import json
import sys
import tempfile
from base64 import b64encode
from collections import Counter
from pathlib import Path
from statistics import median
from time import sleep

from fourcodec import codec
from fourcodec.bitstream import container
from fourcodec.errors import FourcodecError
from fourcodec.limits import Limits
from fourcodec.web.pages import Shown, joined, trained_starts, view_page
from tests.support.browser import Browser
from tests.support.node import answers
from tests.web.test_decoder import SMALL, mutations, written


def times(files: list[str]) -> None:
    """Prints a line for each file, with and without WebAssembly."""
    for file in files:
        task = {"file": file}
        for fast in (True, False):
            found = answers([task] * 6 + [{**task, "symbols": True}] * 3, fast=fast)
            first, *others = (answer["ms"] for answer in found)
            print(
                f"{file} {'WebAssembly' if fast else 'plain'}: first {first:.0f} ms, "
                f"then {median(others[:5]):.0f} ms (least {min(others[:5]):.0f}), integers {median(others[5:]):.0f} ms"
            )


_SETTLED_SECONDS = 3  # after which a new browser has done what it does when it starts
_PAGE = """(async () => {
  const own = new Blob([SCRIPT], {type: 'text/javascript'});
  const {decode, accelerated} = await import(URL.createObjectURL(own));
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const [file, fast] = [bytes(FILE), OPTIONS && accelerated(OPTIONS)];
  const starts = Object.fromEntries(Object.entries(GIVEN).map(([name, text]) => [name, bytes(text)]));
  window.decodeOnce = async (first) => {
    const ended = new AbortController();
    const start = performance.now();
    let at = null;
    const onPart = () => {
      at ??= performance.now() - start;
      if (first) ended.abort();
    };
    try {
      await decode(file, {starts, fast, onPart, signal: ended.signal});
    } catch {}
    return [at, performance.now() - start];
  };
})()"""
_FRAMES = """new Promise((done) => {
  let [last, longest] = [performance.now(), 0];
  const look = (now) => {
    longest = Math.max(longest, now - last);
    last = now;
    if (document.documentElement.dataset.ready) done(longest);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def chromium(files: list[str]) -> None:
    """Prints the times of each file and way of computing in browsers of their own."""
    for file in files:
        data = Path(file).read_bytes()
        for options in ({"webgl": False}, {"software": True}, None):
            first, on_clock, _ = decoded_in_page(data, options, first=True)
            whole, _, whole_on_clock = decoded_in_page(data, options, first=False)
            print(
                f"{file} {options}: first picture: {first:.0f} ms of processor time ({on_clock:.0f} on the clock), "
                f"whole {whole:.0f} ms ({whole_on_clock:.0f})"
            )
        page = view_page([Shown("picture", data, container.read(data)[0])])
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Browser(Path(folder)) as browser:
            path = Path(folder) / "page.html"
            path.write_text(page, encoding="utf-8")
            browser.open(path.as_uri())
            print(f"  a page that shows it: {browser.run(_FRAMES):.0f} ms at most without a frame")


def decoded_in_page(data: bytes, options: dict[str, bool] | None, *, first: bool) -> tuple[float, float, float]:
    """The first decoding in a new browser, in ms: the processor time of all its processes, and on the clock the time to
    the first coarse picture and to the end, which with `first` comes right behind it."""
    script = joined("decoder.js", "fast.js").replace("import.meta.url", "location.href")
    given = {
        "SCRIPT": script + "\nexport {decode, accelerated};\n",
        "FILE": b64encode(data).decode(),
        "GIVEN": {name: b64encode(start).decode() for name, start in trained_starts().items()},
        "OPTIONS": options,
    }
    page = _PAGE
    for name, value in given.items():
        page = page.replace(name, json.dumps(value))
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Browser(Path(folder), *Browser.SOFTWARE_WEBGL) as browser,
    ):
        browser.open("about:blank")
        browser.run(page)
        sleep(_SETTLED_SECONDS)
        before = browser.seconds()
        at, end = browser.run(f"decodeOnce({json.dumps(first)})")
        return 1000 * (browser.seconds() - before), at, end


def mutated(count: int) -> None:
    """Prints the verdicts, under the limits SMALL."""
    verdicts: Counter[str] = Counter()
    files = mutations(count)
    with tempfile.TemporaryDirectory() as folder:
        found = answers(written(Path(folder), files), limits=SMALL, fast=True)
    for data, answer in zip(files, found, strict=True):
        ours = "error" if answer.get("isFncError") else "failure" if "error" in answer else "picture"
        try:
            codec.decode(data, limits=Limits(**SMALL))
            python = "picture"
        except FourcodecError:
            python = "error"
        why = f" ({answer['error']})" if (ours, python) == ("error", "picture") else ""
        verdicts[f"{ours}, Python {python}{why}"] += 1
    for verdict, number in sorted(verdicts.items()):
        print(f"{number} {verdict}")
    times_ms = [answer["ms"] for answer in found]
    print(f"processor time at most {max(times_ms):.0f} ms, median {median(times_ms):.1f} ms")
    print(f"memory of the process at most {max(answer['memory'] for answer in found):.0f} MB")


def main(arguments: list[str]) -> None:
    command, *others = arguments
    if command == "times":
        times(others)
    elif command == "chromium":
        chromium(others)
    else:
        mutated(int(others[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
