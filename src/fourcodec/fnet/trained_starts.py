"""Trained starts of the profile fnet: coefficients learned from many pictures, from which fits of one size begin and
around which a file's integers are coded.

What pictures have in common is in the start, so that a fit spends its iterations, and a file its bits, on the rest. The
file header calls a trained start a prior. Its coefficients are integers, from which every machine makes the same
symbols (`base_symbols`). Trained starts ship with the package and never change once a release can write them;
tools/fnet_starts.py fits them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from fourcodec.fnet.quantize import step_size
from fourcodec.fourier.shape import NetworkShape

FRACTION = 13  # fractional bits: 16-bit integers then hold coefficients below 4
MIDDLE = 0.5  # the mean colour of the pictures that a start stands for, before a fit puts in that of its own
FILE = "fnet_priors.npz"


@dataclass(frozen=True)
class TrainedStart:
    """The coefficients (coefficient_count,) int64 of a network of `size` with three channels, in units of
    2^-FRACTION. size: width, depth and, if it is limited, order."""

    size: tuple[int, ...]
    coefficients: NDArray[np.int64]


@functools.cache
def trained_starts() -> dict[int, TrainedStart]:
    """The trained starts that this version has, by their number in the header: 1, 2, ...; 0 stands for none."""
    with resources.files("fourcodec.fnet").joinpath(FILE).open("rb") as file, np.load(file) as stored:
        return {
            int(name): TrainedStart(size_of(stored[f"size_{name}"]), stored[f"start_{name}"].astype(np.int64))
            for name in sorted((key.removeprefix("start_") for key in stored if key.startswith("start_")), key=int)
        }


def size_of(stored: NDArray[np.int64]) -> tuple[int, ...]:
    """A size as a tuple of integers."""
    return tuple(int(number) for number in stored)


def number_for(size: tuple[int, ...]) -> int:
    """The number of the trained start for networks of this size, 0 where there is none."""
    return next((number for number, start in trained_starts().items() if start.size == size), 0)


def integers_of(number: int, shape: NetworkShape) -> NDArray[np.int64]:
    """The integers (coefficient_count,) int64 of trained start `number` for a network of its size and shape.channels
    channels, in units of 2^-FRACTION.

    A grey network has one channel in place of three: the last layer's coefficients are the floors of the means of
    these.
    """
    stored = trained_starts()[number].coefficients
    if shape.channels == 3:
        return stored
    last = shape.layers[-1].span.start
    return np.concatenate([stored[:last], stored[last:].reshape(-1, 3).sum(axis=1) // 3])


def base_symbols(number: int, shape: NetworkShape, step_indices: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The integers (coefficient_count,) int64 around which a file with trained start `number` codes its symbols: the
    coefficients of the start, divided by their quantiser steps and rounded, halves up.

    step_indices: (outputs of all layers,) uint8. The quotient is rational with a denominator below 2^24, so that in
    float64 rounding cannot go wrong for any symbol that a file may have.
    """
    integers, base, first = integers_of(number, shape), np.empty(shape.coefficient_count, np.int64), 0
    steps = step_size(step_indices).astype(np.float64)
    for layer in shape.layers:
        own = integers[layer.span].reshape(-1, layer.outputs) / 2.0**FRACTION
        quotients = own / steps[first : first + layer.outputs]
        base[layer.span] = np.floor(quotients + 0.5).astype(np.int64).ravel()
        first += layer.outputs
    return base
