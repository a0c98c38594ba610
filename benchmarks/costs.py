"""Seconds and memory of decoding and encoding, as whole commands and in a running process.

    python -m benchmarks.costs > benchmarks/results/costs.txt

The images are a photograph that ships with scikit-image, scaled to 768 x 512 and to 4000 x 3000 pixels.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from PIL import Image

import fourcodec
from benchmarks.commands import FOURCODEC, run
from benchmarks.timing import median_seconds

RUNS = 7


def show(what: str, arguments: list[str], runs: int = RUNS) -> None:
    """Prints the median time and the largest peak of a command."""
    measured = [run(arguments) for _ in range(runs)]
    seconds = [one.seconds for one in measured]
    print(
        f"{what:46} median {statistics.median(seconds):.2f} s (from {min(seconds):.2f} to {max(seconds):.2f}), "
        f"peak {max(one.peak_mb for one in measured):.0f} MB",
        flush=True,
    )


def decode_in_process(what: str, data: bytes) -> None:
    """Prints the median time of decoding, kernels being loaded."""
    median = median_seconds(lambda: fourcodec.decode(data), RUNS)
    print(f"{what:46} median {median:.3f} s", flush=True)


def main() -> None:
    photo = Image.fromarray(skimage.data.coffee())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = folder / "small.png", folder / "large.png"
        photo.resize((768, 512)).save(small)
        photo.resize((4000, 3000)).save(large)
        profiles: dict[str, dict[str, Any]] = {"grid -q 60": {"quality": 60}, "8x6": {"width": 8, "depth": 6}}
        for profile, options in profiles.items():
            coded = fourcodec.encode(np.asarray(Image.open(small)), iterations=100, **options)
            (folder / "small.fnc").write_bytes(coded.data)
            decode_in_process(f"decode 768x512 {profile}, in-process", coded.data)
            arguments = ["decode", str(folder / "small.fnc"), "-f", "--quiet"]
            show(f"decode 768x512 {profile}, command", [*FOURCODEC, *arguments])
        show("info, command", [*FOURCODEC, "info", str(folder / "small.fnc")])
        show("--help, command", [*FOURCODEC, "--help"])
        for profile, given in {"grid": ["--iterations", "8"], "fnet": ["--iterations", "200"]}.items():
            arguments = ["encode", str(large), "--profile", profile, *given, "--quiet", "-f"]
            show(f"encode 4000x3000 {profile} {' '.join(given)}", [*FOURCODEC, *arguments], runs=1)
            arguments = ["decode", str(folder / "large.fnc"), "-f", "--quiet"]
            show(f"decode 4000x3000 {profile}, command", [*FOURCODEC, *arguments], runs=1)


if __name__ == "__main__":
    main()
