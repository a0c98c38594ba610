"""Adaptive probability maps: what a model says of a decision, corrected by how such decisions turned out so far.

A map has a curve for each context, from the model's probability to the corrected one: points at KNOTS, and straight
lines between them. At first it changes nothing. A decision moves the two points beside the model's probability towards
what was decided, fast at first, later by 1 / LIMIT of the error. Several maps with other contexts correct one decision;
their mean is taken. All arithmetic is in integers. Source: M. Mahoney, lpaq1, 2007, class APM.

Points are int32: 2^7 times a probability in units of 2^-22, plus the number of decisions between this point and the
next, at most LIMIT - FIRST. A place is 32 times the number of the knot below a probability, plus the part of the way to
the next knot in 1/32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.compiling import integer_kernel

# Probabilities in 1/65536, at equal distances in log odds.
KNOTS = (22, 94, 401, 1682, 6645, 21351, 44185, 58891, 63854, 65135, 65442, 65514)
FIRST, LIMIT = 12, 128  # the first decision moves a point by 1/FIRST of its error, the last ones by 1/LIMIT
LEAST = 4  # corrected probabilities lie in [4, 65532] / 65536
_POINT_BITS, _COUNT_BITS = 22, 7
_MOST, _COUNTS = (1 << _POINT_BITS) - 1, (1 << _COUNT_BITS) - 1
# 65536 divided by FIRST plus the number of decisions before, rounded down.
_RATES = np.array([65536 // (FIRST + before) for before in range(LIMIT - FIRST + 1)], np.int64)


def places(probabilities: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places on curves (32 for each knot) of probabilities in units of 1/65536, of the same shape."""
    knots = np.array(KNOTS, np.int64)
    inside = np.clip(probabilities, knots[0], knots[-1] - 1)
    below = np.searchsorted(knots, inside, side="right") - 1
    return np.asarray(32 * below + (32 * (inside - knots[below])) // (knots[below + 1] - knots[below]))


def new_points(contexts: int) -> NDArray[np.int32]:
    """The points (contexts, KNOTS) of curves that change no probability yet."""
    return np.tile(np.array(KNOTS, np.int32) << (_POINT_BITS - 16 + _COUNT_BITS), (contexts, 1))


@integer_kernel
def read(points: Any, context: int, place: int) -> Any:
    """The corrected probability that the curve of a context has at a place, in units of 2^-27."""
    knot, part = place >> 5, place & 31
    here, there = np.int64(points[context, knot]), np.int64(points[context, knot + 1])
    return (here >> _COUNT_BITS) * (32 - part) + (there >> _COUNT_BITS) * part


@integer_kernel
def adapt(points: Any, context: int, place: int, said: Any, bit: int) -> None:
    """Moves the curve of a context at a place, where `read` had returned `said`, towards the decision `bit`."""
    knot, part = place >> 5, place & 31
    here, there = np.int64(points[context, knot]), np.int64(points[context, knot + 1])
    before, own = here & _COUNTS, there & _COUNTS
    step = ((bit << _POINT_BITS) - (said >> 5)) * _RATES[before]
    here = (here >> _COUNT_BITS) + (step * (32 - part) >> 21)
    there = (there >> _COUNT_BITS) + (step * part >> 21)
    points[context, knot] = (min(max(here, 0), _MOST) << _COUNT_BITS) + min(before + 1, LIMIT - FIRST)
    points[context, knot + 1] = (min(max(there, 0), _MOST) << _COUNT_BITS) + own


@integer_kernel
def probability(said: Any, maps_log2: int) -> Any:
    """The mean of the probabilities that `read` returned for 2^maps_log2 maps, `said` in all, in units of 1/65536."""
    return min(max(said >> (11 + maps_log2), LEAST), 65536 - LEAST)
