"""What FORMAT.md says about profile 2 is what the code does: a decoder written after it decodes our files."""

import numpy as np
import pytest

from fourcodec.bitstream import container
from fourcodec.networks.grid_weights import UNUSED
from fourcodec.profiles import grid
from tests import format_decoder
from tests.golden.make import FOLDER
from tests.grids import config_of, random_picture
from tests.profiles.test_grid import header_of


def assert_decodes(header: container.Header, sections: list[container.Section]) -> None:
    picture = grid.unpack(header, sections)
    size = (header.height, header.width)
    payloads = (sections[0].payload, sections[1].payload)
    networks, latents, planes = format_decoder.decode(payloads, size, header.channels, header.architecture)
    assert networks.exponents == picture.exponents.tolist()
    assert np.array_equal(networks.symbols, picture.symbols[picture.config.shape.groups != UNUSED])
    for found, wanted in zip(latents.levels, picture.latents, strict=True):
        assert np.array_equal(found, wanted)
    assert np.abs(planes - grid.render(picture, size, "cpu")).max() < 1e-3


@pytest.mark.parametrize("name", ["grid-rgb", "grid-grey", "grid-one-pixel"])
def test_golden_files_decode_as_the_document_says(name: str) -> None:
    header, sections = container.read((FOLDER / f"{name}.fnc").read_bytes())
    assert_decodes(header, sections)


@pytest.mark.parametrize(
    "config",
    [config_of(13, 22, 1, order=1, hidden=5), config_of(6, 1, 3), config_of(9, 10, 1, order=3, levels=3, phase=7)],
)
def test_random_integers_decode_as_the_document_says(config: grid.GridConfig) -> None:
    """Integers of all sizes, where a fit's are small: escapes and cuts among them."""
    picture = random_picture(config, spread=200.0, seed=3)
    picture.latents[0][:] = np.random.default_rng(0).integers(-32767, 32768, picture.latents[0].shape)
    picture.exponents[4:] = 14  # the picture stays near [0, 1], as its float32 needs
    _, sections = grid.pack(picture)
    assert_decodes(header_of(picture), sections)
