"""The same picture, options and machine give the same file: whether kernels were compiled just now or loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Both profiles, and a step of the generative model's training. Prints a sum of each result.
SCRIPT = """
import gc, hashlib, re
import numpy as np
import fourcodec
from fourcodec.fourier.batch_kernels import NO_SAMPLES, Blocks, network_kernel
from numba.core.dispatcher import Dispatcher

def show(name, data):
    print(name, hashlib.sha256(data).hexdigest())

random = np.random.default_rng(0)
rows, columns = np.mgrid[0:32, 0:40]
planes = [6 * rows + 2 * columns, 200 - 4 * columns, np.where(rows > columns / 2, 220, 30)]
picture = np.clip(np.stack(planes, axis=-1) + random.integers(-10, 10, (32, 40, 3)), 0, 255).astype(np.uint8)
show("grid", fourcodec.encode(picture, profile="grid", quality=60, iterations=40).data)
show("fnet", fourcodec.encode(picture, width=4, depth=3, iterations=40).data)

coefficients = random.normal(0, 0.1, (3, 8 * 3 + 2 * 3 * 8 + 2 * 1 * 8)).astype(np.float32)
blocks = Blocks.of_cell(0, random.random((2, 300), np.float32), np.arange(300), np.ones(300, np.float32))
targets = random.integers(0, 256, (3, 1, 300), np.uint8)
errors, gradients = np.zeros(3, np.float32), np.zeros_like(coefficients)
network_kernel(3, 2, 1)(coefficients, *blocks, 0, 0, 3, NO_SAMPLES, targets, NO_SAMPLES, errors, gradients)
show("generative", errors.tobytes() + gradients.tobytes())
"""
# What compiled kernels call that is no part of them. Loaded ones have no text to look at: this is for the cold process.
CALLS = """
for dispatcher in [thing for thing in gc.get_objects() if isinstance(thing, Dispatcher)]:
    if not dispatcher.targetoptions.get("fastmath") or not dispatcher.py_func.__module__.startswith("fourcodec."):
        continue
    for text in dispatcher.inspect_llvm().values():
        called = set(re.findall(r"call [^@\\n]*@(\\w+)\\(", text)) - {"NRT_incref", "NRT_decref"}
        ours = [name for name in called if "fourcodec" in name and dispatcher.py_func.__name__ not in name]
        if ours and not dispatcher.targetoptions.get("forceinline"):
            print("calls", dispatcher.py_func.__qualname__, ours)
"""


def results(cache: Path, script: str = SCRIPT) -> list[str]:
    root = Path(__file__).parents[1]
    path = os.pathsep.join([str(root), str(root / "src")])
    environment = {**os.environ, "PYTHONPATH": path, "FOURCODEC_CACHE_DIR": str(cache)}
    run = subprocess.run([sys.executable, "-c", script], check=True, env=environment, capture_output=True, text=True)
    return run.stdout.splitlines()


def kernels(cache: Path) -> list[Path]:
    return sorted(cache.glob("kernels-*/*.kernel"))


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The cache that a first process left, and what it found."""
    cache = tmp_path_factory.mktemp("cache")
    return cache, results(cache, SCRIPT + CALLS)


def test_a_float_kernel_calls_no_other(cold: tuple[Path, list[str]]) -> None:
    assert [line for line in cold[1] if line.startswith("calls")] == []


def test_loaded_kernels_give_what_compiled_ones_gave(cold: tuple[Path, list[str]]) -> None:
    cache, first = cold
    before = kernels(cache)
    assert len(before) > 30
    assert results(cache) == first
    assert kernels(cache) == before


def test_any_mixture_of_loaded_and_compiled_kernels_gives_the_same(cold: tuple[Path, list[str]]) -> None:
    cache, first = cold
    before = kernels(cache)
    for path in before[::3]:
        path.unlink()
    assert results(cache) == first
    assert len(kernels(cache)) > len(before) - len(before[::3])
