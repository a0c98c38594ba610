"""Grids with weights, latents and a picture to compare with, for the tests of the kernels and of their torch twin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fourcodec.grid.config import GridConfig
from fourcodec.grid.entropy_model import split
from fourcodec.grid.gradient import GridGradient
from fourcodec.grid.kernels.layout import PASS_COLUMN, PASS_ROW, PASSES
from fourcodec.grid.weights import UNUSED, GridShape, GridWeights
from tests.support.grids import config_of

SCALE = 1 / 25
DISTORTION = 2.0  # bits per squared error
CONFIGS = [
    config_of(37, 50, 3, levels=5, hidden=11),
    config_of(64, 45, 1, levels=4, order=3),
    config_of(21, 9, 3, levels=3, order=1, hidden=1),
    config_of(21, 9, 3, levels=3, order=3),
    config_of(170, 157, 1, levels=4, order=3),  # several pieces of work of every kind
    config_of(75, 130, 1, levels=9, order=1),  # more coarser levels than the entropy model sees
    config_of(37, 50, 3, levels=5, smooth=True),
    config_of(170, 157, 1, levels=4, smooth=True),
    config_of(3, 2, 1, levels=2, smooth=True),
]
EDGES = [(1, 1), (1, 40), (40, 1), (2100, 1)]  # the last has several pieces of work, though it is narrow


@dataclass
class Problem:
    config: GridConfig
    weights: GridWeights
    levels: list[np.ndarray]  # plain latents, not integers
    target: np.ndarray

    def network(self, threads: int = 1) -> GridGradient:
        network = GridGradient(self.config.pyramid, self.config.shape, SCALE, threads)
        for level, plain in zip(network.pyramid.levels, self.levels, strict=True):
            for p in range(PASSES):
                network.pyramid.view(network.planes[p], level)[:] = plain[PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2]
        return network


def random_weights(shape: GridShape, random: np.random.Generator) -> GridWeights:
    """Every entry that is used, the others 0."""
    deviations = (0.04, 0.05, 0.05, 0.05, 0.1, 0.05)
    parts = [
        random.normal(0, deviation, part).ravel() for part, deviation in zip(shape.shapes, deviations, strict=True)
    ]
    model = split(parts[0])
    model.maps[:] *= 2  # so that a level that is seen through features only counts as much as one of the taps
    model.mixing[:] *= 5
    flat = np.concatenate(parts) * (shape.groups != UNUSED)
    return shape.weights((shape.base + flat).astype(np.float32))


def problem_of(config: GridConfig) -> Problem:
    height, width = config.height, config.width
    random = np.random.default_rng(height * 100 + width)
    levels = config.pyramid.levels
    latents = [random.normal(0, 3, (level.rows, level.columns)).astype(np.float32) for level in levels]
    target = random.random((config.channels, height, width), np.float32)
    return Problem(config, random_weights(config.shape, random), latents, target)
