"""The parameters of the entropy model, and the networks of each level and pass that they stand for.

Every pass has a network of its own over OWN_TAPS taps (grid/kernels/entropy_model.py). On the FEATURED finest levels it
also sees FEATURES numbers that sum up all coarser levels (after the inter-level features of Cool-chic 5): a linear map,
one for each of these levels, of the constant 1 and of the latents of the coarser levels at the same place. They enter
the first layer and the output through weights that all passes share, `mixing`. A linear map before a linear layer is
one linear layer: `networks` adds it to the weights of the constant and of those latents, so that kernels see taps only.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.kernels.layout import HIDDEN, MAX_WEIGHT, PASS_WEIGHTS, PASSES, TAPS, W2, W3
from fourcodec.grid.pyramid import ANCESTORS, FEATURED, OWN_COUNT, PARENT, pass_taps

FEATURES = 6
_FIRST = OWN_COUNT * HIDDEN
_LAST = _FIRST + (HIDDEN + 1) * HIDDEN
PASS_PARAMETERS = _LAST + (HIDDEN + OWN_COUNT) * 2
_MAPS = PASSES * PASS_PARAMETERS
_MIXING = _MAPS + FEATURED * (1 + ANCESTORS) * FEATURES
SIZE = _MIXING + FEATURES * (HIDDEN + 2)


class Parameters(NamedTuple):
    """Views of a vector of SIZE parameters, an array of any dtype or a tensor.

    first (PASSES, OWN_COUNT, HIDDEN), second (PASSES, HIDDEN + 1, HIDDEN), whose last row is b2, and last (PASSES,
    HIDDEN + OWN_COUNT, 2): the network of each pass. maps (FEATURED, 1 + ANCESTORS, FEATURES): row 0 is of the constant
    1, row k of the k-th coarser level. mixing (FEATURES, HIDDEN + 2): the weights of a feature in the first layer, then
    in mean and log2 scale.
    """

    first: Any
    second: Any
    last: Any
    maps: Any
    mixing: Any


def split(vector: Any) -> Parameters:
    """The parts of a vector (SIZE,), as views."""
    passes = vector[:_MAPS].reshape(PASSES, PASS_PARAMETERS)
    return Parameters(
        passes[:, :_FIRST].reshape(PASSES, OWN_COUNT, HIDDEN),
        passes[:, _FIRST:_LAST].reshape(PASSES, HIDDEN + 1, HIDDEN),
        passes[:, _LAST:].reshape(PASSES, HIDDEN + OWN_COUNT, 2),
        vector[_MAPS:_MIXING].reshape(FEATURED, 1 + ANCESTORS, FEATURES),
        vector[_MIXING:].reshape(FEATURES, HIDDEN + 2),
    )


def networks(vector: Floats, levels: int) -> Floats:
    """The networks (levels, PASSES, PASS_WEIGHTS) that the kernels take, from parameters (SIZE,) of the same type."""
    parameters = split(vector)
    found = _without_features(parameters, levels)
    for level, own in enumerate(found[:FEATURED]):
        _add_features(own, parameters.maps[level] @ parameters.mixing)
    return found


def networks_gradient(vector: Floats, gradient: Floats) -> Floats:
    """The gradient (SIZE,) by the parameters `vector`, from that by their networks (levels, PASSES, PASS_WEIGHTS)."""
    out = np.zeros_like(vector)
    own, parameters = split(out), split(vector)
    first, second, last = layers(gradient.sum(axis=0))
    own.first[:], own.second[:] = first[:, :OWN_COUNT], second
    own.last[:] = last[:, : HIDDEN + OWN_COUNT]
    for level, found in enumerate(gradient[:FEATURED]):
        first, _, last = layers(found)
        by_rows = np.zeros((1 + ANCESTORS, HIDDEN + 2), gradient.dtype)
        for number, taps in enumerate(_feature_taps()):
            by_rows += np.concatenate([first[number, taps], last[number, HIDDEN + taps]], axis=1)
        own.maps[level] = by_rows @ parameters.mixing.T
        own.mixing[:] += parameters.maps[level].T @ by_rows
    return out


def integer_networks(
    vector: NDArray[np.int64], shifts: tuple[int, int, int, int, int, int], levels: int
) -> NDArray[np.int64]:
    """`networks` in integers: (levels, PASSES, PASS_WEIGHTS) int64, in units of 2^-shift with the first four shifts.

    vector: (SIZE,) int64. shifts: of first, of second, of the two columns of last, of maps and of mixing. A product of
    maps and mixing is rounded to the unit of the weight that it is added to, halves up, and the sums are clamped to
    MAX_WEIGHT. Raises ValueError for a parameter beyond that: all products then fit into 53 bits.
    """
    if np.abs(vector).max() > MAX_WEIGHT:
        raise ValueError(f"weights of the entropy model are at most {MAX_WEIGHT}")
    parameters = split(vector)
    found = _without_features(parameters, levels)
    first, _, mean, scale, maps, mixing = shifts
    down = np.array([first] * HIDDEN + [mean, scale]) - maps - mixing  # the exponent of two of each column's factor
    half = np.where(down < 0, np.int64(1) << np.maximum(-down - 1, 0), 0)
    for level, own in enumerate(found[:FEATURED]):
        product = parameters.maps[level] @ parameters.mixing
        _add_features(own, ((product << np.maximum(down, 0)) + half) >> np.maximum(-down, 0))
    return np.clip(found, -MAX_WEIGHT, MAX_WEIGHT)


def _without_features(parameters: Parameters, levels: int) -> NDArray[Any]:
    """The networks (levels, PASSES, PASS_WEIGHTS) of a model whose features are 0: the same for all levels."""
    own = np.zeros((PASSES, PASS_WEIGHTS), parameters.first.dtype)
    first, second, last = layers(own)
    first[:, :OWN_COUNT], second[:] = parameters.first, parameters.second
    last[:, : HIDDEN + OWN_COUNT] = parameters.last
    return np.repeat(own[None], levels, axis=0)


def _add_features(own: NDArray[Any], rows: NDArray[Any]) -> None:
    """Adds the rows (1 + ANCESTORS, HIDDEN + 2) of one level's features to its networks (PASSES, PASS_WEIGHTS)."""
    first, _, last = layers(own)
    for number, taps in enumerate(_feature_taps()):
        first[number, taps] += rows[:, :HIDDEN]
        last[number, HIDDEN + taps] += rows[:, HIDDEN:]


def layers(own: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Views of networks (PASSES, PASS_WEIGHTS): W1 (PASSES, TAPS, HIDDEN), W2 and b2 (PASSES, HIDDEN + 1, HIDDEN), W3
    (PASSES, HIDDEN + TAPS, 2)."""
    return (
        own[:, :W2].reshape(PASSES, TAPS, HIDDEN),
        own[:, W2:W3].reshape(PASSES, HIDDEN + 1, HIDDEN),
        own[:, W3:].reshape(PASSES, HIDDEN + TAPS, 2),
    )


@functools.cache
def _feature_taps() -> NDArray[np.int64]:
    """The taps of each pass that features are sums of, (PASSES, 1 + ANCESTORS): the constant, then the latent of each
    coarser level at the same place."""
    return np.array(
        [
            [0, *(list(zip(planes, places, strict=True)).index((PARENT + k, (0, 0))) for k in range(ANCESTORS))]
            for planes, places in pass_taps()
        ]
    )
