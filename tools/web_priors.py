"""Writes the trained starts as the decoder in JavaScript reads them: python -m tools.web_priors

src/fourcodec/web/priors.bin has the integers of all trained starts, one start behind the other, 16-bit little-endian,
in the order of FORMAT.md, "Trained starts": those of profile grid, then those of profile fnet. The number of these and
their sizes are also in decoder.js (GRID_STARTS, FNET_STARTS) and web/pages.py.
"""

from pathlib import Path

from fourcodec import web
from fourcodec.fnet import trained_starts as fnet
from fourcodec.grid.trained_starts import trained_starts

PRIORS = Path(web.__path__[0]) / "priors.bin"


def priors() -> bytes:
    """The content of priors.bin."""
    of_grid = [start.entropy_model for _, start in sorted(trained_starts().items())]
    of_fnet = [start.coefficients for _, start in sorted(fnet.trained_starts().items())]
    return b"".join(integers.astype("<i2").tobytes() for integers in [*of_grid, *of_fnet])


def main() -> None:
    PRIORS.write_bytes(priors())


if __name__ == "__main__":
    main()
