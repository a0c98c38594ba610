"""What fits of the grid come to, for the tests of both devices."""

from __future__ import annotations

import numpy as np

from fourcodec.grid.fit.fit import FEWEST_PIXELS
from fourcodec.grid.picture import QuantizedGrid
from fourcodec.grid.profile import pack, render
from fourcodec.optimisation.settings import rate_weight_of

RATE_WEIGHT = rate_weight_of(80)


def psnr_db(planes: np.ndarray, picture: QuantizedGrid) -> float:
    shown = render(picture, planes.shape[1:], "cpu").clip(0, 1)
    return -10 * float(np.log10(max(np.square(shown - planes).mean(), 1e-10)))


def flat_db(planes: np.ndarray) -> float:
    """PSNR of the mean colour."""
    mse = np.square(planes - planes.mean(axis=(1, 2), keepdims=True)).mean()
    return -10 * float(np.log10(max(mse, 1e-10)))


def size_bytes(picture: QuantizedGrid) -> int:
    return sum(len(section.payload) for section in pack(picture)[1])


def cost(planes: np.ndarray, picture: QuantizedGrid, rate_weight: float = 1e-3) -> float:
    """J = MSE + lambda bpp, at the fair price of bits in a picture of 64 x 64 pixels."""
    mse = float(np.square(render(picture, planes.shape[1:], "cpu") - planes).mean())
    return mse + rate_weight * 8 * size_bytes(picture) / FEWEST_PIXELS
