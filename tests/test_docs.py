"""The documentation holds: its examples run as they stand, its pages are all found from the index, its links lead
somewhere."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
GUIDES = ("using.md", "trust.md")


def examples(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that examples begin with."""
    Image.fromarray(photo.repeat(2, axis=0).repeat(2, axis=1)).save(tmp_path / "photo.png")
    shutil.copy(ROOT / "tests" / "golden" / "v0.1" / "grid-rgb.fnc", tmp_path / "photo.fnc")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("page", "number"), [(page, number) for page in GUIDES for number in range(len(examples(page)))]
)
def test_examples_of_the_guides_run(page: str, number: int, folder: Path) -> None:
    exec(compile(examples(page)[number], f"docs/{page}", "exec"), {})


@pytest.mark.parametrize("page", ["python.md", "tour.md"])
def test_examples_of_a_page_run_one_after_the_other(page: str, folder: Path) -> None:
    names: dict[str, object] = {}
    shutil.copy(folder / "photo.fnc", folder / "coffee.fnc")
    assert examples(page)
    for code in examples(page):
        exec(compile(code, f"docs/{page}", "exec"), names)


def test_the_index_has_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [
        page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"]({page.name})" not in index
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
