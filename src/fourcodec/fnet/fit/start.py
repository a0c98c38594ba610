"""The coefficients that a fit of the profile fnet begins with: random ones near the identity, or a trained start's."""

from __future__ import annotations

import math

import numpy as np

from fourcodec.arrays import Floats
from fourcodec.fnet.trained_starts import FRACTION, MIDDLE, integers_of
from fourcodec.fourier.shape import NetworkShape


def initial_coefficients(shape: NetworkShape, mean_colour: Floats, random: np.random.Generator) -> Floats:
    """Random coefficients near the identity, flat float32: the first layer spreads the positions, hidden layers add
    little, the last layer gives about mean_colour (channels,)."""
    coefficients = np.empty(shape.coefficient_count, np.float32)
    for number, layer in enumerate(shape.layers):
        spread = 1.0 if number == 0 else 0.09 if number == shape.depth else 0.03
        part = coefficients[layer.span].reshape(-1, 2, layer.outputs)
        part[:] = random.normal(0, spread / math.sqrt(2 * layer.frequency_count), part.shape)
        part[0, 1] = 0  # sin of k = 0 does nothing
        if number == shape.depth:
            part[0, 0] = mean_colour
    return coefficients


def trained_coefficients(number: int, shape: NetworkShape) -> Floats:
    """The coefficients of trained start `number`, flat float32, for a picture whose mean colour is MIDDLE."""
    return (integers_of(number, shape) / 2.0**FRACTION).astype(np.float32)


def moved_to_colour(coefficients: Floats, shape: NetworkShape, mean_colour: Floats) -> Floats:
    """A trained start for a picture of another mean colour (channels,)."""
    moved = coefficients.copy()
    moved[shape.layers[-1].span].reshape(-1, 2, shape.channels)[0, 0] += mean_colour - np.float32(MIDDLE)
    return moved
