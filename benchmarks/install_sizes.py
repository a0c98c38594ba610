"""The size of the base install and of each extra, package by package, in the environment that runs this:

    python -m benchmarks.install_sizes > benchmarks/results/install-sizes.txt

Sizes are those of the files that the packages installed, without compiled Python (a tenth more). Which packages belong
to what follows from pyproject.toml and the packages' own metadata.
"""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.tables import show

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGE = Path(__file__).parents[1] / "src" / "fourcodec"
EXTRAS = ("formats", "cuda", "bench", "generate", "cluster")
LEAST_BYTES = 1 << 20  # of a package with a row of its own


def main() -> None:
    """Prints the table."""
    base = closure(PROJECT["dependencies"])
    own = sum(path.stat().st_size for path in PACKAGE.rglob("*") if path.suffix != ".pyc" and path.is_file())
    rows = [("base", "fourcodec", megabytes(own)), *rows_of("base", base)]
    total = own + sum(map(size_bytes, base))
    rows.append(("base", "all of it", megabytes(total)))
    everything = set(base)
    for extra in EXTRAS:
        added = closure(PROJECT["optional-dependencies"][extra]) - base
        rows += [*rows_of(extra, added), (extra, "adds", megabytes(sum(map(size_bytes, added))))]
        everything |= added
    rows.append(("all", "all of it", megabytes(own + sum(map(size_bytes, everything)))))
    print(f"Python {sys.version.split()[0]}, {sys.platform}; MB of 10^6 bytes; packages below 1 MiB are in one row")
    for row in (("install", "package", "MB"), *rows):
        show(*row)


def rows_of(install: str, names: set[str]) -> list[tuple[str, str, str]]:
    """A row for each large package, largest first, and one for the rest."""
    sizes = sorted(((size_bytes(name), name) for name in names), reverse=True)
    large = [
        (install, f"{name} {metadata.version(name)}", megabytes(size)) for size, name in sizes if size >= LEAST_BYTES
    ]
    small = [(size, name) for size, name in sizes if size < LEAST_BYTES]
    if not small:
        return large
    return [*large, (install, ", ".join(sorted(name for _, name in small)), megabytes(sum(size for size, _ in small)))]


def closure(requirements: list[str]) -> set[str]:
    """The normalised names of the required packages and of all that these require here. Raises PackageNotFoundError."""
    found, pending = set[str](), [Requirement(text) for text in requirements]
    while pending:
        wanted = pending.pop()
        name = normalised(wanted.name)
        if name in found or not applies(wanted, ""):
            continue
        found.add(name)
        needs = [Requirement(text) for text in metadata.requires(name) or []]
        pending += [need for need in needs if any(applies(need, extra) for extra in ("", *wanted.extras))]
    return found


def applies(requirement: Requirement, extra: str) -> bool:
    """True where a requirement holds in this environment, with this extra."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def normalised(name: str) -> str:
    """A package's name as the packaging specifications compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def size_bytes(name: str) -> int:
    """The bytes of the files that a package installed, without compiled Python."""
    paths = (Path(str(file.locate())) for file in metadata.files(name) or [] if not str(file).endswith(".pyc"))
    return sum(path.stat().st_size for path in paths if path.exists())


def megabytes(size: int) -> str:
    """Bytes as MB, to one decimal."""
    return f"{size / 1e6:.1f}"


if __name__ == "__main__":
    main()
