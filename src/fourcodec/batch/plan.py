"""The names of targets: one for each source, no two alike."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import PurePosixPath


def targets(sources: Sequence[str], suffix: str, known: Mapping[str, str]) -> dict[str, str]:
    """A target for each source, by source.

    a.png becomes a.fnc; where there is an a.jpg beside it, the two become a.png.fnc and a.jpg.fnc. Sources in `known`
    keep the target that they had. Names that differ only in case count as alike, as on some file systems.
    """
    chosen = {source: known[source] for source in sources if source in known}
    taken = {target.casefold() for target in known.values()}
    stems = Counter(_plain(source, suffix).casefold() for source in sources)
    for source in sources:
        if source in chosen:
            continue
        alone = stems[_plain(source, suffix).casefold()] == 1
        for candidate in _candidates(source, suffix, alone):
            if candidate.casefold() not in taken:
                chosen[source] = candidate
                taken.add(candidate.casefold())
                break
    return chosen


def is_target(source: str, target: str, suffix: str) -> bool:
    """True for a name that `targets` may give to a source; so it is as far inside of its folder as the source is."""
    if target in (_plain(source, suffix), source + suffix):
        return True
    number = target.removeprefix(f"{source}-").removesuffix(suffix)
    return number.isascii() and number.isdecimal() and target == f"{source}-{number}{suffix}"


def _candidates(source: str, suffix: str, alone: bool) -> Iterator[str]:
    if alone:
        yield _plain(source, suffix)
    yield source + suffix
    for number in count(2):
        yield f"{source}-{number}{suffix}"


def _plain(source: str, suffix: str) -> str:
    return str(PurePosixPath(source).with_suffix(suffix))
