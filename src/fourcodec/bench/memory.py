"""The peak of this process's resident memory over a stretch of work."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_KIB_PER_UNIT = 1 / 1024 if sys.platform == "darwin" else 1  # ru_maxrss: bytes there, KiB elsewhere


@dataclass
class Peak:
    """The result of `peak_memory`, filled in when its context ends."""

    megabytes: float | None = None  # 10^6 bytes


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measures the peak within its context; other systems than Linux give the peak since the start of the process."""
    peak = Peak()
    _reset_high_water_mark()
    try:
        yield peak
    finally:
        peak.megabytes = _high_water_kib() * 1024 / 1e6


def _reset_high_water_mark() -> None:
    with suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # proc(5): resets VmHWM


def _high_water_kib() -> float:
    try:
        with open("/proc/self/status") as file:
            return next(float(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource  # here, since Windows has none

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB_PER_UNIT
