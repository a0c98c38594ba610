"""Decodes every single-bit flip and every truncation of a small file of each profile.

    python -m benchmarks.flips > benchmarks/results/flips.tsv

Each damaged file is decoded as it is, then with both checksums recomputed, which tests the checks behind them.
`refused` counts FourcodecErrors, `same` the undamaged image, `another` a different one; any other exception ends the
program. Times are processor seconds; a case above 0.2 s is measured again, since the first time may compile kernels.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from benchmarks.tables import show
from fourcodec import codec
from fourcodec.bench.memory import peak_memory
from tests.golden.make import picture
from tests.support.damage import flips, outcome, repaired, truncations

LONG_SECONDS = 0.2
COLUMNS = (
    *("file", "bytes", "damage", "checksums", "cases", "refused", "same", "another"),
    *("slowest_s", "slowest_case", "peak_mb", "undamaged_mb"),
)
FILES: dict[str, Callable[[], bytes]] = {
    "fnet": lambda: codec.encode(picture(30, 44, 4), width=5, depth=3, iterations=300, device="cpu").data,
    "grid": lambda: codec.encode(picture(40, 60, 4), quality=85, iterations=300).data,
}
DAMAGE: dict[str, Callable[[bytes], Iterable[bytes]]] = {"flip": flips, "truncation": truncations}
CHECKSUMS: dict[str, Callable[[bytes], bytes]] = {"as they were": lambda data: data, "made right": repaired}


def main() -> None:
    show(*COLUMNS)
    for name, make in FILES.items():
        data = make()
        wanted = codec.decode(data)
        for damage, damaged in DAMAGE.items():
            for checksums, repair in CHECKSUMS.items():
                row = measured((repair(case) for case in damaged(data)), data, wanted)
                show(name, len(data), damage, checksums, *row)


def measured(cases: Iterator[bytes], data: bytes, wanted: np.ndarray) -> list[str]:
    """The columns of a row from `cases` on."""
    with peak_memory() as undamaged:
        codec.decode(data)
    found: Counter[str] = Counter()
    slowest_seconds, slowest = 0.0, 0
    with peak_memory() as peak:
        for number, case in enumerate(cases):
            result, seconds = timed(case, wanted)
            if seconds > LONG_SECONDS:
                result, seconds = timed(case, wanted)
            found[result] += 1
            slowest_seconds, slowest = max((slowest_seconds, slowest), (seconds, number))
    counts = [sum(found.values()), found["refused"], found["same"], found["another"]]
    memory = [f"{one.megabytes:.0f}" for one in (peak, undamaged)]
    return [str(count) for count in counts] + [f"{slowest_seconds:.3f}", str(slowest), *memory]


def timed(case: bytes, wanted: np.ndarray) -> tuple[str, float]:
    """The outcome of decoding a damaged file, and processor seconds."""
    started = time.process_time()
    result = outcome(case, wanted)
    return result, time.process_time() - started


if __name__ == "__main__":
    main()
