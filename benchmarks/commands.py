"""What a command costs: seconds, processor time, memory."""

import json
import subprocess
import sys
from dataclasses import dataclass

FOURCODEC = [sys.executable, "-m", "fourcodec"]

# Runs a command from a small process: the peak memory that the system reports includes the moment between fork and
# exec, in which the child is as large as its parent.
_WRAPPER = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
seconds, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, done.returncode, done.stderr]))
"""


@dataclass(frozen=True)
class Ran:
    """One run of a command: wall and processor seconds, peak memory in MB, exit status, stderr."""

    seconds: float
    processor_seconds: float
    peak_mb: float
    status: int
    stderr: str


def run(arguments: list[str], must_succeed: bool = True) -> Ran:
    """Runs a command; RuntimeError where it fails and must not."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", _WRAPPER, *arguments], check=True, capture_output=True, text=True
    )
    ran = Ran(*json.loads(done.stdout))
    if must_succeed and ran.status:
        raise RuntimeError(f"{arguments}: {ran.stderr}")
    return ran
