"""Uses of a trained model by the commands: sheets of reconstructions, interpolation between images, files of
latents."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fourcodec import metrics
from fourcodec.arrays import Floats, Images
from fourcodec.errors import DatasetError
from fourcodec.generative.datasets import describe, load_first, load_picture
from fourcodec.generative.model import TrainedModel
from fourcodec.generative.sheets import sheet, to_bytes

Pixels = NDArray[np.uint8]


def load_images(model: TrainedModel, sources: Sequence[Path], limit: int) -> Images:
    """The images of all sources, uint8 (B, H, W, C).

    A source is a picture file, or a folder or dataset, of which the first `limit` images are taken (test images where
    it has a test part). Raises OSError, and DatasetError where a source cannot be read or has images of another size.
    """
    found: list[Images] = []
    for source in sources:
        whole = source.is_dir() or source.suffix == ".npz"
        part = load_first(source, limit) if whole else load_picture(source)[None]
        if part.shape[1:] != model.image_shape:
            sizes = describe(part.shape[1:]), describe(model.image_shape)
            raise DatasetError(f"{str(source)!r}: images are {sizes[0]}, the model's {sizes[1]}")
        found.append(part)
    return np.concatenate(found)


def longer_side(model: TrainedModel, pixels: int) -> tuple[int, int]:
    """The size (height, width) with the model's aspect ratio whose longer side is `pixels`."""
    height, width, _ = model.image_shape
    scale = pixels / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def reconstruction_sheet(model: TrainedModel, images: Images) -> Pixels:
    """A sheet of images uint8 (B, H, W, C), each above its reconstruction by the model."""
    copies = to_bytes(model.decode(model.embed(images)))
    columns = min(len(images), 16)
    rows = []
    for start in range(0, len(images), columns):
        for part in (images[start : start + columns], copies[start : start + columns]):
            blank = np.zeros((columns - len(part), *part.shape[1:]), np.uint8)
            rows.append(np.concatenate([part, blank]))
    return sheet(np.concatenate(rows), columns)


def latents_file(z: Floats) -> bytes:
    """The bytes of an .npz file with the array `z` (N, L)."""
    buffer = io.BytesIO()
    np.savez(buffer, z=z)
    return buffer.getvalue()


def psnr_db(model: TrainedModel, z: Floats, images: Images) -> float:
    """PSNR of the images decoded from latents z (B, L), rounded to 8 bits, against images uint8 (B, H, W, C)."""
    copies = to_bytes(model.decode(z))
    return metrics.psnr_db(copies.reshape(-1, copies.shape[-1]), images.reshape(-1, images.shape[-1]))
