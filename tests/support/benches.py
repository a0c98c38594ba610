"""A folder of small pictures, settings that measure the stub codec on it, and the table of a run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fourcodec.bench.rows import UNREPEATABLE
from fourcodec.bench.settings import BenchSettings, OurSetting

STUB = "tests.support.stub_codec"


def picture(seed: int, height: int = 40, width: int = 56) -> np.ndarray:
    """Smooth shapes with some noise: uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(3):
        phase, fx, fy = rng.uniform(0, 6), rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.3)
        planes.append(128 + 90 * np.sin(phase + fx * columns + fy * rows) + rng.normal(0, 6, (height, width)))
    return np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8)


def make_folder(top: Path) -> Path:
    """Three pictures, one of them a JPEG, in class folders as ImageNet has them."""
    for place, name in enumerate(("n01/a.png", "n01/b.JPEG", "n02/c.webp")):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(place)).save(top / name, quality=92, lossless=True)
    return top


def stub_settings(folder: Path, **changed: Any) -> BenchSettings:
    """Settings that measure the stub codec at two sizes against JPEG unless told otherwise."""
    values: dict[str, Any] = {
        "folder": str(folder),
        "peers": ("jpeg",),
        "ours": (OurSetting(4, 2), OurSetting(6, 6)),
        "codec": STUB,
    }
    return BenchSettings(**{**values, **changed})


def table(out: Path, *, repeatable: bool = False) -> list[dict[str, str]]:
    """results.csv; repeatable: without the columns in which two runs may differ."""
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if repeatable:
        return [{name: value for name, value in row.items() if name not in UNREPEATABLE} for row in rows]
    return rows
