"""Stand-ins for the levels that a file which ends too early does not have (FORMAT.md, "Incomplete files")."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fourcodec.coding.distributions import MEAN_STEPS
from fourcodec.grid.entropy_model import layers
from fourcodec.grid.kernels import entropy_model_integer
from fourcodec.grid.kernels.layout import HIDDEN, TAPS
from fourcodec.grid.latent_coding import EntropyModelIntegers, expected_means
from fourcodec.grid.picture import Tile
from fourcodec.grid.pyramid import ANCESTORS, PARENT, ancestor_count, pass_taps


def expected_levels(tile: Tile, threads: int) -> list[NDArray[np.float32]]:
    """The levels 0 ... r - 1 as the entropy model expects them, at the size of level r = tile.finest, the first that
    there is: (rows, columns) each.

    Of level r - 1 these are the means of its first pass. Others would need levels that are not there: each is expected
    from the means of those before it, as if they were the same all around.
    """
    pyramid, reduction, model = tile.config.pyramid, tile.finest, tile.networks.entropy_model
    if not reduction:
        return []
    _, means = expected_means(pyramid, reduction - 1, tile.latents, model, 1, threads)
    rows, columns = means.shape
    seen = [
        np.repeat(np.repeat(level, 1 << n, axis=0), 1 << n, axis=1)[:rows, :columns].astype(np.int64)
        for n, level in enumerate(tile.latents[:ANCESTORS])
    ]
    found = [means]
    for number in range(reduction - 2, -1, -1):
        seen.insert(0, np.floor(found[0] + 0.5).astype(np.int64))
        found.insert(0, _guessed_means(number, seen[: ancestor_count(number)], model))
    size = pyramid.levels[reduction].rows, pyramid.levels[reduction].columns
    return [np.pad(plane, ((0, size[0] - rows), (0, size[1] - columns)), mode="edge") for plane in found]


def _guessed_means(number: int, seen: list[NDArray[np.int64]], integers: EntropyModelIntegers) -> NDArray[np.float32]:
    """The means of the first pass of level `number` where nothing is known but the latents at the same places of the
    coarser levels, `seen`, the next one first; all parents are taken to be like the one at the place."""
    weights = integers.weights[number].astype(np.float64)
    first, second, last = (layer[0] for layer in layers(weights))
    outer, inner, mean, _ = integers.factors
    taps = np.zeros((seen[0].size, TAPS))
    for tap, plane in enumerate(pass_taps()[0][0]):
        if tap == 0:
            taps[:, tap] = 1
        elif 0 <= plane - PARENT < len(seen):
            taps[:, tap] = seen[plane - PARENT].ravel()
    most = entropy_model_integer.HIDDEN_MAX
    hidden = np.clip(np.floor(taps @ first * outer), 0, most)
    one = float(1 << entropy_model_integer.FRACTION)
    hidden = np.clip(np.floor((hidden @ second[:HIDDEN] + one * second[HIDDEN]) * inner), 0, most)
    sums = hidden @ last[:HIDDEN, 0] + one * (taps @ last[HIDDEN:, 0])
    bound = MEAN_STEPS * entropy_model_integer.MAX_LATENT
    means = np.clip(np.floor(sums * mean + 0.5), -bound, bound)
    return (means / MEAN_STEPS).astype(np.float32).reshape(seen[0].shape)
