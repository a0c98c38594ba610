"""Progress of long work on stderr: a status line, and the time that is left by the pace so far."""

import shutil
import sys
import time
from typing import Self

from fourcodec.errors import printable

_DRAWN_EVERY_SECONDS = 0.1


class StatusLine:
    """One line that is drawn over on a terminal; elsewhere a line every few seconds, so that a log stays readable."""

    def __init__(self, every_seconds: float = 10.0, *, quiet: bool = False) -> None:
        """`every_seconds`: the least time between lines where stderr is no terminal; `quiet`: nothing is shown."""
        self._quiet = quiet
        self._on_terminal = sys.stderr.isatty()
        self._every_seconds = _DRAWN_EVERY_SECONDS if self._on_terminal else every_seconds
        self._last = float("-inf")
        self._width = 0

    def show(self, line: str, *, last: bool = False) -> None:
        """Shows a line unless another was shown just before; the `last` one always."""
        now = time.monotonic()
        if self._quiet or (now - self._last < self._every_seconds and not last):
            return
        self._last = now
        if self._on_terminal:
            line = line[: shutil.get_terminal_size().columns - 1]  # a wrapped line could not be drawn over
            print("\r" + line.ljust(self._width), end="", file=sys.stderr, flush=True)
            self._width = len(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Prints a line that stays, above the status line. It may hold names of files."""
        if self._quiet:
            return
        if self._on_terminal and self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr)
            self._last = float("-inf")  # what was drawn is gone: the next line must not be left out
        print(printable(text), file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the cursor on a fresh line."""
        if self._on_terminal and self._width:
            print(file=sys.stderr)


class TimeLeft:
    """The time until weighted work is done, by its pace since this object was made."""

    def __init__(self, left: float = 0.0) -> None:
        self.left, self._done, self._started = left, 0.0, time.monotonic()

    def finish(self, weight: float) -> None:
        """Counts work as done."""
        self.left -= weight
        self._done += weight

    @property
    def seconds(self) -> float:
        """0 before any work is done."""
        return max(0.0, (time.monotonic() - self._started) / self._done * self.left) if self._done > 0 else 0.0


class RunProgress(StatusLine):
    """The status line of a run: how many of its files or pictures are done, and the time left."""

    def __init__(self, total: int, things: str, *, quiet: bool) -> None:
        """`things`: the word for what is counted, in the plural."""
        super().__init__(quiet=quiet)
        self._total, self._things = total, things
        self.time_left = TimeLeft()

    def update(self, done: int, *, failed: int = 0, more: str = "") -> None:
        """Shows that `done` things are done, `failed` ones included; `more` stands at the end of the line."""
        failures = f", {failed} failed" if failed else ""
        left = duration(self.time_left.seconds)
        self.show(f"{done}/{self._total} {self._things}{failures}, {left} left{more}", last=done == self._total)


def duration(seconds: float) -> str:
    """A time for people: 42 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
