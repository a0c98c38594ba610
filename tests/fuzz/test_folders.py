"""A few hundred of the mutations of `make fuzz-folders`."""

from pathlib import Path

import pytest

from tests.fuzz import folders


@pytest.mark.parametrize(("target", "count"), [("journal", 500), ("dataset", 300), ("model", 100), ("prior", 100)])
def test_damaged_journals_sets_models_and_priors_are_refused_in_one_way(
    target: str, count: int, tmp_path: Path
) -> None:
    for number in range(count):
        folders.execute(target, number, tmp_path)
