"""Trained starts of the profile grid: entropy models fitted to many pictures, against which a file's is coded.

The statistics of latents differ little from picture to picture, so a file codes only the difference of its entropy
model from a trained start. The file header calls a trained start a prior. Its weights are integers, so that
their sums with a file's integers are exact on every machine. Trained starts ship with the package and never change once
a release can write them; tools/trained_starts.py fits them.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

FRACTION = 10  # fractional bits: the integers of weights below 32 then stay below 2^15
FILE = "grid_priors.npz"


@dataclass(frozen=True)
class TrainedStart:
    """The parameters (SIZE,) int64 of an entropy model, in units of 2^-FRACTION, trained at lambda `rate_weight`."""

    rate_weight: float
    entropy_model: NDArray[np.int64]


@functools.cache
def trained_starts() -> dict[int, TrainedStart]:
    """The trained starts that this version has, by their number in the header: 1, 2, ...; 0 stands for none."""
    with resources.files("fourcodec.grid").joinpath(FILE).open("rb") as file, np.load(file) as stored:
        rates, models = stored["rate_weights"].tolist(), stored["entropy_models"].astype(np.int64)
    return {n: TrainedStart(rate, model) for n, (rate, model) in enumerate(zip(rates, models, strict=True), 1)}


def nearest_trained_start(rate_weight: float) -> int:
    """The number of the trained start whose lambda is nearest to this one, by ratio."""
    return min(trained_starts(), key=lambda n: abs(math.log(trained_starts()[n].rate_weight / rate_weight)))
