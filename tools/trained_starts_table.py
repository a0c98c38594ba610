"""Writes the SHA-256 of every trained start, of both profiles, into FORMAT.md: python -m tools.trained_starts_table"""

import hashlib
import re
from pathlib import Path

from fourcodec import bitstream
from fourcodec.fnet import trained_starts as fnet
from fourcodec.grid.trained_starts import trained_starts

DOCUMENT = Path(bitstream.__path__[0]) / "FORMAT.md"
_ROWS = re.compile(r"(?<=\| id \| SHA-256 \|\n\|---\|---\|\n)(?:\| \d+ \| `[0-9a-f]{64}` \|\n)+")
_FNET_ROWS = re.compile(
    r"(?<=\| id \| fields \| SHA-256 \|\n\|---\|---\|---\|\n)(?:\| \d+ \| [\d, ]+ \| `[0-9a-f]{64}` \|\n)+"
)


def rows() -> str:
    """The rows of the grid's table, one for each trained start."""
    return "".join(
        f"| {number} | `{hashlib.sha256(start.entropy_model.astype('<i2').tobytes()).hexdigest()}` |\n"
        for number, start in trained_starts().items()
    )


def fnet_rows() -> str:
    """The rows of the pure network's table, one for each trained start."""
    return "".join(
        f"| {number} | {', '.join(map(str, start.size))} | "
        f"`{hashlib.sha256(start.coefficients.astype('<i2').tobytes()).hexdigest()}` |\n"
        for number, start in fnet.trained_starts().items()
    )


def main() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for pattern, new in ((_ROWS, rows()), (_FNET_ROWS, fnet_rows())):
        text, count = pattern.subn(new, text)
        if count != 1:
            raise SystemExit(f"{DOCUMENT}: {count} tables of trained starts, not one")
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
