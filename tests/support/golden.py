"""The golden files of this version, for the tests of several parts."""

from __future__ import annotations

from pathlib import Path

GOLDEN = {path.stem: path.read_bytes() for path in (Path(__file__).parents[1] / "golden" / "v0.3").glob("*.fnc")}
