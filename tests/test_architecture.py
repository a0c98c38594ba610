"""The floors of docs/architecture.md: imports go down only, and heavy ones happen where they are needed."""

import ast
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "fourcodec"
GOLDEN = Path(__file__).parent / "golden" / "v0.1"

FLOORS = {
    "cli": 6,
    "__main__": 7,
    "benchmark": 5,
    "comparison": 5,
    "inspection": 5,
    "folders": 5,
    "pillow_plugin": 5,
    "codec": 4,
    "encoder": 4,
    "generative": 4,
    "request": 4,
    "fitting": 3,
    "profiles": 3,
    "networks": 2,
    "quantize": 2,
    "images": 2,
    "metrics": 2,
    "resampling": 2,
    "transparency": 2,
    "pixels": 1,
    "views": 1,
    "parallel": 1,
    "journal": 1,
    "terminal": 1,
    "listing": 1,
    "web": 1,
    "devices": 1,
    "kernels": 1,
    "bitstream": 1,
    "files": 1,
    "errors": 0,
    "cache": 0,
    "limits": 0,
    "__init__": 0,
}
# unit: what it may import from outside (beside the standard library); units not named here may import anything
ALLOWED = {
    "bitstream": {"numpy", "zstandard"},
    "errors": set(),
    "limits": set(),
    "cache": {"platformdirs"},
    "kernels": {"numpy", "numba", "llvmlite", "torch"},
}
HEAVY = {"torch", "numba", "llvmlite", "skimage", "scipy", "matplotlib", "distributed", "dask", "sklearn"}
# modules imported by `import fourcodec.codec` and by --help, which must not reach anything heavy at their top level
LIGHT = {
    "__init__",
    "__main__",
    "errors",
    "limits",
    "cache",
    "files",
    "devices",
    "images",
    "pixels",
    "views",
    "resampling",
    "transparency",
    "pillow_plugin",
    "metrics",
    "codec",
    "request",
    "bitstream",
    "cli",
}
SEPARATE = [("bitstream", "kernels"), ("profiles", "fitting")]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def unit_of(path: Path) -> str:
    """The part of the package that a module belongs to: a name in FLOORS."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports_of(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Dotted names of everything that a module imports, those for type checkers aside."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
        elif top_level_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which floor they reach"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            pending += ast.iter_child_nodes(node)


def units_imported(path: Path) -> set[str]:
    names = [name.split(".") for name in imports_of(path)]
    return {parts[1] if parts[1] in FLOORS else "__init__" for parts in names if parts[0] == "fourcodec" and parts[1:]}


def test_every_module_has_a_floor() -> None:
    assert {unit_of(path) for path in modules()} <= set(FLOORS)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    unit = unit_of(path)
    for other in units_imported(path) - {unit}:
        level = FLOORS[other] < FLOORS[unit] or (FLOORS[other] == FLOORS[unit] and (unit, other) not in SEPARATE)
        assert level, f"{path.name}: {unit} must not import {other}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_part_uses_only_the_libraries_it_may(path: Path) -> None:
    unit = unit_of(path)
    libraries = {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names) - {"fourcodec"}
    assert libraries <= ALLOWED.get(unit, libraries), f"{unit} imports {libraries}"
    assert "click" not in libraries or unit == "cli"
    if path.name != "kernel_cache.py":  # which reads pickles of its own from a folder that is the user's alone
        assert not {"pickle", "cloudpickle"} & {name.split(".")[0] for name in imports_of(path)}
    if unit in LIGHT:
        heavy = {name.split(".")[0] for name in imports_of(path, top_level_only=True)} & HEAVY
        assert not heavy, f"{path.name} imports {heavy} for everybody; move it into the function that needs it"


def test_no_profile_imports_another() -> None:
    profiles = PACKAGE / "profiles"
    for one, other in itertools.permutations({path.stem for path in profiles.glob("*.py")} - {"__init__"}, 2):
        if ("fnet" in one) != ("fnet" in other):
            names = set(imports_of(profiles / f"{one}.py"))
            assert not {name for name in names if name.startswith(f"fourcodec.profiles.{other}")}


def loaded_by(script: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter holds after a script."""
    script += "\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    command = [sys.executable, "-c", script, *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import fourcodec") & {"torch", "numba", "numpy", "PIL"}
    assert not loaded_by("import fourcodec; fourcodec.encode, fourcodec.decode") & {"torch", "numba", "skimage"}


@pytest.mark.parametrize("name", ["rgb-range", "grid-rgb"])
def test_info_loads_neither_torch_nor_numba_and_decoding_no_torch(name: str, tmp_path: Path) -> None:
    source = str(GOLDEN / f"{name}.fnc")
    run = "import sys\nfrom fourcodec import cli\nassert cli.run(sys.argv[1:]) == 0"
    assert not loaded_by(run, "info", source) & {"torch", "numba", "scipy", "skimage"}
    loaded = loaded_by(run, "decode", source, "-o", str(tmp_path / "a.png"))
    # numba itself looks for scipy; the float form of the context model is an encoder's
    assert not loaded & {"torch", "skimage", "fourcodec.fitting", "fourcodec.kernels.context"}


def test_pillow_opens_a_file_without_the_codec() -> None:
    script = "import sys, fourcodec\nfrom PIL import Image\nfourcodec.register()\n"
    script += "assert Image.open(sys.argv[1]).size == (50, 33)"
    loaded = loaded_by(script, str(GOLDEN / "grid-rgb.fnc"))
    assert not loaded & {"torch", "numba", "scipy", "skimage", "fourcodec.codec", "fourcodec.kernels"}
