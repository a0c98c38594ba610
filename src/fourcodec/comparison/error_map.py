"""How far each pixel is off: numbers, and a map in the colours of a scale that two copies can share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fourcodec.images import Samples
from fourcodec.images.pixels import STRIP_ROWS

_TOPS = (2, 4, 8, 16, 32, 64, 128, 255)  # round ends of the scale, in 1/255 of the range of a sample
_SHARE_SHOWN = 0.995  # of pixels that lie within the scale: a few far-off ones must not make the map dark
COLOURS = 256


@dataclass(frozen=True)
class Errors:
    """Differences of samples without their sign, in 1/255 of the range, whatever the bits."""

    mean: float
    most: float  # 99% of the samples are at most so far off
    largest: float


def errors(original: Samples, copy: Samples) -> Errors:
    """Over all samples of two pictures without alpha, uint8 or uint16, of the same shape."""
    peak = int(np.iinfo(original.dtype).max)
    counts = np.zeros(peak + 1, np.int64)
    for top in range(0, original.shape[0], STRIP_ROWS):
        difference = _difference(original[top : top + STRIP_ROWS], copy[top : top + STRIP_ROWS])
        counts += np.bincount(difference.ravel(), minlength=peak + 1)
    unit, total = 255 / peak, int(counts.sum())
    sizes = np.arange(peak + 1)
    most = int(np.searchsorted(np.cumsum(counts), 0.99 * total))
    return Errors(float(sizes @ counts) / total * unit, most * unit, float(np.flatnonzero(counts)[-1]) * unit)


def farthest(original: Samples, copy: Samples) -> npt.NDArray[np.float32]:
    """(H, W): the error of each pixel's worst channel, in 1/255 of the range."""
    unit = np.float32(255 / np.iinfo(original.dtype).max)
    found = np.empty(original.shape[:2], np.float32)
    for top in range(0, len(found), STRIP_ROWS):
        difference = _difference(original[top : top + STRIP_ROWS], copy[top : top + STRIP_ROWS])
        found[top : top + STRIP_ROWS] = (difference if difference.ndim == 2 else difference.max(axis=2)) * unit
    return found


def scale_of(maps: Sequence[npt.NDArray[np.float32]]) -> int:
    """The end of the scale for maps that are to be compared, in 1/255."""
    wanted = max(float(np.quantile(errors_of_one, _SHARE_SHOWN)) for errors_of_one in maps)
    return next(top for top in _TOPS if top >= wanted)


def indices(errors_of_pixels: npt.NDArray[np.float32], top: int) -> npt.NDArray[np.uint8]:
    """Entries of the palette: 0 for no error, the last for `top` and more."""
    return np.rint(np.minimum(errors_of_pixels / top, 1) * (COLOURS - 1)).astype(np.uint8)


def palette() -> npt.NDArray[np.uint8]:
    """(COLOURS, 3), from black to light yellow and of even steps to the eye: matplotlib's magma."""
    from matplotlib import colormaps

    return np.rint(255 * colormaps["magma"](np.arange(COLOURS))[:, :3]).astype(np.uint8)


def _difference(original: Samples, copy: Samples) -> npt.NDArray[np.int32]:
    return np.abs(original.astype(np.int32) - copy)
