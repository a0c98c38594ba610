"""The documentation holds: its examples run as they stand, its pages are all found from the index, its links lead
somewhere, and docstrings can be read alone."""

import ast
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.golden import FOLDER

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]

PACKAGE = ROOT / "src" / "fourcodec"
FRAGMENT = re.compile(r"(Of|That|What|Whether)\b")  # with these begin docstrings that cannot be read alone
MADE = {"src/fourcodec/shipped"}  # what commands make
LONG = 50  # characters of a clause that is not there twice by chance
# Methods that a library calls and documents; a docstring of ours would repeat the library's.
OVERRIDES = {
    "convert": "click.ParamType",
    "parse_args": "click.Command",
    "format_options": "click.Command",
    "format_epilog": "click.Command",
    "list_commands": "click.Group",
    "get_command": "click.Group",
    "format_commands": "click.Group",
    "write_usage": "click.HelpFormatter",
    "write_heading": "click.HelpFormatter",
}


def examples(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that examples begin with."""
    Image.fromarray(photo.repeat(2, axis=0).repeat(2, axis=1)).save(tmp_path / "photo.png")
    shutil.copy(FOLDER / "grid-rgb.fnc", tmp_path / "photo.fnc")
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "research.md"], ids=lambda page: page.name)
def test_files_of_the_repository_are_where_a_page_says(page: Path) -> None:
    """research.md is a notebook: it names files that are in git's history."""
    named = re.findall(r"`((?:src|tests|benchmarks|tools|examples|docs)/[^`\s*<{]*)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if name not in MADE and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_rows_of_a_table_have_as_many_cells_as_its_heading(page: Path) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", page.read_text(encoding="utf-8"), re.MULTILINE):
        heading, *rows = [re.sub(r"`[^`]*`|\\\|", "", line).count("|") for line in table.splitlines()]
        assert rows == [heading] * len(rows), table


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_is_said_twice_on_a_page(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    prose = " ".join(line for line in text.splitlines() if not line.startswith(("|", "    ")))
    parts = [part for part in re.split(r"(?<=[.:;])\s+", prose) if len(part) > LONG]
    assert [part for part, count in Counter(parts).items() if count > 1] == []


def public_parts(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Public functions and classes of a module, and public methods of the latter."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            if not (isinstance(node, ast.ClassDef) and child.name in OVERRIDES):
                yield child
            if isinstance(child, ast.ClassDef):
                yield from public_parts(child)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_public_name_has_a_docstring_that_can_be_read_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert [part.name for part in public_parts(tree) if not ast.get_docstring(part)] == []
    parts = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)]
    assert [text for text in map(ast.get_docstring, parts) if text and FRAGMENT.match(text)] == []
