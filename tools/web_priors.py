"""Writes the trained starts as the decoder in JavaScript reads them: python -m tools.web_priors

src/fourcodec/web/priors.bin has the integers of all trained starts, one start behind the other, 16-bit little-endian,
in the order of FORMAT.md, "Trained starts".
"""

from pathlib import Path

from fourcodec import web
from fourcodec.grid.trained_starts import trained_starts

PRIORS = Path(web.__path__[0]) / "priors.bin"


def priors() -> bytes:
    """The content of priors.bin."""
    return b"".join(start.entropy_model.astype("<i2").tobytes() for _, start in sorted(trained_starts().items()))


def main() -> None:
    PRIORS.write_bytes(priors())


if __name__ == "__main__":
    main()
