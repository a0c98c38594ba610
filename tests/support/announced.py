"""Work that says on stderr where its worker is: "starting" when it has found this module, "at work" with each item."""

import os
from collections.abc import Callable
from typing import Any

from fourcodec.batch.work import Work


def say(text: str) -> None:
    os.write(2, f"{text}\n".encode())  # whole lines, whichever of several processes says them


class Announced:
    def __init__(self, run: Callable[[Any], Any]) -> None:
        self._run = run

    def __setstate__(self, state: dict[str, Any]) -> None:
        say("starting")
        self.__dict__.update(state)

    def __call__(self, item: Any) -> Any:
        say("at work")
        return self._run(item)


def announced(work: Work[Any, Any]) -> Work[Any, Any]:
    return Work(Announced(work.run), work.failed)
