"""A codec for the instrument's tests: a picture of fewer samples, deflated. Width and depth say how many.

STUB_DOOR in the environment makes its fits wait (door.py), STUB_KILL names a file that, once, costs the process its
life.
"""

import os
import signal
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from fourcodec.errors import ImageError
from tests.support.door import wait_at_the_door


@dataclass(frozen=True)
class StubEncoded:
    data: bytes
    encode_seconds: float


def encode(
    image: np.ndarray,
    *,
    width: int,
    depth: int,
    effort: int,
    device: str,
    seed: int,
    iterations: int | None = None,
    progress: Callable[[Any], None] | None = None,
) -> StubEncoded:
    started = time.perf_counter()
    _die_once()
    wait_at_the_door()
    if image.shape[0] == 13:
        raise ImageError("thirteen rows are too many")
    for iteration in range(10):
        if progress is not None:
            progress(SimpleNamespace(iteration=iteration + 1, iterations=10))
    height, columns = image.shape[:2]
    scale = max(2, 8 - width // 2 - depth // 2)
    small = Image.fromarray(image).resize((max(1, columns // scale), max(1, height // scale)), Image.Resampling.BOX)
    payload = zlib.compress(np.asarray(small).tobytes() + bytes([seed & 1]))
    channels = 1 if image.ndim == 2 else 3
    data = struct.pack("<IIIII", height, columns, *small.size, channels) + payload
    return StubEncoded(data, time.perf_counter() - started)


def decode(data: bytes) -> np.ndarray:
    height, columns, small_columns, small_rows, channels = struct.unpack_from("<IIIII", data)
    shape = (small_rows, small_columns) if channels == 1 else (small_rows, small_columns, 3)
    samples = np.frombuffer(zlib.decompress(data[20:]), np.uint8, count=int(np.prod(shape))).reshape(shape)
    return np.asarray(Image.fromarray(samples).resize((columns, height), Image.Resampling.BICUBIC))


def _die_once() -> None:
    victim = os.environ.get("STUB_KILL")
    if victim is None:
        return
    try:
        os.unlink(victim)
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
