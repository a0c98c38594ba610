"""Lines on stderr that say how far a long piece of work is."""

import shutil
import sys
import time

_EVERY_SECONDS = 10.0  # where stderr is not a terminal, so that a log stays readable


class StatusLine:
    """Drawn over on a terminal; elsewhere printed now and then."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._last = time.monotonic()
        self._width = 0

    def show(self, line: str, *, last: bool = False) -> None:
        """`last`: printed even if another was just before."""
        now = time.monotonic()
        if self._on_terminal:
            line = cut(line)
            print("\r" + line.ljust(self._width), end="", file=sys.stderr, flush=True)
            self._width = len(line)
        elif last or now - self._last >= _EVERY_SECONDS:
            self._last = now
            print(line, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Makes room for a line that stays."""
        if self._on_terminal and self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leaves the cursor on a fresh line."""
        if self._on_terminal and self._width:
            print(file=sys.stderr)


def cut(line: str) -> str:
    """As much as can be drawn over: a line that wraps leaves its first part behind."""
    return line[: shutil.get_terminal_size().columns - 1]


def duration(seconds: float) -> str:
    """For people: 42 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
