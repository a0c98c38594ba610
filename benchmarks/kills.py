"""Kills encodes of a file and of a folder, and benches, at random moments, and checks the files that are left.

    python -m benchmarks.kills > benchmarks/results/kills.txt

A run is a forked child with all modules loaded, so that kills hit the work and not the imports; SIGKILL goes to its
whole process group. Two kills in three come at a random moment of the run's usual duration, the third as soon as a
temporary file exists. After each kill, every file under a final name must be complete, and the originals unchanged. A
run that is left to end after every few kills must give the result of an undisturbed one. Exit status 1 otherwise.
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from fourcodec import cli
from tests.support.benches import picture, table

FAST = ("--width", "2", "--depth", "2", "--iterations", "40", "--device", "cpu", "--quiet")
SERIES = 4  # kills before a run is left to end
TEMPORARY = ".tmp"


@dataclass
class Kind:
    """A command, how often it is killed, and the checks of its output folder."""

    name: str
    command: list[str]
    kills: int
    out: Path
    check: Callable[[], str]  # after a kill: the state found, in words. Raises AssertionError
    ended: Callable[[], None]  # after a run that was left to end. Raises AssertionError
    seconds: float = 0.0  # of an undisturbed run
    found: Counter[str] = field(default_factory=Counter)


def main() -> int:
    generator = random.Random(0)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        pictures = top / "pictures"
        pictures.mkdir()
        for number in range(4):
            Image.fromarray(picture(number)).save(pictures / f"{number}.png")
        originals = contents(pictures)
        preload(top, pictures)
        kinds = [
            encode(top, pictures, "encode", 28, old=False),
            encode(top, pictures, "encode over an old file", 14, old=True),
            batch(top, pictures, 1, 26),
            batch(top, pictures, 2, 8),
            bench(top, pictures, 1, 18),
            bench(top, pictures, 2, 6),
        ]
        for kind in kinds:
            for number in range(kind.kills):
                kill_once(kind, generator, aimed=number % 3 == 2)
                kind.found[kind.check()] += 1
                assert contents(pictures) == originals, "an original was touched"
                if number % SERIES == SERIES - 1 or number == kind.kills - 1:
                    assert run(kind.command) == 0
                    kind.ended()
            states = ", ".join(f"{count} {state}" for state, count in sorted(kind.found.items()))
            left = len(temporaries(kind.out))
            print(f"{kind.name}: {kind.kills} kills in runs of {kind.seconds:.1f} s: {states}; ended as undisturbed")
            print(f"    {left} temporary files left under names of their own")
    killed, took = sum(kind.kills for kind in kinds), time.monotonic() - started
    print(f"{killed} kills, no half file, no original touched ({took:.0f} s)")
    return 0


def preload(top: Path, pictures: Path) -> None:
    """Imports and compiles everything that the commands need, so that forked children need not."""
    os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"  # threads do not survive a fork
    assert cli.run(["encode", str(pictures / "0.png"), "-o", str(top / "first.fnc"), *FAST]) == 0
    assert cli.run(["bench", str(pictures), "-o", str(top / "first"), "--limit", "1", *FAST]) == 0


def encode(top: Path, pictures: Path, name: str, kills: int, *, old: bool) -> Kind:
    """Encodes of one image, with or without an older file under the output's name."""
    out = top / name.replace(" ", "-")
    out.mkdir()
    target = out / "0.fnc"
    command = ["encode", str(pictures / "0.png"), "-o", str(target), "-f", *FAST]
    seconds = timed_run(command)
    whole, before = target.read_bytes(), b"an older file" if old else None

    def reset() -> None:
        target.unlink()
        if before is not None:
            target.write_bytes(before)

    def check() -> str:
        found = target.read_bytes() if target.exists() else None
        assert found in (whole, before), "half a file under its final name"
        if found == whole:
            reset()
        return "after the file" if found == whole else "before the file"

    def ended() -> None:
        assert target.read_bytes() == whole
        reset()

    reset()
    return Kind(name, command, kills, out, check, ended, seconds)


def batch(top: Path, pictures: Path, jobs: int, kills: int) -> Kind:
    """Encodes of a folder, resumed after each kill."""
    wanted, out = top / f"wanted-{jobs}", top / f"batch-{jobs}"
    seconds = timed_run(["encode", str(pictures), "-o", str(wanted), "--jobs", str(jobs), *FAST])
    whole = files(wanted)

    def check() -> str:
        found = files(out)
        assert found.items() <= whole.items(), "a file that an undisturbed run does not make"
        return f"with {len(found)} of {len(whole)} files"

    def ended() -> None:
        assert files(out) == whole
        assert not temporaries(out), "a temporary file is left"
        for path in out.iterdir():
            path.unlink()

    command = ["encode", str(pictures), "-o", str(out), "--resume", "--jobs", str(jobs), *FAST]
    return Kind(f"folder, --jobs {jobs}", command, kills, out, check, ended, seconds)


def bench(top: Path, pictures: Path, jobs: int, kills: int) -> Kind:
    """Benches, resumed after each kill; but for times the table must be that of an undisturbed run."""
    wanted, out = top / f"bench-wanted-{jobs}", top / f"bench-{jobs}"
    options = ["--limit", "2", "--jobs", str(jobs), *FAST]
    seconds = timed_run(["bench", str(pictures), "-o", str(wanted), *options])
    whole = table(wanted, repeatable=True)

    def check() -> str:
        if not (out / "results.csv").exists():
            return "before the table"
        assert table(out, repeatable=True) == whole, "half a table under its final name"
        return "after the table"

    def ended() -> None:
        assert table(out, repeatable=True) == whole
        for path in sorted(out.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    command = ["bench", str(pictures), "-o", str(out), "--resume", *options]
    return Kind(f"bench, --jobs {jobs}", command, kills, out, check, ended, seconds)


def kill_once(kind: Kind, generator: random.Random, *, aimed: bool) -> None:
    """Starts the command and kills it; if a run ends before its kill, starts another."""
    while True:
        before = temporaries(kind.out)
        child = start(kind.command)
        moment = time.monotonic() + generator.uniform(0, kind.seconds)
        while time.monotonic() < moment and not (aimed and temporaries(kind.out) - before):
            time.sleep(0.0005 if aimed else max(0.0, moment - time.monotonic()))
        os.killpg(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return
        assert os.waitstatus_to_exitcode(status) == 0
        kind.ended()  # this run was faster than the measured one


def temporaries(out: Path) -> set[str]:
    return {name for name in os.listdir(out) if name.endswith(TEMPORARY)} if out.is_dir() else set()


def timed_run(command: list[str]) -> float:
    """Seconds of a second run, since the first may compile kernels."""
    assert run(command) == 0
    began = time.monotonic()
    assert run([*command, *([] if "-f" in command else ["-f"])]) == 0
    return time.monotonic() - began


def run(command: list[str]) -> int:
    _, status = os.waitpid(start(command), 0)
    return os.waitstatus_to_exitcode(status)


def start(command: list[str]) -> int:
    """Forks a child in a process group of its own; returns its process id."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        sys.stdout = sys.stderr
        status = 1
        try:
            status = cli.run(command)
        finally:
            os._exit(status)
    with suppress(ProcessLookupError):  # the child did so itself and has ended
        os.setpgid(child, child)
    return child


def files(out: Path) -> dict[str, bytes]:
    """The finished files by name."""
    return {path.name: path.read_bytes() for path in out.glob("*.fnc")} if out.is_dir() else {}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


if __name__ == "__main__":
    sys.exit(main())
