"""Small sets of images, and the smallest model that learns from them."""

from pathlib import Path

import numpy as np
from PIL import Image

from fourcodec.generative.config import Config, from_table

SHAPE = (8, 12, 3)  # images, (H, W, C)
TABLE = {
    "network": {"width": 2, "depth": 2},
    "latents": {"size": 4},
    "decoder": {"hidden": [8]},
    "training": {"epochs": 3, "batch": 16},
}
WITH_ENCODER = {**TABLE, "encoder": {"hidden": [8]}}


def tiny(**tables: object) -> Config:
    return from_table({**TABLE, **tables})


def discs(count: int, seed: int = 0) -> np.ndarray:
    """Bright discs on dark ground, at different places and of different colours: (count, *SHAPE) uint8."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    images = np.empty((count, *SHAPE), np.uint8)
    for image in images:
        distance = np.hypot(rows - random.uniform(2, 6), columns - random.uniform(3, 9))
        image[:] = np.clip(3 - distance, 0, 1)[..., None] * random.uniform(100, 255, 3)
    return images


def write_pictures(folder: Path, images: np.ndarray) -> Path:
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:03}.png")
    return folder


def write_npz(path: Path, images: np.ndarray) -> Path:
    np.savez(path, images=images)
    return path


TINY = """
network = { width = 2, depth = 2 }
latents = { size = 4 }
decoder = { hidden = [8] }
training = { epochs = 2, batch = 16 }
"""
