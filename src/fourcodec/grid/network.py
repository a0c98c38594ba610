"""The network of the profile grid on the CPU: latents -> upsampled features -> Fourier synthesis -> picture, or a
window of it. What decoding needs; gradient.py adds what a fit needs. The formulas are in kernels/.

Work is divided into pieces of fixed size, and sums run over the pieces in their order, so no result depends on the
number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.fourier.layout import BLOCK
from fourcodec.grid.kernels import residual, smoothing, upsampling
from fourcodec.grid.kernels.layout import SMOOTHING_REACH
from fourcodec.grid.kernels.synthesis import synthesis_kernels
from fourcodec.grid.pyramid import Pyramid
from fourcodec.grid.weights import GridShape, GridWeights
from fourcodec.grid.windows import Window, level_windows
from fourcodec.threads import map_threads

PIECE = 32 * BLOCK  # positions per piece of work
_ROWS = 16  # rows per piece of work of the residual filter
_TALL = 64  # rows per piece of work of smoothing and upsampling, which are cheaper
_NARROW = 32  # pixels: pictures of half that or less have longer pieces, else a call takes longer than its piece


def pieces(start: int, stop: int, size: int) -> list[tuple[int, int]]:
    """start..stop-1 as ranges (first, stop) of at most `size`."""
    return [(at, min(at + size, stop)) for at in range(start, stop, size)]


class GridNetwork:
    """The network on one picture or on a window of it, with its work space.

    latents[l]: (rows, columns) float32, the latents of level l in the window that smoothing reads. features[l]: (levels
    - l, rows, columns) float32 in the level's window: first the smoothed latents of level l, then those of the coarser
    levels, upsampled.
    """

    def __init__(
        self, pyramid: Pyramid, shape: GridShape, phase_scale: float, threads: int, window: Window | None = None
    ) -> None:
        self.pyramid, self.shape, self.threads = pyramid, shape, threads
        self.window = window or Window(0, 0, pyramid.height, pyramid.width)
        # The residual filter reads one pixel beyond the window, and replicates the edge of the picture, not of the
        # window.
        near = self.window.grown(1, 1, pyramid.height, pyramid.width)
        self._coloured = near.aligned(pyramid.height, pyramid.width)
        self._windows = level_windows(pyramid, self._coloured)
        self.features = [
            np.zeros((pyramid.count - n, window.rows, window.columns), np.float32)
            for n, window in enumerate(self._windows)
        ]
        self._smoothed_from = [
            window.grown(SMOOTHING_REACH, SMOOTHING_REACH, level.rows, level.columns).aligned(level.rows, level.columns)
            if shape.smooth
            else window
            for window, level in zip(self._windows, pyramid.levels, strict=True)
        ]
        self.latents = (
            [np.zeros((window.rows, window.columns), np.float32) for window in self._smoothed_from]
            if shape.smooth
            else [feature[0] for feature in self.features]
        )
        self.colours = np.zeros((shape.channels, *self.features[0].shape[1:]), np.float32)  # before the filter
        narrowness = max(1, _NARROW // pyramid.width)
        self._rows, self._tall = _ROWS * narrowness, _TALL * narrowness
        self._kernels = synthesis_kernels(shape.levels, shape.order, shape.channels)
        self._phase_scale = np.float32(phase_scale)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """map_threads on this network's threads."""
        return map_threads(function, items, self.threads)

    def place(self, levels: list[NDArray[np.int16]]) -> None:
        """Takes the latents of whole levels, finest first, (rows, columns) each."""
        for mine, level, window in zip(self.latents, levels, self._smoothed_from, strict=True):
            mine[:] = level[window.slices]

    def upsample(self, weights: GridWeights) -> None:
        """Computes features from latents: each level is smoothed, then upsampled through all finer ones."""
        if self.shape.smooth:
            self._smooth(weights.smoothing)
        filters = weights.filters
        for number in range(self.pyramid.count - 2, -1, -1):
            coarse, fine, taps = self.features[number + 1], self.features[number][1:], filters[number]
            level, inner = self.pyramid.levels[number], self._windows[number]
            doubled = self._windows[number + 1].doubled(level.rows, level.columns)
            fits = doubled == inner
            out = fine if fits else np.empty((len(coarse), doubled.rows, doubled.columns), np.float32)

            def run(
                task: tuple[int, int, int], coarse: Floats = coarse, out: Floats = out, taps: Floats = taps
            ) -> None:
                channel, first, last = task
                upsampling.upsample(coarse[channel], taps, first, last, out[channel])

            self.map(run, self._bands(coarse))
            if not fits:
                fine[:] = out[:, *inner.within(doubled)]

    def _smooth(self, taps: Floats) -> None:
        for number, (latents, feature) in enumerate(zip(self.latents, self.features, strict=True)):
            fits = self._smoothed_from[number] == self._windows[number]
            out = feature[0] if fits else np.empty_like(latents)

            def run(
                band: tuple[int, int], latents: Floats = latents, taps: Floats = taps[number], out: Floats = out
            ) -> None:
                smoothing.smooth(latents, taps, *band, out)

            self.map(run, pieces(0, len(latents), self._tall))
            if not fits:
                feature[0] = out[self._windows[number].within(self._smoothed_from[number])]

    def cut(self, plane: Floats) -> Floats:
        """The part of a plane of the finest level that lies in the network's window of it."""
        return plane[self._windows[0].slices]

    def complete(self, finer: Floats, gain: np.float32) -> None:
        """Puts `finer` (n, rows, columns), features of n levels finer than the pyramid's, before the finest features,
        and multiplies those by `gain`."""
        self.features[0] = np.concatenate([finer, gain * self.features[0]])

    def synthesise(self, weights: GridWeights, out: Floats | None = None) -> Floats:
        """The window of the picture, (channels, rows, columns) float32, about [0, 1], not clamped, from the
        features."""
        height, width = self._coloured.rows, self._coloured.columns
        x = self.features[0].reshape(self.shape.levels, -1)
        colours, first, last = self.colours.reshape(len(self.colours), -1), weights.first.ravel(), weights.last.ravel()
        planes = np.empty((len(colours), height, width), np.float32) if out is None else out
        inner = self._coloured.within(self._windows[0])

        def colour(part: tuple[int, int]) -> None:
            self._kernels.forward(x, first, last, self._phase_scale, *part, colours)

        def smooth(part: tuple[int, int]) -> None:
            residual.filter_rows(unfiltered, weights.kernel, width, height, *part, planes)

        self.map(colour, pieces(0, x.shape[1], PIECE))
        # The planes of a whole picture are contiguous already and are not copied.
        unfiltered = np.ascontiguousarray(self.colours[:, inner[0].start :, inner[1].start :])
        self.map(smooth, pieces(0, height, self._rows))
        return planes[:, *self.window.within(self._coloured)]

    def _bands(self, coarse: Floats) -> list[tuple[int, int, int]]:
        """The pieces of work of upsampling `coarse`: channel and range of rows."""
        return [(c, *rows) for c in range(len(coarse)) for rows in pieces(0, coarse.shape[1], self._tall)]
