"""The rows of results.csv: one for each file, that is, for each picture, codec and setting."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import NoneType
from typing import Any

# The columns that may differ between two runs of the same settings.
UNREPEATABLE = ("encode_seconds", "decode_seconds", "peak_memory_mb")
_DECIMALS = {
    "rate_bpp": 5,
    "psnr_db": 4,
    "ssim": 5,
    "ms_ssim": 5,
    "ssimulacra2": 3,
    "flip": 5,
    "encode_seconds": 3,
    "decode_seconds": 4,
    "peak_memory_mb": 1,
    "interpolated_psnr_db": 4,
}


@dataclass(frozen=True)
class Row:
    """One row, None where there is no value. `interpolated_psnr_db` is no column, but in results.json and notes."""

    image: str
    codec: str
    setting: str = ""  # the codec's own; empty where the wanted rate or quality is out of its reach
    match: str = "none"  # none: our file; sweep: a point of a peer's curve; bytes, psnr: a peer's file matched to ours
    matched_setting: str = ""  # our setting whose file it is matched to
    size_bytes: int | None = None
    rate_bpp: float | None = None
    psnr_db: float | None = None  # RGB, 8 bits; empty for an exact copy
    ssim: float | None = None
    ms_ssim: float | None = None
    ssimulacra2: float | None = None  # empty where the package is missing, as is `flip`
    flip: float | None = None
    encode_seconds: float | None = None
    decode_seconds: float | None = None
    peak_memory_mb: float | None = None  # 10^6 bytes, of the whole process while it encoded and decoded
    coefficients: int | None = None
    note: str = ""
    interpolated_psnr_db: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The values as JSON types, rounded as in the table; empty ones are left out."""
        return {name: _rounded(name, value) for name, value in vars(self).items() if value not in (None, "")}

    def as_csv(self) -> list[str]:
        """The values as text in the order of COLUMNS; None is empty."""
        return [_formatted(name, getattr(self, name)) for name in COLUMNS]


_TEXTS = ("image", "codec", "setting", "match", "matched_setting", "note")
_FIELDS = tuple(field.name for field in fields(Row))
COLUMNS = tuple(name for name in _FIELDS if name != "interpolated_psnr_db")
MEASURED = COLUMNS[COLUMNS.index("size_bytes") : COLUMNS.index("note")]  # the columns with numbers


def from_json(values: Mapping[str, Any]) -> Row:
    """The inverse of `Row.as_json`, up to rounding. Raises TypeError and ValueError for values that no row has."""
    if not isinstance(values, Mapping):
        raise TypeError(f"a row is {values!r}")
    row = Row(**{name: value for name, value in values.items() if name in _FIELDS})
    for name in _FIELDS:
        value, is_text = getattr(row, name), name in _TEXTS
        if type(value) not in ((str,) if is_text else (int, float, NoneType)):
            raise TypeError(f"{name} is {value!r}")
        if not is_text and value is not None and not math.isfinite(value):
            raise ValueError(f"{name} is {value!r}")
    return row


def _rounded(name: str, value: Any) -> Any:
    return round(value, _DECIMALS[name]) if name in _DECIMALS else value


def _formatted(name: str, value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.{_DECIMALS[name]}f}" if name in _DECIMALS else str(value)
