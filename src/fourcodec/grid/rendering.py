"""A part of one tile at a size that its levels have: latents -> features -> colours."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fourcodec.grid.config import GridConfig
from fourcodec.grid.edges import REACH
from fourcodec.grid.kernels import layout
from fourcodec.grid.picture import Tile
from fourcodec.grid.tiling import REDUCTIONS
from fourcodec.grid.windows import Window
from fourcodec.images.resampling import area_mean, margin, resample
from fourcodec.views import Lattice

_SPARSE_ROWS = 4  # expectations for a thumbnail: one row of so many, which costs it 1 to 3 dB and a fifth of its time
_REDUCED_PASSES = 3  # of the level averaged for it: the fourth takes a seventh of its time and makes it no better
_PART_SAMPLES = 1 << 22
_SLACK = 0.1  # octaves: sides rounded up make a quarter of an odd size a little more than a quarter


@dataclass(frozen=True)
class Sampling:
    """How a lattice is rendered: a window of the image at 1:2^reduction, resampled where the lattice does not lie on
    pixels. `around` is the window that is computed for it: more, where edges of tiles are smoothed."""

    lattice: Lattice
    reduction: int
    window: Window
    around: Window

    @property
    def finest(self) -> int:
        """The first level of latents that is decoded. Small sizes do well with the entropy model's means in place of
        the finest level, three quarters of all latents; without the next one as well they lose 5 to 12 dB."""
        return min(self.reduction, 1)

    @property
    def passes(self) -> int:
        """The passes of that level that are decoded: below its own size it is averaged anyway."""
        return layout.PASSES if self.reduction < 2 else _REDUCED_PASSES

    def resampled(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Planes of the window `around`, cut to the window and resampled on the lattice."""
        lattice, step = self.lattice, 2**self.reduction
        planes = planes[:, *self.window.within(self.around)]
        if lattice.on_pixels:
            return planes
        left, top = lattice.left / step - self.window.left, lattice.top / step - self.window.top
        box = left, top, left + lattice.width / step, top + lattice.height / step
        np.clip(planes, 0, 1, out=planes)
        return resample(planes, box, lattice.columns, lattice.rows)


@lru_cache(maxsize=16)  # unpacking and rendering ask for the same one
def sampling(config: GridConfig, lattice: Lattice) -> Sampling:
    """The size with two samples for each sample of the lattice, and the window there that the lattice needs. Features
    averaged as far as the lattice itself cost 3 to 8 dB, since colours are no linear function of them."""
    octaves = math.floor(math.log2(lattice.pitch) + _SLACK)
    most = config.levels - 1
    reduction = min(max(octaves - 1, 0), min(most, REDUCTIONS) if config.tiles else most)
    step = 2**reduction
    left, top, width, height = (at / step for at in (lattice.left, lattice.top, lattice.width, lattice.height))
    window = Window(math.floor(top), math.floor(left), math.ceil(top + height), math.ceil(left + width))
    if not lattice.on_pixels:
        rows, columns = math.ceil(config.height / step), math.ceil(config.width / step)
        window = window.grown(*margin(width, height, lattice.columns, lattice.rows), rows, columns)
    smoothed = config.tiles and not reduction
    around = window.grown(REACH + 1, REACH + 1, config.height, config.width) if smoothed else window
    return Sampling(lattice, reduction, window, around)


def render_tile(tile: Tile, reduction: int, window: Window, out: NDArray[np.float32]) -> None:
    """Fills `out` (channels, rows, columns) with a window of the tile at 1:2^reduction, about [0, 1], not clamped."""
    if reduction:
        out[:] = _reduced(tile, reduction, window, _averages(tile, reduction))
    else:
        _full_size(tile, window, out)


