"""Trained priors of the grid profile: context models fitted with many pictures, which a file's are coded against.

How latents depend on their neighbours differs little from picture to picture, so a picture pays for how its context
model differs from the common one. Priors are integers, so that their sum with a file's integers is exact everywhere.
They ship with the package and never change once a release can write them; tools/trained_starts.py trains them.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

FRACTION = 10  # bits behind the point: weights below 32 then stay below 2^15
FILE = "grid_priors.npz"


@dataclass(frozen=True)
class GridPrior:
    """context (PASSES, PASS_WEIGHTS) int64, in units of 2^-FRACTION; the lambda it was trained at."""

    rate_weight: float
    context: NDArray[np.int64]


@functools.cache
def priors() -> dict[int, GridPrior]:
    """All that this version knows, by identity: 1, 2, ...; 0 stands for none."""
    with resources.files("fourcodec.grid").joinpath(FILE).open("rb") as file, np.load(file) as stored:
        rates, contexts = stored["rate_weights"].tolist(), stored["context"].astype(np.int64)
    return {n: GridPrior(rate, context) for n, (rate, context) in enumerate(zip(rates, contexts, strict=True), 1)}


def nearest_prior(rate_weight: float) -> int:
    """The identity of the prior that was trained nearest to this lambda."""
    return min(priors(), key=lambda n: abs(math.log(priors()[n].rate_weight / rate_weight)))
