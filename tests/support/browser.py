"""Pages in a real browser, for the tests of all that make pages."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--v=0",
    "--virtual-time-budget=5000",
)


def in_a_browser(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test that opens a page in Chromium."""
    return pytest.mark.browser(pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")(test))


def opened(page: Path, profile: Path, *flags: str) -> tuple[str, list[str]]:
    """What the browser made of a page: its DOM, and the lines on its console."""
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={profile}", *flags, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


class Browser:
    """A headless Chromium that is driven over a pipe, for pages whose work outlives a dump of their DOM: workers, for
    one, do not know of virtual time.

    Use it in a `with` block. `flags` are added to FLAGS; software WebGL is on with SOFTWARE_WEBGL.
    """

    SOFTWARE_WEBGL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")

    def __init__(self, profile: Path, *flags: str) -> None:
        down, self._into = os.pipe()
        self._out, up = os.pipe()
        own = [flag for flag in FLAGS if not flag.startswith("--virtual-time") and flag != "--disable-gpu"]
        command = [str(BROWSER), *own, *flags, f"--user-data-dir={profile}", "--remote-debugging-pipe"]

        def wire() -> None:  # Chromium reads descriptor 3 and writes to 4
            for source, target in ((down, 10), (up, 11), (10, 3), (11, 4)):
                os.dup2(source, target)

        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=wire
        )
        for end in (down, up):
            os.close(end)
        self._left, self._number = b"", 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    _session = ""

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._session = ""
        self.call("Browser.close")
        os.close(self._into)
        self._process.wait(timeout=20)
        os.close(self._out)

    def call(self, method: str, **parameters: Any) -> Any:
        """The answer to a command of the DevTools protocol. Raises RuntimeError where it fails."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._left:
                piece = os.read(self._out, 1 << 20)
                if not piece:
                    raise RuntimeError("the browser has gone")
                self._left += piece
            line, self._left = self._left.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, address: str, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Loads a page in a window of this size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=address)
        self.run("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))")

    def run(self, script: str) -> Any:
        """The value of a script, waited for if it is a promise. Raises RuntimeError where it throws."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def seconds(self) -> float:
        """The processor time that the browser has taken so far, all its processes together (Linux)."""
        spent, parents = {}, {}
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                fields = (place / "stat").read_text().rsplit(")", 1)[1].split()
                pid = int(place.name)
                parents[pid], spent[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
        family = {self._process.pid}
        while grown := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= grown
        return sum(spent.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")

    def screenshot(self, path: Path) -> None:
        """Writes what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
