"""Watching a fit: the best coefficients so far, and whether it has left them for good."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 2.0  # times the best score: fits that go well waver by a fifth, a collapse loses 10 dB
FLOOR = 2.5e-5  # scores below it are all equally good: 46 dB


class LastGood:
    """Keeps a copy of the coefficients with the least score (MSE, or MSE + lambda * bpp) since `forget`."""

    def __init__(self) -> None:
        self._best = math.inf
        self.coefficients: NDArray[np.float32] = np.empty(0, np.float32)

    def forget(self) -> None:
        """Scores of another kind follow; the coefficients are kept until there are new ones."""
        self._best = math.inf

    def diverged(self, score: float, coefficients: NDArray[np.float32]) -> bool:
        """Whether the score is no number or TOLERANCE times worse than the best. Copies coefficients that are the best
        so far."""
        if not math.isfinite(score) or score > TOLERANCE * max(self._best, FLOOR):
            return True
        if score <= self._best:
            self._best, self.coefficients = score, coefficients.copy()
        return False
