"""Figures are drawn whatever a notebook has left in the environment."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.make import FOLDER
from tests.support.killed import surroundings

ROUTES = {
    "info --plot": "from fourcodec import cli; cli.run(['info', sys.argv[1], '--plot', 'a.png'])",
    "bench": "from fourcodec.bench.plots import Line, _plot; _plot('a', 'b', [Line('c', 'd', [(1, 30)], ['e'])])",
    "training": "from fourcodec.generative.history import to_plot; to_plot([])",
    "BD-rate": "from fourcodec.bench.bdrate import bd_rate; bd_rate(*2 * [[(1, 30), (2, 33), (3, 36)]])",
}


@pytest.mark.parametrize("name", ROUTES)
def test_a_backend_that_is_not_there_hinders_nothing(name: str, tmp_path: Path) -> None:
    script = f"import os, sys\n{ROUTES[name]}\nassert os.environ['MPLBACKEND'], 'it stays for others'"
    environment = surroundings(MPLBACKEND="module://matplotlib_inline.backend_inline")
    command = [sys.executable, "-c", script, str(FOLDER / "grid-rgb.fnc")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
