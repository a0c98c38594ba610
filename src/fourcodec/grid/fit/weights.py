"""The rate of the weights of the profile grid: its estimate during a fit, and at the end the choice of quantiser steps
and integers."""

from __future__ import annotations

import math
import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.config import GridConfig
from fourcodec.grid.picture import GridNetworks
from fourcodec.grid.weight_coding import MAX_EXPONENT, MAX_SYMBOL, encode_networks
from fourcodec.grid.weights import FIRST, UNUSED, GridShape, GridWeights

# Dead zones: values below this share of a step become 0, since coding them costs more than the distortion they save.
_ZONES = (0.5, 0.6, 0.7, 0.8)
# Mean magnitude of the integers that the search starts from. They are fine enough to lose nothing: the errors of coarse
# groups may cancel by chance, and then making any single group finer does not pay.
START_SYMBOL = 256
SHORT_START_SYMBOL = 16  # the same where the search is cut short: near the usual result
_LARGEST = 31  # weight of an entropy model with a trained start: integers of 15 bits, in units of 2^-10 or finer
_ROUNDS = 2  # searches over all groups; a third changes nothing


class WeightRate:
    """The estimated rate of the weights during a fit. The weights of a group have a Laplace density, whose scale is
    their mean magnitude; a weight is counted from the value that it is coded against."""

    def __init__(self, shape: GridShape) -> None:
        self._shape = shape
        self._groups = np.minimum(shape.groups, shape.group_count).astype(np.int64)
        self._counts = np.maximum(np.bincount(self._groups, minlength=shape.group_count + 1), 1)

    def add_gradient(self, weights: GridWeights, gradients: GridWeights) -> None:
        """Adds the gradient of the rate to `gradients`: sign(w) / (scale ln 2) bits per unit of a weight, smooth within
        an eighth of the scale around 0."""
        values = weights.flat() - self._shape.base
        scales = np.bincount(self._groups, np.abs(values), len(self._counts)) / self._counts
        inverse = (1 / np.maximum(scales, 1e-9)).astype(np.float32)[self._groups]
        own = np.tanh(8 * values * inverse) * inverse * np.float32(1 / math.log(2))
        own[self._groups == self._shape.group_count] = 0
        for gradient, part in zip(gradients.parts(), self._shape.weights(own).parts(), strict=True):
            gradient += part


class Measured(Protocol):
    """A picture's rounded latents, as the choice of weights sees them."""

    def squared_error(self, weights: GridWeights) -> float:
        """The sum of squared errors under these weights."""

    def latent_bits(self, entropy_model: Floats) -> float:
        """The bits of the latents under an entropy model with these parameters (SIZE,)."""


def choose_integers(
    measured: Measured,
    config: GridConfig,
    weights: GridWeights,
    distortion_weight: float,
    ends: float = math.inf,
    *,
    short: bool = False,
) -> GridNetworks:
    """The quantised weights for the given latents.

    Each group in turn gets the quantiser step and the dead zone that cost least, in measured distortion, bits of the
    latents and bits of the weights. `ends`: when the search stops, as time.perf_counter() has it; `short`: that is
    before it would be done.
    """
    search = _Search(measured, config, weights, distortion_weight, SHORT_START_SYMBOL if short else START_SYMBOL)
    for _ in range(_ROUNDS):
        for group in range(config.shape.group_count):
            if time.perf_counter() > ends:
                return search.networks()
            search.improve(group)
    return search.networks()


class _Search:
    """The present quantisers of all groups and their cost, improved group by group."""

    def __init__(
        self, measured: Measured, config: GridConfig, weights: GridWeights, distortion_weight: float, start: int
    ) -> None:
        self._measured, self._config, self._weight = measured, config, distortion_weight
        self._costs: dict[tuple[str, bytes], float] = {}  # more than half of all trials give weights that were tried
        shape = config.shape
        if config.trained_start:
            np.clip(weights.entropy_model, -_LARGEST, _LARGEST, out=weights.entropy_model)
        self._weights, self._groups = weights.flat(), shape.groups
        self._values = self._weights - shape.base
        self._exponents = np.zeros(shape.group_count, np.uint8)
        self._zones = np.full(shape.group_count, _ZONES[0])
        for group in range(shape.group_count):
            members = np.abs(self._values[self._groups == group])
            scale = float(members.mean()) if members.size else 0.0
            finest = self._finest(group)
            self._exponents[group] = np.clip(round(-math.log2(max(scale, 1e-6) / start)), 0, finest)
        networks = self.networks()
        self._distortion, self._rate = self._measure_distortion(networks), self._measure_rate(networks)
        self._cost = self._distortion + self._rate + _own_bits(networks)

    def networks(self) -> GridNetworks:
        """The quantised weights under the present exponents and dead zones."""
        return GridNetworks(self._config, self._exponents.copy(), self._symbols())

    def _symbols(self) -> NDArray[np.int32]:
        spread = np.minimum(self._groups, len(self._exponents) - 1)
        scaled = self._values * np.ldexp(1.0, self._exponents[spread].astype(np.int32))
        symbols = np.rint(scaled).astype(np.int32)
        symbols[(np.abs(scaled) < self._zones[spread]) | (self._groups == UNUSED)] = 0
        return symbols

    def improve(self, group: int) -> None:
        """Makes the group's step coarser, then finer, while that pays, looking two exponents ahead; then tries all dead
        zones."""
        for direction in (-1, 1):
            while any(
                self._try(group, int(self._exponents[group]) + direction * hop, float(self._zones[group]))
                for hop in (1, 2)
            ):
                pass
        for zone in _ZONES:
            self._try(group, int(self._exponents[group]), zone)

    def _try(self, group: int, exponent: int, zone: float) -> bool:
        """Keeps this exponent and dead zone if they cost less. Returns whether they do."""
        if not 0 <= exponent <= self._finest(group):
            return False
        before = self._exponents[group], self._zones[group], self._distortion, self._rate
        self._exponents[group], self._zones[group] = exponent, zone
        networks = self.networks()
        if group < FIRST:
            self._rate = self._measure_rate(networks)
        else:
            self._distortion = self._measure_distortion(networks)
        cost = self._distortion + self._rate + _own_bits(networks)
        if cost < self._cost:
            self._cost = cost
            return True
        self._exponents[group], self._zones[group], self._distortion, self._rate = before
        return False

    def _finest(self, group: int) -> int:
        """The largest exponent at which the group's integers, and their sums with the trained start's, are in range."""
        values = self._weights if group < FIRST and self._config.trained_start else self._values
        largest = float(np.abs(values[self._groups == group]).max(initial=0))
        return min(MAX_EXPONENT, math.floor(math.log2((MAX_SYMBOL - 1) / max(largest, 1e-9))))

    def _measure_distortion(self, networks: GridNetworks) -> float:
        weights = networks.weights
        key = "distortion", b"".join(part.tobytes() for part in weights.parts()[1:])  # all but the entropy model
        if key not in self._costs:
            self._costs[key] = self._weight * self._measured.squared_error(weights)
        return self._costs[key]

    def _measure_rate(self, networks: GridNetworks) -> float:
        entropy_model = networks.weights.entropy_model
        key = "rate", entropy_model.tobytes()
        if key not in self._costs:
            self._costs[key] = self._measured.latent_bits(entropy_model)
        return self._costs[key]


def _own_bits(networks: GridNetworks) -> float:
    return 8 * len(encode_networks(networks))
