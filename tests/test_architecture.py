"""The rooms of docs/architecture.md: imports go down only, profiles do not know each other, and heavy imports happen
where they are needed."""

import ast
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.golden import FOLDER

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "src" / "fourcodec"

# Rooms by level. A room imports rooms of lower levels and itself, so that there are no circles.
LEVELS = (
    ("arguments",),
    (
        "__init__",
        "errors",
        "arrays",
        "cache",
        "views",
        "threads",
        "json_text",
        "quality",
        "tuning",
        "shipped_kernels",
    ),
    ("extras", "limits", "files", "positions", "cells", "kernel_cache"),
    ("devices", "plotting"),
    ("compiling",),
    ("fourier", "coding", "bitstream", "optimisation"),
    ("images", "web"),
    ("metrics",),
    ("fnet", "grid"),
    ("profiles",),
    ("request", "fnc"),
    ("encoder",),
    ("codec",),
    ("batch", "inspection", "pillow_plugin"),
    ("generative", "bench"),
    ("comparison",),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
# The same within a profile: modules and folders, from the ground up.
FLOORS = {
    "fnet": (
        ("quantize", "network", "network_torch"),
        ("trained_starts", "backends"),
        ("config",),
        ("coefficient_coding", "rendering"),
        ("profile",),
        ("fit",),
    ),
    "grid": (
        ("kernels",),
        ("pyramid", "trained_starts", "ssimulacra2"),
        ("entropy_model", "error_form"),
        ("windows", "weights", "latent_coding"),
        ("tiling", "network", "edges"),
        ("gradient",),
        ("config",),
        ("picture",),
        ("weight_coding", "incomplete"),
        ("rendering",),
        ("profile",),
        ("fit",),
        ("cuda",),
    ),
}
# module: what it may import from above, and why
UPWARDS = {
    "grid.fit.fit": {"grid.cuda.latents"},  # where the device is CUDA, in the function that asks for it
}
APART = ("fnet", "grid", "generative")  # none of them imports another
# module: what of another of them it may import, and why
ACROSS = {
    "generative.config": {"fnet.config"},  # the largest network that a file can hold
    "generative.fnc": {"fnet.config", "fnet.profile", "fnet.quantize"},  # samples become files of the profile fnet
    "generative.latent_density": {"fnet.quantize"},  # the table of steps
}
# room: what it may import from outside (beside the standard library); rooms not named here may import anything
ALLOWED = {
    "bitstream": {"numpy", "zstandard"},
    "errors": set(),
    "arrays": {"numpy"},
    "extras": set(),
    "limits": set(),
    "cache": {"platformdirs"},
    "views": set(),
    "fourier": {"numpy", "numba", "llvmlite", "torch"},
    "coding": {"numpy", "numba"},
}
HEAVY = {"torch", "numba", "llvmlite", "skimage", "scipy", "matplotlib", "distributed", "dask", "sklearn"}
# rooms imported by `import fourcodec.codec` and by --help, which must not reach anything heavy at their top level
LIGHT = {
    "__init__",
    "__main__",
    "errors",
    "arrays",
    "limits",
    "cache",
    "extras",
    "files",
    "devices",
    "images",
    "views",
    "pillow_plugin",
    "metrics",
    "codec",
    "fnc",
    "profiles",
    "request",
    "tuning",
    "bitstream",
    "cli",
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """grid.fit.latents; a package's own text is named as the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in modules()}
every_module = pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))


def room_of(name: str) -> str:
    return name.split(".")[0]


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
            assert node.level == 0, f"{path}: relative imports hide which room they reach"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            pending += ast.iter_child_nodes(node)


def modules_imported(path: Path) -> set[str]:
    """Those of the package: grid.fit.latents; __init__ for its own names."""
    found = set()
    for name in imports_of(path):
        if name.split(".")[0] != "fourcodec":
            continue
        parts = name.split(".")[1:]
        while parts and ".".join(parts) not in NAMES:
            parts.pop()
        found.add(".".join(parts) or "__init__")
    return found


def test_every_room_has_a_level_and_every_module_of_a_profile_a_floor() -> None:
    assert {room_of(name) for name in NAMES} - set(LEVEL) == set()
    for room, floors in FLOORS.items():
        inside = {name.split(".")[1] for name in NAMES if name.startswith(f"{room}.")}
        assert inside == {place for floor in floors for place in floor}


@every_module
def test_imports_go_down_only(path: Path) -> None:
    name = name_of(path)
    room = room_of(name)
    for other in modules_imported(path):
        if room_of(other) == room:
            continue
        assert LEVEL[room_of(other)] < LEVEL[room], f"{name} must not import {other}"


@pytest.mark.parametrize("room", FLOORS)
def test_within_a_profile_imports_go_down_only(room: str) -> None:
    floor_of = {place: level for level, places in enumerate(FLOORS[room]) for place in places}
    for path in modules():
        name = name_of(path)
        if not name.startswith(f"{room}."):
            continue
        place = name.split(".")[1]
        for other in modules_imported(path) - UPWARDS.get(name, set()):
            if not other.startswith(f"{room}."):
                continue
            down = floor_of[other.split(".")[1]] < floor_of[place] or other.split(".")[1] == place
            assert down, f"{name} must not import {other}"


def test_only_the_encoder_imports_fits() -> None:
    """Whatever decodes does without them."""
    for path in modules():
        name = name_of(path)
        if room_of(name) != "encoder" and not only_for_fits({f"fourcodec.{name}"}):
            found = only_for_fits({f"fourcodec.{other}" for other in modules_imported(path)})
            assert not found, f"{name} must not import {found}"


def test_what_is_imported_upwards_is_imported_in_a_function() -> None:
    for name, others in UPWARDS.items():
        at_the_top = set(imports_of(PACKAGE / f"{name.replace('.', '/')}.py", top_level_only=True))
        for other in others:
            assert not {found for found in at_the_top if f"{found}.".startswith(f"fourcodec.{other}.")}


def test_no_profile_imports_another() -> None:
    for path in modules():
        name = name_of(path)
        for room, other in itertools.permutations(APART, 2):
            if room_of(name) == room:
                found = {module for module in modules_imported(path) if room_of(module) == other}
                assert found <= ACROSS.get(name, set()), f"{name} must not import {found}"


@every_module
def test_each_part_uses_only_the_libraries_it_may(path: Path) -> None:
    room = room_of(name_of(path))
    libraries = {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names) - {"fourcodec"}
    assert libraries <= ALLOWED.get(room, libraries), f"{room} imports {libraries}"
    assert "click" not in libraries or room == "cli"
    if room != "kernel_cache":  # which reads pickles of its own from a folder that is the user's alone
        assert not {"pickle", "cloudpickle"} & {name.split(".")[0] for name in imports_of(path)}
    if room in LIGHT:
        heavy = {name.split(".")[0] for name in imports_of(path, top_level_only=True)} & HEAVY
        assert not heavy, f"{path.name} imports {heavy} for everybody; move it into the function that needs it"


def loaded_by(script: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter holds after a script."""
    script += "\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    command = [sys.executable, "-c", script, *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines())


def only_for_fits(loaded: set[str]) -> set[str]:
    """What of the package was loaded that decoding never needs."""
    ours = {name for name in loaded if name.startswith("fourcodec.")}
    rooms = {name for name in ours if {"fit", "cuda", "optimisation"} & set(name.split("."))}
    gradients = {"fourcodec.grid.gradient", "fourcodec.grid.kernels.entropy_model"}  # and entropy models in floats
    return rooms | (ours & gradients)


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import fourcodec") & {"torch", "numba", "numpy", "PIL"}
    assert not loaded_by("import fourcodec; fourcodec.encode, fourcodec.decode") & {"torch", "numba", "skimage"}
    assert not loaded_by("import fourcodec.profiles") & {"torch", "numba", "skimage", "scipy"}


@pytest.mark.parametrize("name", ["rgb-range", "grid-rgb"])
def test_info_loads_neither_torch_nor_numba_and_decoding_no_torch(name: str, tmp_path: Path) -> None:
    source = str(FOLDER / f"{name}.fnc")
    run = "import sys\nfrom fourcodec import cli\nassert cli.run(sys.argv[1:]) == 0"
    assert not loaded_by(run, "info", source) & {"torch", "numba", "scipy", "skimage", "PIL.ImageCms"}
    loaded = loaded_by(run, "decode", source, "-o", str(tmp_path / "a.png"))
    assert not loaded & {"torch", "skimage"}  # numba itself looks for scipy
    assert not only_for_fits(loaded)


def test_pillow_opens_a_file_without_the_codec() -> None:
    script = "import sys, fourcodec\nfrom PIL import Image\nfourcodec.register()\n"
    script += "assert Image.open(sys.argv[1]).size == (50, 33)"
    loaded = loaded_by(script, str(FOLDER / "grid-rgb.fnc"))
    assert not loaded & {"torch", "numba", "scipy", "skimage", "fourcodec.codec", "fourcodec.fourier"}


def test_no_module_of_tests_imports_another() -> None:
    for path in TESTS.rglob("test_*.py"):
        names = {name for name in imports_of(path) if name.startswith("tests.")}
        others = {
            name for name in names if any(part.startswith("test_") for part in name.split(".")) or "conftest" in name
        }
        assert not others, f"{path.relative_to(TESTS)} imports {others}; what it shares belongs to tests/support"
