"""A damaged file never gives wrong pixels; with its checksums made right, an error or a picture.

All cases, of files of 1 to 3 kB: benchmarks/flips.py.
"""

from collections import Counter
from itertools import islice

import pytest

from fourcodec import codec
from tests.golden.make import FOLDER
from tests.support.damage import flips, outcome, repaired, truncations

SMALL = ("one-pixel", "grid-one-pixel", "index-sigmoid")
LARGE = ("fnet-rgba", "grid-rgb")


def outcomes(name: str, every: int, *, repair: bool) -> Counter[str]:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    wanted = codec.decode(data)
    cases = [*islice(flips(data), 0, None, every), *islice(truncations(data), 0, None, every)]
    return Counter(outcome(repaired(case) if repair else case, wanted) for case in cases)


@pytest.mark.parametrize("name", SMALL)
def test_every_flip_and_every_truncation_of_a_small_file_is_refused(name: str) -> None:
    assert set(outcomes(name, 1, repair=False)) == {"refused"}


@pytest.mark.parametrize("name", LARGE)
def test_some_flips_and_truncations_of_a_larger_file_are_refused(name: str) -> None:
    assert set(outcomes(name, 7, repair=False)) == {"refused"}


@pytest.mark.parametrize("name", LARGE)
def test_behind_right_checksums_damage_is_refused_or_gives_a_picture(name: str) -> None:
    found = outcomes(name, 29, repair=True)
    assert found["another"] > 0  # the checks behind the checksums were reached
    assert found["refused"] > 0


def test_checksums_are_made_right() -> None:
    data = (FOLDER / "grid-prior.fnc").read_bytes()
    assert repaired(data) == data
    damaged = data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]
    assert repaired(damaged) != damaged
    assert outcome(damaged, codec.decode(data)) == "refused"
    assert outcome(repaired(damaged), codec.decode(data)) == "another"
