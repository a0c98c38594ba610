"""Says on stderr, once, that kernels are being compiled: a first use on a machine takes seconds longer."""

from __future__ import annotations

import functools
import logging
from typing import Any

from numba.core import event

MESSAGE = "compiling kernels for this processor; this takes some seconds, once"


class _Announcer(event.Listener):  # type: ignore[misc]
    """Compilations are events, loading compiled code from numba's cache is none."""

    said = False

    def on_start(self, event: Any) -> None:
        module = str(event.data["dispatcher"].py_func.__module__)
        if module.startswith("fourcodec.") and not self.said:
            self.said = True
            # Shown on stderr even where nobody has set logging up, and easily silenced.
            logging.getLogger("fourcodec").warning(MESSAGE)

    def on_end(self, event: Any) -> None:
        pass


@functools.cache
def announce_compilation() -> None:
    """From now on the first compilation of one of our kernels is announced."""
    event.register("numba:compile", _Announcer())
