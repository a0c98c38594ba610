"""What a run was made with."""

import shutil
from pathlib import Path

import pytest

import fourcodec
from fourcodec.bench import environment


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        ("metrics.py", True),
        ("bench/matching.py", True),
        ("bench/page.py", False),
        ("cli/bench.py", False),
    ],
)
def test_a_change_of_what_makes_rows_is_another_version(changed: str, matters: bool, tmp_path: Path) -> None:
    package = tmp_path / "fourcodec"
    shutil.copytree(Path(fourcodec.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = environment.code_digest(package)
    assert before == environment.versions()["fourcodec's code"]
    with (package / changed).open("a") as file:
        file.write("# changed\n")
    assert (environment.code_digest(package) != before) == matters


def test_the_processor_is_named() -> None:
    assert environment.machine()["processor"]
