"""Files of every format version so far decode to what they decoded to when they were made."""

from pathlib import Path

import numpy as np
import pytest

from fourcodec import codec
from fourcodec.bitstream import alpha, container
from fourcodec.fnet import coefficient_coding
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import read_config
from fourcodec.grid import profile as grid
from tests.golden.make import FILES, FOLDER, integers_of

PATHS = sorted(Path(__file__).parent.glob("v*/*.fnc"))
every_file = pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")


def test_there_are_golden_files_of_every_profile() -> None:
    assert {path.stem for path in PATHS if path.parent == FOLDER} == set(FILES)
    profiles = [container.read(path.read_bytes())[0].profile for path in PATHS]
    assert profiles.count(fnet.PROFILE_ID) >= 5
    assert profiles.count(grid.PROFILE_ID) >= 3


@every_file
def test_integers_are_exact_and_pixels_within_one(path: Path) -> None:
    data, wanted = path.read_bytes(), dict(np.load(path.with_suffix(".npz")))
    pixels, found = wanted.pop("pixels"), integers_of(data)
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert np.array_equal(found[name], values), name
    copy = codec.decode(data)
    assert copy.shape == pixels.shape
    assert copy.dtype == pixels.dtype
    assert np.abs(copy.astype(int) - pixels).max() <= (1 if pixels.dtype == np.uint8 else 257)
    if container.read(data)[0].has_alpha:
        assert np.array_equal(copy[:, :, -1], pixels[:, :, -1])


@every_file
def test_packing_the_integers_again_gives_the_same_file(path: Path) -> None:
    header, sections = container.read(path.read_bytes())
    own = [section for section in sections if section.kind < alpha.KIND]
    if header.profile == grid.PROFILE_ID:
        fields, packed = grid.pack(grid.unpack(grid.read_config(header), own))
        assert fields["architecture"] == header.architecture
        assert packed == own
    elif sections[0].coder == container.CODER_RANGE:  # zstd's bytes belong to its version
        network = fnet.unpack(read_config(header), own)
        values = fnet.plain_integers(network)
        assert coefficient_coding.encode_range(values, network.config) == sections[0].payload
    assert container.write(header, sections) == path.read_bytes()
