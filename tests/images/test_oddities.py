"""What becomes of each file that programs stumble over: the samples it should have, or the reason it is refused for."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fourcodec import images
from fourcodec.errors import ImageError, LimitError
from tests.support import oddities
from tests.support.oddities import FILES, GREY, deep, mask, photo, rgba

BILEVEL = (GREY > 99) * np.uint8(255)
TRANSPARENT_COLOUR = (photo() != photo()[3, 4]).any(axis=2) * np.uint8(255)
FEW_GREYS = np.array([[0, 136, 136, 255, 255, 0]] * 5, np.uint8)

EXACT = {
    "one-pixel.png": photo(1, 1),
    "one-row.png": photo(1, 61),
    "bilevel.png": BILEVEL,
    "bilevel-fax.tif": BILEVEL,
    "grey-alpha.png": np.dstack([GREY, mask()]),
    "few-greys-transparent.png": np.dstack([FEW_GREYS, (FEW_GREYS != 136) * np.uint8(255)]),
    "one-colour-transparent.png": np.dstack([photo(), TRANSPARENT_COLOUR]),
    "alpha.png": rgba(),
    "alpha.webp": rgba(),
    "alpha-opaque.png": photo(),
    "alpha-nothing.png": np.full((16, 24, 4), (200, 100, 50, 0), np.uint8),
    "sixteen-grey.png": deep(GREY),
    "sixteen-grey-alpha.png": deep(np.dstack([GREY, mask()])),
    "sixteen-rgb.png": deep(photo()),
    "sixteen-rgba.png": deep(rgba()),
    "sixteen-rgb.tif": deep(photo()),
    "sixteen-planar.tif": deep(photo()),
    "sixteen-negative.tif": 65535 - deep(GREY),
    "sixteen-rgb.ppm": photo(),
    "turned.png": np.rot90(photo()),
    "turned.webp": photo()[::-1, ::-1],
    "turned.tif": np.rot90(photo(), -1),
    "turned-16.tif": np.rot90(deep(photo()), -1),
    "cmyk-wrong-profile.tif": photo(),
    "everything.png": deep(rgba()),
    "preview.tif": photo(),
    "profile-large.jpg": None,  # JPEG's own loss
    "turned.jpg": None,
    "turned.avif": None,
    "alpha.avif": None,
    "stereo.jpg": None,
    "exif-damaged.jpg": None,
    "cmyk.jpg": None,
    "cmyk-profile.jpg": None,
    "ycbcr.tif": None,
    "lab.tif": None,
    "palette.png": None,
    "palette-alpha.png": None,
    "palette-transparent.gif": None,
    "alpha-premultiplied-16.tif": None,
}
NOTES = {
    "alpha-opaque.png": "its alpha channel is left out",
    "sixteen-rgb.ppm": "16-bit samples are reduced to 8 bits",
    "cmyk.jpg": "has no CMYK profile: colours are approximate",
    "cmyk-wrong-profile.tif": "has no CMYK profile: colours are approximate",
    "cmyk-profile.jpg": "CMYK is converted to sRGB through its profile",
    "lab.tif": "LAB is converted to sRGB",
    "exif-damaged.jpg": "the EXIF data are left out: EXIF begins with neither",
}
REFUSED = {
    "thirty-two.tif": "a TIFF file of a kind that is not supported",
    "floating.tif": "mode 'F'",
    "profile-large.png": "limit of 1 MiB in a PNG",
    "profile-too-large.tif": "icc metadata of 16777217 bytes, more than the limit of 16777216",
    "animated.gif": "3 frames or pages: choose one with --frame, 1 to 3",
    "animated.webp": "3 frames or pages",
    "animated.png": "3 frames or pages",
    "pages.tif": "2 frames or pages",
    "cut.jpg": "damaged",
    "cut.png": "damaged",
    "cut-16.png": "damaged",
    "cut-16.tif": "damaged",
    "checksum.png": "bad header checksum",
    "empty.png": "the file is empty",
    "text.png": "not a picture of a known format",
    "huge.png": "limit of 134217728",
}


def test_every_oddity_has_an_outcome() -> None:
    assert set(EXACT) | set(REFUSED) == set(FILES)


@pytest.mark.parametrize("name", EXACT)
def test_it_is_read(name: str) -> None:
    picture = images.read(FILES[name]())
    wanted = EXACT[name]
    if wanted is not None:
        assert picture.pixels.dtype == wanted.dtype
        np.testing.assert_array_equal(picture.pixels, wanted)
    notes = " ".join(picture.notes)
    assert NOTES[name] in notes if name in NOTES else not notes


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_for_a_stated_reason(name: str) -> None:
    with pytest.raises((ImageError, LimitError), match=REFUSED[name]) as caught:
        images.read(FILES[name]())
    assert "\n" not in str(caught.value)


def test_cmyk_goes_through_its_profile() -> None:
    """In the profile's world any full ink is a light grey, where the simple rule would show cyan."""
    cyan = Image.new("CMYK", (24, 16), (255, 0, 0, 0))
    through = images.read(oddities.saved(cyan, "TIFF", icc_profile=oddities.cmyk_profile()))
    assert np.ptp(through.pixels[0, 0].astype(int)) <= 2
    assert abs(int(through.pixels[0, 0, 0]) - 198) <= 3  # L* = 80
    assert not through.metadata
    assert images.read(oddities.saved(cyan, "TIFF")).pixels[0, 0].tolist() == [0, 255, 255]


def test_premultiplied_colours_are_divided_by_alpha() -> None:
    picture = images.read(FILES["alpha-premultiplied-16.tif"]())
    np.testing.assert_array_equal(picture.pixels[:, :, 3], mask().astype(np.uint16) * 257)
    solid = mask() > 60  # 8 bits multiplied by alpha are 2 bits short there
    assert np.abs(picture.pixels[solid][:, :3].astype(int) - photo()[solid].astype(int) * 257).max() < 5 * 257
