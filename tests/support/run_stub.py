"""A run of the stub codec in a process of its own: python -m tests.support.run_stub DIR OUT JOBS [resume]."""

import sys
from pathlib import Path

from fourcodec.batch.engine import RunOptions
from fourcodec.bench.runner import run
from fourcodec.bench.settings import BenchSettings, OurSetting


def main() -> int:
    folder, out, jobs, *rest = sys.argv[1:]
    settings = BenchSettings(folder, ("jpeg",), (OurSetting(4, 2), OurSetting(6, 6)), codec="tests.support.stub_codec")
    finished = run(settings, RunOptions(Path(out), int(jobs), resume="resume" in rest, quiet=True))
    return 130 if finished.interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
