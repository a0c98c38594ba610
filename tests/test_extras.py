"""The base install works without the optional libraries, and says in one line which extra brings a missing one."""

import os
import shutil
import subprocess
import sys
import tomllib
import venv
from importlib import metadata
from pathlib import Path

import pytest

from fourcodec import devices, extras
from fourcodec.errors import DeviceError, FourcodecError, MissingLibraryError
from fourcodec.kernel_cache import COMPILING
from tests.support.killed import surroundings

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TASKS = ROOT / "tests" / "support" / "base_tasks.py"
OPTIONAL = (
    *extras.EXTRA_OF,
    *("scipy", "skimage", "sklearn", "safetensors", "dask", "imageio", "networkx", "fsspec"),
)
MOST_BYTES = 400 << 20


def name_of(requirement: str) -> str:
    """The distribution that a requirement names: pytorch-msssim of "pytorch-msssim>=1.0"."""
    return requirement.partition(">")[0]


def test_the_base_works_without_the_optional_libraries(tmp_path: Path) -> None:
    command = [sys.executable, str(TASKS), str(tmp_path), *OPTIONAL]
    done = subprocess.run(command, env=surroundings(), capture_output=True, text=True)
    # Whichever test needs a kernel first has it compiled.
    said = [line for line in done.stderr.splitlines() if COMPILING not in line]
    assert (done.returncode, done.stdout, said) == (0, "", [])


@pytest.mark.install
@pytest.mark.skipif(not os.environ.get("FOURCODEC_TEST_INSTALL"), reason="make test-base installs from a package index")
def test_a_fresh_install_of_the_base_works_and_is_small(tmp_path: Path) -> None:
    source = tmp_path / "source"  # a build leaves a folder beside pyproject.toml
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "docs/package.md"):
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-c", str(ROOT / "requirements.lock"), str(source)], check=True)
    script = "from importlib import metadata; print(*(found.name.lower() for found in metadata.distributions()))"
    listed = subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=True).stdout
    installed = set(listed.split()) - {"pip", "setuptools"}
    assert installed == {"fourcodec", "llvmlite", *map(name_of, PROJECT["dependencies"])}

    (tmp_path / "work").mkdir()
    folders = {"HOME": str(tmp_path), "FOURCODEC_CACHE_DIR": str(tmp_path / "cache")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | folders
    subprocess.run([str(python), "-I", str(TASKS), str(tmp_path / "work")], env=environment, check=True)
    subprocess.run([*pip, "uninstall", "-y", "setuptools", "pip"], check=True)
    assert sum(path.lstat().st_size for path in home.rglob("*")) < MOST_BYTES


def test_the_table_names_the_extra_that_brings_a_library() -> None:
    brought = metadata.packages_distributions()
    for library, extra in extras.EXTRA_OF.items():
        required = {name_of(requirement) for requirement in PROJECT["optional-dependencies"][extra]}
        assert required & set(brought[library]), library


def test_all_is_every_extra_of_a_user() -> None:
    (every,) = PROJECT["optional-dependencies"]["all"]
    assert every == f"fourcodec[{','.join(sorted(set(PROJECT['optional-dependencies']) - {'all', 'fuzz', 'test'}))}]"
    assert not [name for name in PROJECT["dependencies"] if "==" in name]
    assert not [name for names in PROJECT["optional-dependencies"].values() for name in names if "==" in name]


def test_a_missing_library_is_an_import_error_too() -> None:
    extras.require("a test", "numpy")
    with pytest.raises(MissingLibraryError, match=r"needs no_such, which is .*'fourcodec\[bench\]'") as caught:
        extras.require("a test", "numpy", "no_such", extra="bench")
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, FourcodecError)


def test_a_gpu_without_torch_is_said_and_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(devices, "has_driver", lambda: True)
    assert devices.resolve("auto") == "cpu"
    with pytest.raises(MissingLibraryError, match=r"fourcodec\[cuda\]"):
        devices.resolve("cuda")
    monkeypatch.setattr(devices, "has_driver", lambda: False)
    with pytest.raises(DeviceError, match="no CUDA device"):
        devices.resolve("cuda")
