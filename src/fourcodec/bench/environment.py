"""The versions, the machine and the git revision of a run: for results.json, and so that --resume notices changes."""

import hashlib
import os
import platform
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import fourcodec
from fourcodec.threads import available_cores

_PACKAGES = (
    "bjontegaard",
    "matplotlib",
    "numba",
    "numpy",
    "pillow",
    "pillow-jxl-plugin",
    "pytorch-msssim",
    "torch",
    "zstandard",
)
# The modules of fourcodec.bench that make rows. The others make reports, which resuming a finished run writes anew.
_MEASURING = ("baselines", "items", "matching", "measuring", "memory", "ours", "peer_rows", "rows", "sources")
_PILLOW_LIBRARIES = ("libjpeg_turbo", "webp", "avif")


def versions() -> dict[str, str]:
    """The versions of everything that the numbers depend on, by name."""
    from PIL import features

    found = {
        "fourcodec": fourcodec.__version__,
        "fourcodec's code": code_digest(Path(fourcodec.__file__).parent),
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    for library in _PILLOW_LIBRARIES:
        found[f"pillow's {library}"] = str(features.version(library))
    return found


def code_digest(package: Path) -> str:
    """A hash of all code in `package` that a row can depend on: the version is the same between two releases."""
    content = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        unit, *rest = path.relative_to(package).parts
        if unit == "cli" or (unit == "bench" and rest[-1].removesuffix(".py") not in _MEASURING):
            continue
        content.update(path.read_bytes())
    return content.hexdigest()[:12]


def machine() -> dict[str, str | int]:
    """The facts about this machine that measured seconds depend on."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": available_cores(),
    }


def git_revision() -> str | None:
    """The revision of the working tree that this package runs from, with '+changes' where there are any.

    None where the package does not run from a working tree.
    """
    package = Path(fourcodec.__file__).parent
    tracked = _git(package, "ls-files", "--error-unmatch", "__init__.py")
    revision = _git(package, "rev-parse", "HEAD")
    if not tracked or not revision:
        return None
    return revision + ("+changes" if _git(package, "status", "--porcelain", "--", ".") else "")


def _git(folder: Path, *arguments: str) -> str:
    try:
        # Without its optional locks: killed with the bench, git would leave one, which stops the next commit.
        command = ["git", "--no-optional-locks", "-C", os.fspath(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
