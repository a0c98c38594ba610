"""Detection of a fit's divergence, and the best coefficients before it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

# A score above so many times the best is a divergence: good fits waver by a fifth, a divergence loses 10 dB.
TOLERANCE = 2.0
FLOOR = 2.5e-5  # differences between scores below this (46 dB) do not count


class LastGood:
    """A copy of the coefficients with the lowest score (MSE, or MSE + lambda * bpp) so far."""

    def __init__(self) -> None:
        self._best = math.inf
        self.coefficients: NDArray[np.float32] | None = None

    def rescore(self, score_of: Callable[[NDArray[np.float32]], float]) -> None:
        """Scores the kept coefficients anew, where the kind of score changes."""
        if self.coefficients is not None:
            self._best = score_of(self.coefficients)

    def diverged(self, score: float, coefficients: NDArray[np.float32]) -> bool:
        """True if the score is not a number or more than TOLERANCE times the best. Else copies the coefficients if they
        are the first or the best so far."""
        if self.coefficients is not None and not score <= TOLERANCE * max(self._best, FLOOR):
            return True
        if self.coefficients is None or score <= self._best:
            self._best, self.coefficients = score, coefficients.copy()
        return False
