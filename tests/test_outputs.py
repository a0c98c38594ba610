"""Each output format holds the picture, and refuses in one line what it cannot hold."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from fourcodec import outputs
from fourcodec.errors import ImageError

EXACT = (".png", ".PNG", ".webp", ".tif", ".tiff", ".npy")


@pytest.mark.parametrize("suffix", [*outputs.SUFFIXES, ".PNG"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_format_is_read_back(photo: np.ndarray, suffix: str, channels: int) -> None:
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("no AVIF in this Pillow")
    pixels = photo if channels == 3 else photo[:, :, 0]
    data = io.BytesIO(outputs.to_bytes(pixels, suffix))
    copy = np.load(data, allow_pickle=False) if suffix == ".npy" else np.asarray(Image.open(data))
    if copy.ndim > pixels.ndim:  # WebP and AVIF have no grey
        copy = copy[:, :, 0]
    assert copy.shape == pixels.shape
    error = np.abs(copy.astype(int) - pixels)
    assert error.max() == 0 if suffix in EXACT else error.mean() < 6


@pytest.mark.parametrize("name", ["a.gif", "a", "a.fnc", "a.png.exe"])
def test_an_unknown_format_is_named_with_those_that_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=r"\.png, \.jpg, .*\.npy, not "):
        outputs.check_suffix(Path(name))


def test_a_side_that_a_format_cannot_have_is_refused() -> None:
    with pytest.raises(ImageError, match="webp files have at most 16383 pixels a side"):
        outputs.to_bytes(np.zeros((1, 16384), np.uint8), ".webp")
