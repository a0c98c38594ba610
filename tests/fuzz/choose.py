"""Chooses from the working corpus what is worth committing: python -m tests.fuzz.choose

The fewest files, chosen greedily and small ones first, that between them reach every branch of the reading code that
the golden files do not reach and the whole corpus does. They are written to tests/fuzz/corpus/<target>/, named by
their CRC-32, in place of what was there. Files that need kernels of their own to be compiled are left out: a replay on
a new machine would take minutes.
"""

import zlib

import coverage

from fourcodec.bitstream import container
from fourcodec.errors import FourcodecError
from fourcodec.grid import profile as grid
from tests.fuzz import targets
from tests.fuzz.run import NAMES, SEEDS, WORK
from tests.support.golden import FOLDER

PACKAGES = ["fourcodec.bitstream", "fourcodec.profiles", "fourcodec.codec", "fourcodec.fnet", "fourcodec.grid"]
Branches = frozenset[tuple[str, int, int]]


def main() -> None:
    golden = [path.read_bytes() for path in sorted(FOLDER.glob("*.fnc"))]
    shapes = {shape_of(data) for data in golden}
    for target in NAMES:
        reached = frozenset[tuple[str, int, int]]().union(*(branches(target, data) for data in golden))
        folders = (WORK / target / "corpus", SEEDS[0] / target)
        files = {path.read_bytes() for folder in folders if folder.is_dir() for path in folder.iterdir()}
        chosen = choose(target, [data for data in files if shape_of(data) in shapes], reached)
        (SEEDS[0] / target).mkdir(parents=True, exist_ok=True)
        for path in (SEEDS[0] / target).iterdir():
            path.unlink()
        for data in chosen:
            (SEEDS[0] / target / f"{zlib.crc32(data):08x}").write_bytes(data)
        print(f"{target}: {len(chosen)} of {len(files)} files, {sum(map(len, chosen))} bytes")


def choose(target: str, files: list[bytes], reached: Branches) -> list[bytes]:
    left = {data: branches(target, data) - reached for data in sorted(files, key=lambda data: (len(data), data))}
    chosen = []
    while left:
        best = max(left, key=lambda data: len(left[data]))
        gained = left.pop(best)
        if not gained:
            break
        chosen.append(best)
        left = {data: found - gained for data, found in left.items()}
    return chosen


def branches(target: str, data: bytes) -> Branches:
    """What an execution goes through."""
    watch = coverage.Coverage(data_file=None, branch=True, source_pkgs=PACKAGES, config_file=False)
    watch.set_option("run:disable_warnings", ["module-not-measured"])  # imported before, and measured all the same
    with watch.collect():
        targets.TARGETS[target](data)
    found = watch.get_data()
    return frozenset((file, *arc) for file in found.measured_files() for arc in found.arcs(file) or [])


def shape_of(data: bytes) -> tuple[int, ...]:
    """Of the kernels that decoding a file of the grid needs; empty for what needs none."""
    try:
        header, _ = container.read(data, targets.LIMITS)
    except FourcodecError:
        return ()
    return (*header.architecture[:2], header.colour_channels) if header.profile == grid.PROFILE_ID else ()


if __name__ == "__main__":
    main()
