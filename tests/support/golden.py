"""The golden files of this version, for the tests of several parts."""

from __future__ import annotations

from pathlib import Path

from fourcodec.bitstream.container import FORMAT_MAJOR, FORMAT_MINOR

FOLDER = Path(__file__).parents[1] / "golden" / f"v{FORMAT_MAJOR}.{FORMAT_MINOR}"
GOLDEN = {path.stem: path.read_bytes() for path in FOLDER.glob("*.fnc")}
