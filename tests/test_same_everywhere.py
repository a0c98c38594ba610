"""What docs/trust.md promises of two decoders: equal integers, and pixels within 1 of 255."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.golden.make import FOLDER

NAMES = ("rgb-range", "rgb-zstd", "index-sigmoid", "grid-grey", "grid-grey-alpha", "grid-prior")
SCRIPT = """
import sys
import numpy as np
from fourcodec import codec
from tests.golden.make import FOLDER, integers_of
for name in sys.argv[2:]:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    np.savez(f"{sys.argv[1]}/{name}.npz", **integers_of(data), pixels=codec.decode(data, device="DEVICE"))
"""


def decoded_elsewhere(out: Path, device: str = "cpu", **environment: str) -> None:
    """Every file, in an interpreter of its own."""
    root = Path(__file__).parents[1]
    path = os.pathsep.join([str(root), str(root / "src")])
    command = [sys.executable, "-c", SCRIPT.replace("DEVICE", device), str(out), *NAMES]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": path, **environment})


def assert_equal_but_for_a_step(out: Path, steps: int) -> None:
    """steps: of 255, that a pixel may differ by."""
    for name in NAMES:
        wanted, found = np.load(FOLDER / f"{name}.npz"), np.load(out / f"{name}.npz")
        assert sorted(found) == sorted(wanted)
        for part in found:
            if part != "pixels":
                assert np.array_equal(found[part], wanted[part]), (name, part)
        difference = np.abs(found["pixels"].astype(int) - wanted["pixels"]).max()
        assert difference <= steps, name


def test_without_compiled_kernels_integers_are_equal_and_pixels_within_one(tmp_path: Path) -> None:
    decoded_elsewhere(tmp_path, NUMBA_DISABLE_JIT="1")
    assert_equal_but_for_a_step(tmp_path, 1)


def test_the_number_of_threads_changes_nothing(tmp_path: Path) -> None:
    for threads in ("1", "3"):
        (tmp_path / threads).mkdir()
        decoded_elsewhere(tmp_path / threads, FOURCODEC_THREADS=threads)
        assert_equal_but_for_a_step(tmp_path / threads, 1)
    for name in NAMES:
        one, three = (np.load(tmp_path / threads / f"{name}.npz")["pixels"] for threads in ("1", "3"))
        assert np.array_equal(one, three), name


@pytest.mark.cuda
def test_on_cuda_integers_are_equal_and_pixels_within_one(tmp_path: Path) -> None:
    decoded_elsewhere(tmp_path, device="cuda")
    assert_equal_but_for_a_step(tmp_path, 1)
