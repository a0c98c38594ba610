"""The libraries that a base install lacks, and the extra of the package that brings each."""

from importlib.util import find_spec

from fourcodec.errors import MissingLibraryError

# name in `import`: extra in pyproject.toml; the first that suits where several bring it
EXTRA_OF = {
    "torch": "cuda",
    "imagecodecs": "formats",
    "tifffile": "formats",
    "pillow_jxl": "formats",
    "matplotlib": "bench",
    "bjontegaard": "bench",
    "pytorch_msssim": "bench",
    "ssimulacra2": "bench",
    "flip_evaluator": "bench",
    "distributed": "cluster",
}


def is_there(library: str) -> bool:
    """True where a library can be imported; nothing is imported."""
    return find_spec(library) is not None


def require(purpose: str, *libraries: str, extra: str = "") -> None:
    """Raises MissingLibraryError where a library that `purpose` needs is not installed. Imports nothing.

    The message names the extra that brings the first missing one, or `extra`, if given.
    """
    missing = [library for library in libraries if not is_there(library)]
    if missing:
        verb = "are" if missing[1:] else "is"
        chosen = extra or EXTRA_OF[missing[0]]
        raise MissingLibraryError(
            f"{purpose} needs {' and '.join(missing)}, which {verb} not installed: pip install 'fourcodec[{chosen}]'"
        )
