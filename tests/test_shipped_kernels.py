"""Kernels compiled ahead: a process that finds them compiles nothing, and one that does not does without."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fourcodec import shipped_kernels
from fourcodec.cache import VARIABLE
from tools.ship_kernels import ship

LEVEL = "x86-64-v3"
USE = """
import numpy as np
from fourcodec.coding.range_coder import start_decoder
start_decoder(np.arange(8, dtype=np.uint8))  # which calls another kernel
"""
LOADED = """
import sys
from pathlib import Path
from fourcodec import shipped_kernels
shipped_kernels.FOLDER = Path(sys.argv[1])
{use}
print(sum(start_decoder.stats.cache_hits.values()))
"""

SHIPPED, COMPILED = (1, 0), (0, 2)  # see `loaded`

pytestmark = pytest.mark.skipif(not shipped_kernels.has(LEVEL), reason="the processor is none of x86-64-v3")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one archive, of two kernels."""
    folder = tmp_path_factory.mktemp("shipped")
    ship(LEVEL, USE, folder / shipped_kernels.archive_name(LEVEL))
    return folder


def loaded(folder: Path, cache: Path, **settings: str) -> tuple[int, int]:
    """Whether a fresh process loaded the kernel that it called, and how many it compiled and kept."""
    command = [sys.executable, "-c", LOADED.format(use=USE), str(folder)]
    environment = {**os.environ, VARIABLE: str(cache), **settings}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ("compiling" in found.stderr) == (int(found.stdout) == 0)
    return int(found.stdout), len(list(cache.glob("*/*")))


def test_what_is_shipped_is_not_compiled(shipped: Path, tmp_path: Path) -> None:
    assert loaded(shipped, tmp_path) == SHIPPED


def test_what_is_not_shipped_is_compiled(tmp_path: Path) -> None:
    assert loaded(tmp_path / "none", tmp_path) == COMPILED


def test_a_damaged_archive_is_left_aside(shipped: Path, tmp_path: Path) -> None:
    whole = (shipped / shipped_kernels.archive_name(LEVEL)).read_bytes()
    (damaged := tmp_path / shipped_kernels.archive_name(LEVEL)).write_bytes(whole[: len(whole) // 2])
    assert loaded(tmp_path, tmp_path / "cut") == COMPILED
    place = len(whole) * 3 // 4  # in the kernel that is called
    damaged.write_bytes(whole[:place] + bytes(50) + whole[place + 50 :])
    assert loaded(tmp_path, tmp_path / "changed") == (0, 1)  # the other one is whole


def test_a_chosen_target_is_respected(shipped: Path, tmp_path: Path) -> None:
    assert loaded(shipped, tmp_path, NUMBA_CPU_NAME="generic") == COMPILED


def test_each_python_and_each_numba_has_an_archive_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    here = shipped_kernels.archive_name(LEVEL)
    monkeypatch.setattr(shipped_kernels.numba, "__version__", "0.0")
    assert shipped_kernels.archive_name(LEVEL) != here
