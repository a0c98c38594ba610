"""What a newcomer waits for: the processor time of commands, with an empty and with a filled cache of kernels.

    python -m benchmarks.startup > benchmarks/results/startup.txt
    python -m benchmarks.startup OTHER/src >> benchmarks/results/startup.txt      # another version

Processor seconds of all threads, since other work on the machine changes seconds of the clock more. With an empty cache
once, with a filled one the least of REPEATS.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.tables import show

ROOT = Path(__file__).parents[1]
CODED = ROOT / "tests" / "golden" / "v0.3" / "grid-rgb.fnc"
REPEATS = 3


def main() -> None:
    """Prints a row for each command."""
    source = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "src"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, columns = np.mgrid[0:192, 0:256]
        planes = [128 + 90 * np.sin(rows / (7 + shift)) * np.cos(columns / 9) for shift in range(3)]
        Image.fromarray(np.dstack(planes).astype(np.uint8)).save(folder / "photo.png")
        coded, copy = str(folder / "photo.fnc"), str(folder / "copy.png")
        commands = {
            "--help": ["--help"],
            "info": ["info", str(CODED)],
            "decode": ["decode", str(CODED), "-o", copy, "-f"],
            "encode --iterations 1": ["encode", str(folder / "photo.png"), "-o", coded, "-f", "--iterations", "1"],
        }
        show("source", "command", "empty cache, s", "filled cache, s")
        for command, arguments in commands.items():
            with tempfile.TemporaryDirectory() as cache:
                empty = seconds_of(arguments, source, Path(cache))
                filled = min(seconds_of(arguments, source, Path(cache)) for _ in range(REPEATS))
            show(source.parent.name, command, f"{empty:.2f}", f"{filled:.2f}")


def seconds_of(arguments: list[str], source: Path, cache: Path) -> float:
    """The processor seconds of one command."""
    environment = {**os.environ, "PYTHONPATH": str(source), "FOURCODEC_CACHE_DIR": str(cache)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "fourcodec", *arguments]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
