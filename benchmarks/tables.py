"""Tables of the benchmarks, tab-separated: printed row by row, or kept in a file to which missing rows are added."""

from collections.abc import Iterable
from pathlib import Path


def show(*cells: object) -> None:
    """Prints a row at once, so that a run can be watched. None is an empty cell."""
    print(*("" if cell is None else cell for cell in cells), sep="\t", flush=True)


def begin(table: Path, columns: Iterable[str]) -> list[list[str]]:
    """Writes the heading where there is no file yet; returns the cells of the rows that are there."""
    if not table.exists():
        table.write_text("\t".join(columns) + "\n")
    return [line.split("\t") for line in table.read_text().splitlines()[1:]]


def append(table: Path, row: Iterable[str]) -> None:
    """Adds a row at the end of a file."""
    with table.open("a") as file:
        file.write("\t".join(row) + "\n")
