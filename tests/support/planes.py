"""Pictures as planes, for the tests of several parts."""

from __future__ import annotations

import numpy as np


def planes_of(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32) / 255