def render_incomplete(tile: Tile, out: NDArray[np.float32]) -> None:
    """Fills `out` (channels, rows, columns) with a tile at 1 : 2^tile.finest, the size of the first level that there
    is; finer ones are as the entropy model expects them."""
    from fourcodec.grid.incomplete import expected_levels
    from fourcodec.threads import thread_count

    window = Window(0, 0, *out.shape[1:])
    if tile.finest:
        out[:] = _reduced(tile, tile.finest, window, expected_levels(tile, thread_count()))
    else:
        _full_size(tile, window, out)


def _full_size(tile: Tile, window: Window, out: NDArray[np.float32]) -> None:
    """The window part by part: the features of a part take up to 66 bytes a pixel."""
    from fourcodec.grid.network import GridNetwork
    from fourcodec.threads import thread_count

    config, weights = tile.config, tile.networks.weights
    for part in window.parts(_PART_SAMPLES):
        network = GridNetwork(config.pyramid, config.shape, config.phase_scale, thread_count(), part)
        network.place(tile.latents)
        network.upsample(weights)
        out[:, *part.within(window)] = network.synthesise(weights)


def _reduced(
    tile: Tile, reduction: int, window: Window, finer_levels: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """A window of the tile at 1 : 2^reduction. Finer levels are given at this size; all are scaled by what the
    upsampling that is left out would have scaled them by, and the residual filter becomes what it is on even colour."""
    from fourcodec.grid.network import GridNetwork
    from fourcodec.threads import thread_count

    config, weights = tile.config, tile.networks.weights
    gains = np.cumprod(np.append(np.float32(1), np.square(weights.filters.sum(axis=1))), dtype=np.float32)
    pyramid = config.pyramid.reduced(reduction)
    network = GridNetwork(pyramid, config.shape, config.phase_scale, thread_count(), window)
    network.place(tile.latents[reduction - tile.finest :])
    network.upsample(
        dataclasses.replace(weights, filters=weights.filters[reduction:], smoothing=weights.smoothing[reduction:])
    )
    finer = np.stack([network.cut(plane) for plane in finer_levels])
    if config.smooth:
        finer *= np.square(weights.smoothing @ (2, 2, 2, 1))[:reduction, None, None]
    network.complete(finer * gains[:reduction, None, None], gains[reduction])
    flat = np.zeros_like(weights.kernel)
    flat[:, :, 1, 1] = weights.kernel.sum(axis=(2, 3))
    return network.synthesise(dataclasses.replace(weights, kernel=flat))


def _between_rows(places: NDArray[np.int64], rows: NDArray[np.float32], at: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows that lie at `places`, ascending, interpolated linearly at others; the first and last beyond them."""
    share = np.interp(at, places, np.arange(len(places)))
    first = np.minimum(share.astype(np.int64), max(len(places) - 2, 0))
    weight = (share - first).astype(np.float32)[:, None]
    return (1 - weight) * rows[first] + weight * rows[np.minimum(first + 1, len(rows) - 1)]


def _averages(tile: Tile, reduction: int) -> list[NDArray[np.float32]]:
    """Levels 0 ... reduction - 1 at the size of level `reduction`."""
    from fourcodec.grid.latent_coding import expected_means
    from fourcodec.threads import thread_count

    pyramid, planes = tile.config.pyramid, []
    size = pyramid.levels[reduction].rows, pyramid.levels[reduction].columns
    for number in range(reduction):
        if number < tile.finest:  # only ever the finest level
            entropy_model, factor = tile.networks.entropy_model, 2 ** (reduction - 1)
            every = _SPARSE_ROWS if reduction > 1 else 1
            places, rows = expected_means(pyramid, number, tile.latents, entropy_model, every, thread_count())
            means = area_mean(rows, (1, factor), (len(rows), size[1]))
            planes.append(_between_rows(places, means, factor * (np.arange(size[0]) + 0.5) - 0.5))
        else:
            factor = 2 ** (reduction - number)
            planes.append(area_mean(tile.latents[number - tile.finest], (factor, factor), size))
    return planes
