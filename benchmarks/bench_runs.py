"""Runs of `fourcodec bench` whose results become a text."""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fourcodec import cli

Report = Callable[[dict[str, Any], str], str]  # of results.json and of the command


def report_run(description: str | None, options: Sequence[str], report: Report) -> None:
    """Runs `fourcodec bench` on FOLDER, writes the report into RESULT and prints it.

    FOLDER, RESULT and --bench OUT come from the command line, and so do more options of bench, which follow `options`.
    A run in OUT is kept and resumed. Exits with the status of a run that fails.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--bench", type=Path, help="folder of the run, kept and resumed")
    given, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = given.bench or Path(temporary) / "bench"
        status = cli.run(["bench", str(given.folder), *options, *more, "-o", str(out), "--resume"])
        if status:
            raise SystemExit(status)
        results = json.loads((out / "results.json").read_text())
    text = report(results, " ".join(["fourcodec bench", given.folder.name, *options, *more]))
    given.result.write_text(text)
    print(text, end="")
