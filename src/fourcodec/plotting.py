"""Loading matplotlib, which refuses to be imported where MPLBACKEND names a backend that is not installed.

A notebook hands its MPLBACKEND on to the programs that it starts. Figures here are drawn into files and need none.
"""

import os

from fourcodec import extras


def load_matplotlib() -> None:
    """Imports matplotlib, whatever MPLBACKEND says. Other imports of it come after this call.

    Raises MissingLibraryError."""
    extras.require("a plot", "matplotlib")
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib  # noqa: F401
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
