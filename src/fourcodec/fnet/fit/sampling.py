"""Which pixels an iteration of a fit sees: a sample of the whole picture, another one each time.

The picture is divided into as many strata as a sample has pixels, and a sample has one pixel of each. In a stratum,
the pixels of successive samples follow an additive recurrence (Roberts, "The unreasonable effectiveness of quasirandom
sequences", 2018) from a random origin. So a few samples together cover it evenly, and the noise of their gradients
cancels.
Each stratum has an origin of its own: with one for all, samples are regular lattices, which alias (-0.3 dB).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_GOLDEN = (1 + math.sqrt(5)) / 2  # the root of x^2 = x + 1, for shares of a list
_PLASTIC = 1.3247179572447460  # the real root of x^3 = x + 1, for strata in two dimensions
_STEPS = 1 / _PLASTIC, 1 / _PLASTIC**2  # in heights and widths of a stratum, from sample to sample


class PixelSamples:
    """Samples of about `count` pixels of a picture of (height, width), as indices row by row, int64.

    candidates: the indices of those that count, rising; None for all pixels. Then a share of the list takes the place
    of a stratum. A picture of fewer pixels is sampled with repetitions. The order of a sample is random, so that any
    part of it is a sample of the whole picture.
    """

    def __init__(
        self,
        size: tuple[int, int],
        count: int,
        random: np.random.Generator,
        candidates: NDArray[np.int64] | None = None,
    ) -> None:
        self._size, self._random, self._candidates, self._taken = size, random, candidates, 0
        if candidates is None:
            across = max(1, round(math.sqrt(count * size[1] / size[0])))
            self._origins = random.random((2, max(1, count // across), across))
        else:
            self._origins = random.random((1, 1, count))

    def next(self) -> NDArray[np.int64]:
        """The next sample."""
        chosen = self._in_shares() if self._candidates is not None else self._in_strata()
        self._taken += 1
        return self._random.permutation(chosen)

    def _in_strata(self) -> NDArray[np.int64]:
        (height, width), (_, down, across) = self._size, self._origins.shape
        row_places, column_places = (_fraction(self._origins[n] + self._taken * _STEPS[n]) for n in range(2))
        rows = (np.arange(down)[:, None] + row_places) * (height / down)
        columns = (np.arange(across) + column_places) * (width / across)
        # Rounding may give the edge itself.
        rows, columns = np.minimum(rows.astype(np.int64), height - 1), np.minimum(columns.astype(np.int64), width - 1)
        return (rows * width + columns).ravel()

    def _in_shares(self) -> NDArray[np.int64]:
        assert self._candidates is not None
        origins, most = self._origins.ravel(), len(self._candidates)
        places = (np.arange(len(origins)) + _fraction(origins + self._taken / _GOLDEN)) * (most / len(origins))
        return self._candidates[np.minimum(places.astype(np.int64), most - 1)]


def _fraction(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """values % 1 in a fifth of the time, for values of at least 0."""
    return values - np.floor(values)
