"""Encodes of a folder: one job and two. benchmarks.kills has runs that are killed and resumed.

    python -m benchmarks.folders > benchmarks/results/folders.txt

Sixty images of 96 x 64 pixels, cut from a photograph that ships with scikit-image, as small networks of the profile
fnet. Both runs must end in the same bytes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import skimage
from PIL import Image

from benchmarks.timing import seconds

COUNT, WIDTH, HEIGHT = 60, 96, 64
OPTIONS = ("--width", "5", "--depth", "4", "--iterations", "150", "--device", "cpu", "--quiet")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        make_pictures(top / "photos")
        took = {jobs: timed(top / "photos", top / f"jobs-{jobs}", jobs) for jobs in (1, 2)}
        wanted = contents(top / "jobs-1")
        print(f"one job    {took[1]:6.1f} s for {len(wanted)} files")
        print(f"two jobs   {took[2]:6.1f} s, {compared(contents(top / 'jobs-2'), wanted)}")


def make_pictures(folder: Path) -> None:
    folder.mkdir()
    photograph = Image.fromarray(skimage.data.coffee())  # 600 x 400
    for number in range(COUNT):
        left, top = number % 10 * 56, number // 10 * 67
        photograph.crop((left, top, left + WIDTH, top + HEIGHT)).save(folder / f"{number:02}.png")


def timed(photos: Path, out: Path, jobs: int) -> float:
    program = [sys.executable, "-m", "fourcodec", "encode", str(photos), "-o", str(out), "--jobs", str(jobs)]
    return seconds(lambda: subprocess.run([*program, *OPTIONS], check=True))


def compared(found: dict[str, bytes], wanted: dict[str, bytes]) -> str:
    return "the same bytes" if found == wanted else "OTHER BYTES"


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.fnc")}


if __name__ == "__main__":
    main()
