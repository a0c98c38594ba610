"""Where a fit of the profile grid begins: the weights of its networks, and what of it depends on lambda."""

from __future__ import annotations

import math

import numpy as np

from fourcodec.arrays import Floats
from fourcodec.grid.config import PHASE_STEPS
from fourcodec.grid.entropy_model import split
from fourcodec.grid.kernels.layout import HIDDEN
from fourcodec.grid.weights import BICUBIC, IDENTITY, UNUSED, GridShape, GridWeights

LINEAR_START, LINEAR_FALL = 0.05, 1.0  # grey that a latent of 1 adds at lambda 1e-3; it halves so often per level
PHASE_START = 1 / 25  # turns by which a latent of 1 moves a phase
# At high lambda most latents are 0; the others get a larger start and larger rates. These are the factors from
# COARSE_LAMBDA on; below it they are interpolated by the logarithm of lambda.
COARSE_LAMBDA, COARSE_START, COARSE_FALL, COARSE_PHASE = 1.2e-2, 1.6, 0.6, 2.1


def coarseness(rate_weight: float) -> float:
    """The interpolation between low and high lambda: 0 up to 1e-3, 1 from COARSE_LAMBDA on."""
    return min(max(math.log(rate_weight / 1e-3) / math.log(COARSE_LAMBDA / 1e-3), 0.0), 1.0)


def phase_index(rate_weight: float) -> int:
    """The field `phase` of the configuration for a fit at this lambda, see GridConfig.phase_scale."""
    return round(-PHASE_STEPS * math.log2(PHASE_START * COARSE_PHASE ** coarseness(rate_weight)))


def initial_weights(
    mean_colour: Floats, shape: GridShape, rate_weight: float, random: np.random.Generator
) -> GridWeights:
    """The weights at the start of a fit.

    They are the mean colour, a linear path from latents to grey (with some random colour from level 2 on), Fourier
    layers near 0, and the trained start, or an entropy model with random hidden layers whose output is near a scale of
    1/2.
    """
    weights = GridWeights(*(np.zeros(part, np.float32) for part in shape.shapes))
    model = split(weights.entropy_model)
    model.first[:] = random.normal(0, 0.6 / math.sqrt(model.first.shape[1]), model.first.shape)
    model.second[:, :HIDDEN] = random.normal(0, math.sqrt(2 / HIDDEN), (len(model.second), HIDDEN, HIDDEN))
    model.last[:, :HIDDEN] = random.normal(0, 0.1 / math.sqrt(HIDDEN), (len(model.last), HIDDEN, 2))
    model.last[:, HIDDEN, 1] = -1
    model.mixing[:] = random.normal(0, 0.3, model.mixing.shape)  # features begin as 0, and their weights not
    model.mixing[:, HIDDEN:] /= 3
    features = 2 * shape.frequency_count
    for matrix in (weights.first, weights.last):
        matrix[2:features] = random.normal(0, 0.03 / math.sqrt(features), (features - 2, matrix.shape[1]))
    weights.last[0] = mean_colour
    coarse = coarseness(rate_weight)
    start, fall = LINEAR_START * COARSE_START**coarse, LINEAR_FALL * COARSE_FALL**coarse
    amplitude = start * math.sqrt(rate_weight / 1e-3) * 2.0 ** (-fall * np.arange(shape.levels))
    colour = np.ones((shape.levels, shape.channels))
    if shape.channels > 1:
        colour[2:] += 0.5 * random.standard_normal(colour[2:].shape)
    weights.last[shape.rows : shape.rows + shape.levels] = amplitude[:, None] * colour
    weights.filters[:], weights.smoothing[:] = BICUBIC, IDENTITY
    if shape.trained_start:
        weights.entropy_model[:] = shape.weights(shape.base).entropy_model
    weights.entropy_model[shape.groups[: weights.entropy_model.size] == UNUSED] = 0
    return weights
