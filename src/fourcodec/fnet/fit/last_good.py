"""Watching a fit: the best coefficients so far, and whether it has left them for good."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 2.0  # times the best score: fits that go well waver by a fifth, a collapse loses 10 dB
FLOOR = 2.5e-5  # scores below it are all equally good: 46 dB


class LastGood:
    """Keeps a copy of the coefficients with the least score (MSE, or MSE + lambda * bpp)."""

    def __init__(self) -> None:
        self._best = math.inf
        self.coefficients: NDArray[np.float32] | None = None

    def rescore(self, score_of: Callable[[NDArray[np.float32]], float]) -> None:
        """Another kind of score follows: that of the kept coefficients is what others are now compared with."""
        if self.coefficients is not None:
            self._best = score_of(self.coefficients)

    def diverged(self, score: float, coefficients: NDArray[np.float32]) -> bool:
        """Whether the score is no number or TOLERANCE times worse than the best. Copies coefficients that are the best
        so far, the first in any case."""
        if self.coefficients is not None and not score <= TOLERANCE * max(self._best, FLOOR):
            return True
        if self.coefficients is None or score <= self._best:
            self._best, self.coefficients = score, coefficients.copy()
        return False
