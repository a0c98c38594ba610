"""Writes the trained starts as the decoder in JavaScript reads them: python -m tools.web_starts

Each is a file of its own in src/fourcodec/web, start-grid-1.bin or start-fnet-1.bin, so that a page loads only the one
that a picture needs: its integers, 16-bit little-endian, in the order of FORMAT.md, "Trained starts". The architecture
of those of profile fnet is also in decoder.js (FNET_STARTS).
"""

from pathlib import Path

from fourcodec import web
from fourcodec.fnet import trained_starts as fnet
from fourcodec.grid.trained_starts import trained_starts

FOLDER = Path(web.__path__[0])


def starts() -> dict[str, bytes]:
    """The content of the files, by the names of the starts."""
    arrays = {f"grid-{number}": start.entropy_model for number, start in trained_starts().items()}
    arrays |= {f"fnet-{number}": start.coefficients for number, start in fnet.trained_starts().items()}
    return {name: integers.astype("<i2").tobytes() for name, integers in arrays.items()}


def main() -> None:
    for name, content in starts().items():
        (FOLDER / f"start-{name}.bin").write_bytes(content)


if __name__ == "__main__":
    main()
