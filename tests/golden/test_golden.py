"""Files of every format version so far decode to what they decoded to when they were made."""

from pathlib import Path

import numpy as np
import pytest

from fourcodec import codec
from fourcodec.bitstream import container
from fourcodec.profiles import fnet

FILES = sorted(Path(__file__).parent.glob("v*/*.fnc"))


def test_there_are_golden_files() -> None:
    assert len(FILES) >= 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_integers_are_exact_and_pixels_within_one(path: Path) -> None:
    data, wanted = path.read_bytes(), np.load(path.with_suffix(".npz"))
    network = fnet.unpack(*container.read(data))
    assert np.array_equal(network.symbols, wanted["symbols"])
    assert np.array_equal(network.step_indices, wanted["step_indices"])
    found = codec.decode(data)
    assert found.shape == wanted["pixels"].shape
    assert np.abs(found.astype(int) - wanted["pixels"]).max() <= 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_packing_the_integers_again_gives_the_same_file(path: Path) -> None:
    header, sections = container.read(path.read_bytes())
    network = fnet.unpack(header, sections)
    values = fnet.plain_integers(network)
    if sections[0].coder == container.CODER_RANGE:  # zstd's bytes belong to its version
        assert fnet.encode_range(values, network.config.shape) == sections[0].payload
        assert container.write(header, sections) == path.read_bytes()
