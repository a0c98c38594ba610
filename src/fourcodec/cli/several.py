"""Inputs and outputs of `encode` and `decode`: IN OUT, several inputs, a folder to write into."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from fourcodec.cli import failures, options
from fourcodec.cli.options import STANDARD, Debugging
from fourcodec.errors import one_line

Json = dict[str, Any]


def split(
    paths: tuple[Path, ...], output: Path | None, is_output: Callable[[Path], bool]
) -> tuple[list[Path], Path | None]:
    """The inputs, and the output if there is one: that of -o on the command line; or the second of two paths where the
    first is a folder, the second is one or is standard output, or `is_output` says so; or that of -o from the
    environment."""
    if len(paths) == 2 and (output is None or options.is_from_environment("output")):
        first, second = paths
        if options.is_folder(first) or second == STANDARD or options.names_folder(second) or is_output(second):
            return [first], second
    return list(paths), output


def folder_among(sources: list[Path]) -> bool:
    """True where the input is a folder. Raises UsageError for a folder beside other inputs."""
    folders = [source for source in sources if options.is_folder(source)]
    if folders and len(sources) > 1:
        raise click.UsageError(f"the folder {str(folders[0])!r} is worked on alone, not beside other inputs")
    return bool(folders)


def targets_of(sources: list[Path], output: Path | None, suffix: str) -> list[Path]:
    """The path of each result: `output`, or in it where that is a folder, which is made; without an output beside each
    input, and standard output for standard input.

    Raises UsageError for one output of several inputs, and for two inputs with the same output; OSError.
    """
    if output is not None and options.names_folder(output):
        if STANDARD in sources:
            raise click.UsageError(f"standard input has no name: name a file in {str(output)!r}")
        targets = [output / source.with_suffix(suffix).name for source in sources]
        output.mkdir(parents=True, exist_ok=True)
    elif output is not None and len(sources) > 1:
        raise click.UsageError(f"{len(sources)} inputs are written into a folder: -o {output}/")
    else:
        targets = [options.target_of(source, output, suffix) for source in sources]
    first_of: dict[Path, Path] = {}
    for source, target in zip(sources, targets, strict=True):
        other = first_of.setdefault(target, source)
        if other is not source:
            raise click.UsageError(f"{str(other)!r} and {str(source)!r} would both be written to {str(target)!r}")
    return targets


def do_each(pairs: Iterable[tuple[Path, Path]], work: Callable[[Path, Path], Json]) -> tuple[list[Json], list[Json]]:
    """Does `work` on each input and output; returns what it returns, and the failures, which are told as they happen.

    One bad file does not end the others.
    """
    debugging = click.get_current_context().ensure_object(Debugging)
    done, failed = [], []
    for source, target in pairs:
        try:
            with options.about(source):
                done.append(work(source, target))
        except Exception as exc:
            failures.tell(exc, debugging)
            failed.append({"source": str(source), "reason": one_line(exc)})
    return done, failed
