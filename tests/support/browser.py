"""Pages in a real browser, for the tests of all that make pages."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

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
