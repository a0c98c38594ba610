"""The types of arrays that many modules use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Images = NDArray[np.uint8]  # (N, H, W, C)
Samples = NDArray[Any]  # uint8 or uint16, (H, W) or (H, W, C)
