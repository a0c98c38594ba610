"""The examples of the documentation run as they stand."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDES = ("using.md", "trust.md")
TEXT = "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in GUIDES)
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_of_the_guide_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "tests" / "golden" / "v0.1" / "grid-rgb.fnc", tmp_path / "photo.fnc")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/using.md", "exec"), {})
