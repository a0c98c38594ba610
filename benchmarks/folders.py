"""Encodes of a folder: one job and two, and a run that is killed twice and resumed.

    python -m benchmarks.folders > benchmarks/results/folders.txt

Sixty images of 96 x 64 pixels, cut from a photograph that ships with scikit-image, as small networks of the profile
fnet. All runs must end in the same bytes.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import skimage
from PIL import Image

COUNT, WIDTH, HEIGHT = 60, 96, 64
OPTIONS = ("--width", "5", "--depth", "4", "--iterations", "150", "--device", "cpu", "--quiet")
KILLED_AFTER = (15, 35)  # finished files


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        make_pictures(top / "photos")
        seconds = {jobs: timed(top / "photos", top / f"jobs-{jobs}", jobs) for jobs in (1, 2)}
        wanted = contents(top / "jobs-1")
        print(f"one job    {seconds[1]:6.1f} s for {len(wanted)} files")
        print(f"two jobs   {seconds[2]:6.1f} s, {compared(contents(top / 'jobs-2'), wanted)}")
        out = top / "killed"
        for files in KILLED_AFTER:
            done = kill_after(top / "photos", out, files)
            print(f"killed     after {done} files")
        timed(top / "photos", out, 2)
        leftovers = len(list(out.glob(".*.tmp")))
        ending = f"{compared(contents(out), wanted)}, {leftovers} temporary files left"
        print(f"resumed    to {len(contents(out))} files, {ending}")


def make_pictures(folder: Path) -> None:
    folder.mkdir()
    photograph = Image.fromarray(skimage.data.coffee())  # 600 x 400
    for number in range(COUNT):
        left, top = number % 10 * 56, number // 10 * 67
        photograph.crop((left, top, left + WIDTH, top + HEIGHT)).save(folder / f"{number:02}.png")


def command(photos: Path, out: Path, jobs: int) -> list[str]:
    program = [sys.executable, "-m", "fourcodec", "encode", str(photos), "-o", str(out)]
    return [*program, "--resume", "--jobs", str(jobs), *OPTIONS]


def timed(photos: Path, out: Path, jobs: int) -> float:
    started = time.perf_counter()
    subprocess.run(command(photos, out, jobs), check=True)
    return time.perf_counter() - started


def kill_after(photos: Path, out: Path, files: int) -> int:
    """Kills a run (SIGKILL) when `files` are finished; returns how many are finished then."""
    process = subprocess.Popen(command(photos, out, 2))
    while process.poll() is None and len(contents(out)) < files:
        time.sleep(0.01)
    process.kill()
    process.wait()
    return len(contents(out))


def compared(found: dict[str, bytes], wanted: dict[str, bytes]) -> str:
    return "the same bytes" if found == wanted else "OTHER BYTES"


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.fnc")}


if __name__ == "__main__":
    main()
