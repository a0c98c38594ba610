"""The decoder in JavaScript under node: its time on files, and what becomes of damaged ones.

python -m benchmarks.web_decoder times FILE.fnc...
    processor time: of the first decoding in a process, of later ones, of the integers alone, of the smaller pictures
python -m benchmarks.web_decoder mutated COUNT
    verdicts on mutated golden files beside those of Python, the longest time, the most memory
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median

from fourcodec import codec
from fourcodec.errors import FourcodecError
from fourcodec.limits import Limits
from tests.support.node import answers
from tests.web.test_decoder import SMALL, mutations, written


def times(files: list[str]) -> None:
    """Prints a line for each file, with and without WebAssembly."""
    for file in files:
        task = {"file": file}
        for plain in (False, True):
            found = answers([task] * 6 + [{**task, "symbols": True}] * 3, plain=plain)
            first, *others = (answer["ms"] for answer in found)
            print(
                f"{file} {'plain' if plain else 'WebAssembly'}: first {first:.0f} ms, "
                f"then {median(others[:5]):.0f} ms (least {min(others[:5]):.0f}), integers {median(others[5:]):.0f} ms"
            )
        (answer,) = answers([{**task, "levels": True}])
        steps = [f"1:{2 ** level['reduction']} at {level['ms']:.0f} ms" for level in answer["levels"]]
        print(f"  first decoding with smaller pictures: {', '.join(steps)}, whole at {answer['ms']:.0f} ms")


def mutated(count: int) -> None:
    """Prints the verdicts, under the limits SMALL."""
    verdicts: Counter[str] = Counter()
    files = mutations(count)
    with tempfile.TemporaryDirectory() as folder:
        found = answers(written(Path(folder), files), limits=SMALL)
    for data, answer in zip(files, found, strict=True):
        ours = "error" if answer.get("isFncError") else "failure" if "error" in answer else "picture"
        try:
            codec.decode(data, limits=Limits(**SMALL))
            python = "picture"
        except FourcodecError:
            python = "error"
        verdicts[f"{ours}, Python {python}"] += 1
    for verdict, number in sorted(verdicts.items()):
        print(f"{number} {verdict}")
    times_ms = [answer["ms"] for answer in found]
    print(f"processor time at most {max(times_ms):.0f} ms, median {median(times_ms):.1f} ms")
    print(f"memory of the process at most {max(answer['memory'] for answer in found):.0f} MB")


def main(arguments: list[str]) -> None:
    command, *others = arguments
    if command == "times":
        times(others)
    else:
        mutated(int(others[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
