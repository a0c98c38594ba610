"""Kernels are compiled once on a machine: a second process finds all of them on disk."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourcodec.kernel_cache import COMPILING


def messages(*arguments: str) -> str:
    command = [sys.executable, "-m", "fourcodec", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


@pytest.mark.parametrize("options", [["--width", "3", "--depth", "2"], ["-q", "50"]])
def test_a_second_process_compiles_nothing(tmp_path: Path, options: list[str]) -> None:
    source, coded, copy = (str(tmp_path / name) for name in ("a.png", "a.fnc", "b.png"))
    Image.fromarray(np.arange(16 * 24 * 3, dtype=np.uint8).reshape(16, 24, 3)).save(source)
    for first in (True, False):
        encoding = messages("encode", source, "-o", coded, "-f", "--iterations", "2", *options)
        decoding = messages("decode", coded, "-o", copy, "-f")
        assert first or COMPILING not in encoding + decoding
