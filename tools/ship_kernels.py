"""Compiles kernels ahead, for a wheel that carries them: `make wheel` runs this before it builds one.

    python -m tools.ship_kernels [FOLDER]     (FOLDER: src/fourcodec/shipped)

One archive for each level of the x86-64 instruction set that this processor has, for the Python and the libraries that
run it (fourcodec/shipped_kernels.py). Archives for other Pythons may be made by those and added. What the usual
commands need is in it: both profiles, grey and RGB, alpha, both tunings, pictures of all sizes; the pure network at the
size of README. Anything else is compiled where it is needed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

import fourcodec
from fourcodec import kernel_cache, shipped_kernels
from fourcodec.cache import VARIABLE

_DATE = (1980, 1, 1, 0, 0, 0)  # of the files in an archive: equal kernels make equal archives


def main() -> None:
    """Writes an archive for each level."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=shipped_kernels.FOLDER)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for level in filter(shipped_kernels.has, shipped_kernels.LEVELS):
        path = folder / shipped_kernels.archive_name(level)
        ship(level, "from tools.ship_kernels import use; use()", path)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def ship(level: str, program: str, path: Path) -> None:
    """Writes an archive of the kernels that a Python program uses, compiled for a level."""
    features = ",".join(f"+{feature}" for feature in shipped_kernels.LEVELS[level])
    with tempfile.TemporaryDirectory() as cache:
        target = {"NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": features, VARIABLE: cache}
        subprocess.run([sys.executable, "-c", program], env={**os.environ, **target}, check=True)
        kernels = sorted(Path(cache).glob("*/*.kernel"))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for kernel in kernels:
                archive.writestr(zipfile.ZipInfo(kernel.name, _DATE), payload_of(kernel), zipfile.ZIP_DEFLATED)


def payload_of(kernel: Path) -> bytes:
    """The compiled code in a file of the cache of kernels."""
    payload = kernel_cache._read(kernel)
    assert payload is not None
    return payload


def use() -> None:
    """Runs what the usual commands run, on small pictures."""
    random = np.random.default_rng(0)
    for channels in (1, 3):
        # Large enough for fits that begin on smaller pictures; then for one more level.
        for side, iterations in ((256, 100), (1040, 2)):
            picture = random.integers(0, 256, (side, side, channels), np.uint8)
            for tune in ("psnr", "visual"):
                fourcodec.encode(picture.squeeze(), iterations=iterations, tune=tune, device="cpu")
        small = picture[:48, :64].squeeze()
        fourcodec.encode(small, profile="fnet", width=8, depth=6, iterations=2, device="cpu")
    with_alpha = random.integers(0, 256, (48, 64, 4), np.uint8)
    fourcodec.encode(with_alpha, iterations=2, device="cpu")


if __name__ == "__main__":
    main()
