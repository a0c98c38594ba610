"""Errors of a copy: a summary over all samples, and a map of each pixel's error on a scale that two copies can
share."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt

from fourcodec.images import Samples
from fourcodec.images.pixels import STRIP_ROWS

_SCALE_ENDS = (2, 4, 8, 16, 32, 64, 128, 255)  # in 1/255 of a sample's range
_SHARE_WITHIN_SCALE = 0.995  # of all pixels: a few large errors must not make the rest of the map dark
COLOURS = 256


@dataclass(frozen=True)
class Errors:
    """Absolute differences of samples, in 1/255 of a sample's range for both bit depths."""

    mean: float
    most: float  # the 99th percentile
    largest: float


def errors(original: Samples, copy: Samples) -> Errors:
    """Errors over all samples of two pictures without alpha, uint8 or uint16, of the same shape and dtype."""
    peak = int(np.iinfo(original.dtype).max)
    counts = np.zeros(peak + 1, np.int64)
    for top in range(0, original.shape[0], STRIP_ROWS):
        difference = _difference(original[top : top + STRIP_ROWS], copy[top : top + STRIP_ROWS])
        counts += np.bincount(difference.ravel(), minlength=peak + 1)
    unit, total = 255 / peak, int(counts.sum())
    sizes = np.arange(peak + 1)
    most = int(np.searchsorted(np.cumsum(counts), 0.99 * total))
    return Errors(float(sizes @ counts) / total * unit, most * unit, float(np.flatnonzero(counts)[-1]) * unit)


def pixel_errors(original: Samples, copy: Samples) -> npt.NDArray[np.float32]:
    """The largest error of any channel of each pixel, float32 (H, W), in 1/255 of a sample's range."""
    unit = np.float32(255 / np.iinfo(original.dtype).max)
    found = np.empty(original.shape[:2], np.float32)
    for top in range(0, len(found), STRIP_ROWS):
        difference = _difference(original[top : top + STRIP_ROWS], copy[top : top + STRIP_ROWS])
        found[top : top + STRIP_ROWS] = (difference if difference.ndim == 2 else difference.max(axis=2)) * unit
    return found


def common_scale(maps: Sequence[npt.NDArray[np.float32]]) -> int:
    """The end of a scale that fits all of these maps, in 1/255 of a sample's range."""
    wanted = max(float(np.quantile(errors_of_one, _SHARE_WITHIN_SCALE)) for errors_of_one in maps)
    return next(top for top in _SCALE_ENDS if top >= wanted)


def palette_indices(errors_of_pixels: npt.NDArray[np.float32], top: int) -> npt.NDArray[np.uint8]:
    """Indices (H, W) into the palette for a map of errors: 0 for no error, the last one for `top` and above."""
    return np.rint(np.minimum(errors_of_pixels / top, 1) * (COLOURS - 1)).astype(np.uint8)


def palette() -> npt.NDArray[np.uint8]:
    """The colours of error maps, uint8 (COLOURS, 3): matplotlib's perceptually uniform magma, black to light yellow.

    They are kept in a file, so that a page of `compare` needs no matplotlib."""
    colours = resources.files(__package__).joinpath("magma.bin").read_bytes()
    return np.frombuffer(colours, np.uint8).reshape(COLOURS, 3)


def _difference(original: Samples, copy: Samples) -> npt.NDArray[np.int32]:
    return np.abs(original.astype(np.int32) - copy)
