"""A codec that takes its process with it."""

import os
import signal
from typing import Any


def encode(image: Any, **_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def decode(data: bytes) -> Any:
    raise NotImplementedError
