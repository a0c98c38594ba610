"""Parts and sizes of pictures with alpha: alpha is where the colours are, and what it hides never shows."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec.views import View
from tests.support.golden import GOLDEN

ALPHA = ("fnet-rgba", "grid-grey-alpha", "grid-rgba-16")


@pytest.mark.parametrize("name", ALPHA)
def test_a_region_is_the_crop_of_the_whole(name: str) -> None:
    whole = fourcodec.decode(GOLDEN[name])
    left, top = 3, 2
    part = fourcodec.decode(GOLDEN[name], view=View(region=(left, top, 9, 7)))
    assert part.dtype == whole.dtype
    np.testing.assert_array_equal(part, whole[top : top + 7, left : left + 9])


@pytest.mark.parametrize("name", ALPHA)
@pytest.mark.parametrize("view", [View(scale=0.5), View(scale=0.13), View(scale=2.2), View(size=(7, 90))])
def test_any_size_has_as_many_samples_and_channels(name: str, view: View) -> None:
    whole = fourcodec.decode(GOLDEN[name])
    lattice = view.on(whole.shape[1], whole.shape[0])
    pixels = fourcodec.decode(GOLDEN[name], view=view)
    assert pixels.shape == (lattice.rows, lattice.columns, whole.shape[2])
    assert pixels.dtype == whole.dtype


@pytest.fixture
def flag(stub_profile: None) -> Any:
    """The file of a red picture whose left half is transparent over green. (16, 24), 16 or 8 bits."""

    def make(dtype: type) -> bytes:
        peak = np.iinfo(dtype).max
        picture = np.zeros((16, 24, 4), dtype)
        picture[:, :11] = (0, peak, 0, 0)
        picture[:, 11:] = (peak, 0, 0, peak)
        return fourcodec.encode(picture).data

    return make


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("view", [View(scale=0.5), View(scale=0.3), View(scale=3), View((5, 3, 12, 8), size=(7, 5))])
def test_hidden_colours_do_not_show_at_any_size(flag: Any, dtype: type, view: View) -> None:
    pixels = fourcodec.decode(flag(dtype), view=view).astype(float) / np.iinfo(dtype).max
    seen = pixels[pixels[:, :, 3] > 0.02]
    assert 0 < seen[:, 3].min() < 0.98
    np.testing.assert_allclose(seen[:, :3], np.array([[1.0, 0, 0]]).repeat(len(seen), 0), atol=0.01)


def test_half_size_has_the_mean_of_alpha_and_of_the_colours_that_are_seen(stub_profile: None) -> None:
    picture = np.random.default_rng(4).integers(0, 256, (16, 24, 4), np.uint8)
    half = fourcodec.decode(fourcodec.encode(picture).data, view=View(scale=0.5))
    copy = fourcodec.decode(fourcodec.encode(picture).data).astype(float).reshape(8, 2, 12, 2, 4)
    alpha = copy[..., 3:].mean((1, 3))
    colours = (copy[..., :3] * copy[..., 3:]).mean((1, 3)) / alpha
    np.testing.assert_allclose(half, np.concatenate([colours, alpha], axis=2), atol=0.51)


def test_it_is_what_pillow_makes_of_the_whole(photo: np.ndarray, stub_profile: None) -> None:
    ramp = np.linspace(0, 255, 24).astype(np.uint8)[None].repeat(16, 0)
    data = fourcodec.encode(np.dstack([photo, ramp])).data
    view = View(scale=0.4)
    lattice = view.on(24, 16)
    wanted = Image.fromarray(fourcodec.decode(data)).resize((lattice.columns, lattice.rows), Image.Resampling.LANCZOS)
    found = fourcodec.decode(data, view=view).astype(int)
    assert np.abs(found - np.asarray(wanted))[found[:, :, 3] > 60].max() <= 4  # Pillow rounds on the way


def test_an_even_alpha_leaves_the_colours_to_the_network(photo: np.ndarray, stub_profile: None) -> None:
    data = fourcodec.encode(np.dstack([photo, np.full((16, 24), 9, np.uint8)])).data
    bare = fourcodec.encode(photo).data
    for view in (View(scale=0.5), View((2, 2, 9, 9), scale=3)):
        pixels = fourcodec.decode(data, view=view)
        np.testing.assert_array_equal(pixels[:, :, :3], fourcodec.decode(bare, view=view))
        assert (pixels[:, :, 3] == 9).all()
