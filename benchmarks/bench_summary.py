"""Runs `fourcodec bench` and keeps its summary as a text file.

    python benchmarks/bench_summary.py RESULT.md [--bench OUT] FOLDER [options of fourcodec bench]

Continues what OUT holds; without --bench the other outputs are thrown away.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from fourcodec import cli


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path)
    parser.add_argument("--bench", type=Path, help="keep the run's outputs here")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of fourcodec bench")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = given.bench or Path(temporary) / "bench"
        status = cli.run(["bench", *given.arguments, "-o", str(out), "--resume"])
        if status:
            raise SystemExit(status)
        shutil.copyfile(out / "summary.md", given.result)


if __name__ == "__main__":
    main()
