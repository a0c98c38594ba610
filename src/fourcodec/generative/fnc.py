"""Generated images as ordinary .fnc files of the profile fnet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream import container
from fourcodec.cells import most_samples
from fourcodec.errors import LimitError, UnsupportedFormatError
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.fnet.quantize import MAX_SYMBOL, STEP_COUNT, dequantize, quantize, step_size
from fourcodec.fourier.batch import FourierImages
from fourcodec.generative.config import ACTIVATIONS, COORDINATES
from fourcodec.generative.core import ModelCore, Size
from fourcodec.limits import DEFAULT
from fourcodec.positions import INDEX_OVER_32
from fourcodec.views import whole

# 0.45 of an 8-bit level, on [-1, 1]. With float32 differences between the two kernels it stays below half a level, so
# no 8-bit sample changes by more than 1.
_TOLERANCE = 0.45 * 2 / 255
_FIRST_STEP, _STEP_STRIDE = 56, 4  # step indices of fnet/quantize.py: 2^-7, then finer by factors of 2^(1/2)


def to_fnc(core: ModelCore, z: NDArray[np.float32], size: Size | None = None) -> list[bytes]:
    """The bytes of a file for each of the latents z (B, L); each decodes to core.decode(z, size) within 1 of 255.

    Raises UnsupportedFormatError for another size where the model's coordinates count pixels. Raises LimitError where
    coefficients are too large for a file's symbols, and for images that `decode` refuses by default.
    """
    coordinates = COORDINATES[core.config.network.coordinates]
    native = core.image_shape[:2]
    if coordinates == INDEX_OVER_32 and size not in (None, native):
        raise UnsupportedFormatError(
            f"this model's coordinates count pixels: its .fnc files are {native[1]} x {native[0]} only"
        )
    size = size or native
    grid = core.config.network.grid
    DEFAULT.check_work(most_samples(whole(size[1], size[0]), grid) * core.shape.coefficient_count)
    coefficients = core.coefficients(z).cpu().numpy()
    steps = _step_indices(core.fourier_at(size), coefficients)
    return [_write(core, row, index, size, coordinates) for row, index in zip(coefficients, steps, strict=True)]


def _step_indices(fourier: FourierImages, coefficients: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The index of the coarsest step, for each of B images, with which no sample changes by more than _TOLERANCE."""
    exact = fourier.samples(coefficients)
    found = np.zeros(len(coefficients), np.uint8)
    open_rows = np.arange(len(coefficients))
    for index in range(_FIRST_STEP, STEP_COUNT, _STEP_STRIDE):
        step = step_size(np.array([index], np.uint8))
        if np.abs(coefficients[open_rows]).max() > MAX_SYMBOL * step:
            break
        rounded = dequantize(quantize(coefficients[open_rows], step), step)
        moved = np.abs(fourier.samples(rounded) - exact[open_rows]).max(axis=(1, 2))
        found[open_rows] = index
        open_rows = open_rows[moved > _TOLERANCE]
        if not len(open_rows):
            return found
    raise LimitError("an image's coefficients need more than 20 bits, which a .fnc file cannot hold")


def _write(core: ModelCore, coefficients: NDArray[np.float32], index: int, size: Size, coordinates: int) -> bytes:
    shape, activation = core.shape, ACTIVATIONS[core.config.network.activation]
    grid = core.config.network.grid
    config = FnetConfig(
        shape.width, shape.depth, shape.channels, coordinates=coordinates, activation=activation, cells=grid
    )
    indices = np.full(shape.output_count, index, np.uint8)
    network = QuantizedFnet(config, indices, quantize(coefficients, step_size(indices[:1])))
    if not fnet.is_bounded(network):
        raise LimitError("an image's coefficients are larger than those of a .fnc file")
    fields, sections = fnet.pack(network)
    height, width = size
    header = container.Header(width=width, height=height, channels=shape.channels, profile=fnet.PROFILE_ID, **fields)
    return container.write(header, sections)
