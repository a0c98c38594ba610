"""Configurations of the generative model on one data set, trained for equal times and evaluated alike.

    python -m benchmarks.generative_compare DATA CONFIG... --minutes N --models FOLDER [--device D] [--results FOLDER]

Each configuration in turn is trained into FOLDER/CONFIG and evaluated into generative-CONFIG.json of the results. A run
that was killed and is started again resumes the training that was begun.
"""

import argparse
import contextlib
import io
import json
import sys
from pathlib import Path

from fourcodec import cli
from fourcodec.generative.checkpoints import FILE_NAME

SHOWN = [
    "reconstruction_psnr_db",
    "refined_psnr_db",
    "pca_psnr_db",
    "prior",
    "temperature",
    "frechet",
    "frechet_pca_gaussian",
    "frechet_floor",
    "precision",
    "recall",
    "malformed_share",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("configs", nargs="+", metavar="CONFIG")
    parser.add_argument("--minutes", required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    for config in arguments.configs:
        model = arguments.models / Path(config).stem
        begin = ["--resume"] if (model / FILE_NAME).exists() else ["--config", config]
        limits = ["--minutes", arguments.minutes, "--device", arguments.device]
        run("train", arguments.data, *begin, "-o", str(model), *limits)
        found = run("evaluate", str(model), "--data", arguments.data, "--json")
        arguments.results.mkdir(parents=True, exist_ok=True)
        (arguments.results / f"generative-{model.name}.json").write_text(found)
        document = json.loads(found)
        print(
            f"{config}, {arguments.minutes} minutes: " + ", ".join(f"{key} {document[key]}" for key in SHOWN),
            flush=True,
        )


def run(command: str, *arguments: str) -> str:
    """Runs a command of `fourcodec generate` and returns its standard output; exits where the command fails."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = cli.run(["generate", command, *arguments])
    if status:
        sys.exit(status)
    return printed.getvalue()


if __name__ == "__main__":
    main()
