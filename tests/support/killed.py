"""Programs that are killed, as by kill -9, at a moment of their own: the same one each time, on any machine."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DYING = """
import os, signal, sys
def die_at(name, number):
    real, calls = getattr(os, name), iter(range(1, number + 1))
    def function(*arguments, **named):
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    setattr(os, name, function)
die_at(sys.argv[1], int(sys.argv[2]))
del sys.argv[1:3]
"""


def killed(code: str, *arguments: str, moment: str, number: int, **environment: str) -> None:
    """Runs code with sys.argv[1:] = arguments, which dies where it would call os.<moment> for the number-th time:
    "fsync" when something is written but not known to be on the disk, "replace" when it has not got its name."""
    command = [sys.executable, "-c", DYING + code, moment, str(number), *arguments]
    done = subprocess.run(command, env=surroundings(**environment), stdout=subprocess.DEVNULL)
    assert done.returncode == -signal.SIGKILL


def bytes_below(folder: Path) -> dict[str, bytes]:
    """All files in a folder and below it, hidden ones too, by name."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def surroundings(**environment: str) -> dict[str, str]:
    """In which programs find the tests' modules, too."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, **environment}
