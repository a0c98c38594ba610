"""Fuzzes one target, or each in turn: python -m tests.fuzz.run [info|fnet|grid ...] --minutes N

The working corpus grows in .fuzz/<target>/corpus and is where the next run goes on; .fuzz/executions.json counts all
executions and seconds so far. A finding is a file in .fuzz/<target>/findings, and exit status 1. docs/fuzzing.md says
what to do with it.
"""

import argparse
import importlib
import json
import os
import pkgutil
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fourcodec.coding
import fourcodec.fourier
import fourcodec.grid.kernels
from tests.support.golden import FOLDER

HOME = Path(__file__).parent
SEEDS = (HOME / "corpus", HOME / "findings")  # a folder a target
WORK = HOME.parents[1] / ".fuzz"
INSIDE = "inside"  # the first argument of the process that fuzzes
NAMES = ("info", "fnet", "grid")
PROFILES = {1: "fnet", 2: "grid"}
SLICE_SECONDS = 600  # a fresh process after so long: nothing that a run keeps in memory lives longer
TIMEOUT_SECONDS = 25  # of one execution: on a busy machine a hundred times what the slowest takes
ROOM_BYTES = 1 << 29  # that an execution may take
MAX_FILE_BYTES = 4096
PLAIN = ("fourcodec.fourier.batch", "fourcodec.fourier.shape")  # not compiled
DECODING = ("fnet.network", "positions", "fnet.backends", "grid.network", "grid.latent_coding")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", default=NAMES, metavar="|".join(NAMES))
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(NAMES):
        parser.error(f"there are no targets {', '.join(sorted(unknown))}")
    return max(supervise(target, 60 * options.minutes) for target in options.targets)


def supervise(target: str, seconds: float) -> int:
    """Fuzzes in slices, each in a process of its own, and counts. 1 where there was a finding."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        before = findings_of(target)
        status, executions, took = run_slice(target, min(left, SLICE_SECONDS))
        found = findings_of(target) - before
        total = count(target, executions, took, finding=bool(found))
        print(f"{target}: {executions} executions in {took:.0f} s, {total['executions']} in all", flush=True)
        if status:
            what = f"a finding, {', '.join(found)}" if found else f"ended with status {status}"
            print(f"{target}: {what}; see {WORK / target / 'log.txt'}", flush=True)
            return 1
    return 0


def findings_of(target: str) -> set[str]:
    folder = WORK / target / "findings"
    return set(os.listdir(folder)) if folder.is_dir() else set()


def run_slice(target: str, seconds: float) -> tuple[int, int, float]:
    """Exit status, executions, and seconds."""
    folder = WORK / target
    for name in ("corpus", "findings", "golden"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.fnc"):
        if target in ("info", PROFILES.get(path.read_bytes()[10] & 15)):
            shutil.copyfile(path, folder / "golden" / path.name)
    command = [sys.executable, "-m", "tests.fuzz.run", INSIDE, target]
    command += [f"-max_total_time={max(1, int(seconds))}", f"-timeout={TIMEOUT_SECONDS}", "-rss_limit_mb=4096"]
    command += [f"-artifact_prefix={folder / 'findings'}/", f"-max_len={MAX_FILE_BYTES}", "-print_final_stats=1"]
    command += ["-reload=0", "-len_control=0", str(folder / "corpus"), str(folder / "golden")]
    command += [str(seeds / target) for seeds in SEEDS if (seeds / target).is_dir()]
    # One thread: handing work over costs more than such small pictures do.
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    started = time.monotonic()
    with (folder / "log.txt").open("w") as log:
        status = subprocess.run(command, stderr=log, stdout=log, env=environment, check=False).returncode
    log = (folder / "log.txt").read_text(errors="replace")
    # Statistics come at the end; a run that was interrupted has only the lines of its progress.
    counts = re.findall(r"^(?:#|stat::number_of_executed_units:\s*)(\d+)", log, re.MULTILINE)
    return status, max(map(int, counts), default=0), time.monotonic() - started


def count(target: str, executions: int, seconds: float, *, finding: bool) -> dict[str, float]:
    path = WORK / "executions.json"
    counts = json.loads(path.read_text()) if path.exists() else {}
    own = counts.setdefault(target, {"executions": 0, "seconds": 0, "seconds_without_a_finding": 0})
    own["executions"] += executions
    own["seconds"] = round(own["seconds"] + seconds)
    own["seconds_without_a_finding"] = 0 if finding else round(own["seconds_without_a_finding"] + seconds)
    path.write_text(json.dumps(counts, indent=1))
    return own


def fuzz(target: str, options: list[str]) -> int:
    """The process that fuzzes; libFuzzer ends it."""
    import atheris

    # Compiled functions cannot be instrumented: they are loaded before, and everything else after.
    for package in (fourcodec.coding, fourcodec.fourier, fourcodec.grid.kernels):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            if module.name not in PLAIN:
                importlib.import_module(module.name)
    with atheris.instrument_imports(include=["fourcodec"], enable_loader_override=False):
        for name in DECODING:
            importlib.import_module(f"fourcodec.{name}")
        from tests.fuzz import mutation, targets
    run = targets.TARGETS[target]
    warm_up(target)

    def execute(data: bytes) -> None:
        with room(), targets.strict():
            run(data)

    sound = [path.read_bytes() for path in sorted((WORK / target / "golden").iterdir())]

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        # Most of a corpus is refused early. Every other mutation starts from a sound file, so that enough is decoded.
        data = sound[seed // 2 % len(sound)] if seed % 2 else data
        return mutation.mutate(data, max_size, seed, atheris.Mutate, deep=target != "info")

    atheris.Setup([sys.argv[0], *options], execute, custom_mutator=change)
    atheris.Fuzz()
    return 0


@contextmanager
def room() -> Iterator[None]:
    """Beyond ROOM_BYTES more than now is a MemoryError, and that a finding. Of one execution, not of all: the fuzzer
    itself takes one or two kilobytes for each that it runs, and keeps them."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + ROOM_BYTES, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def warm_up(target: str) -> None:
    """Every kernel that a file can ask for, so that no execution waits for a compiler."""
    if target == "info":
        return
    from tests.fuzz.warm import warm_fnet, warm_grid

    (warm_fnet if target == "fnet" else warm_grid)()


if __name__ == "__main__":
    inside = sys.argv[1:2] == [INSIDE]
    sys.exit(fuzz(sys.argv[2], sys.argv[3:]) if inside else main(sys.argv[1:]))
