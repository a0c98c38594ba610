"""Fixtures that several test modules use."""

import numpy as np
import pytest
from hypothesis import settings

from tests import stubs

# The same examples each time, and no deadline: whether a change passes must not depend on luck or on a busy machine.
settings.register_profile("fourcodec", deadline=None, derandomize=True)
settings.load_profile("fourcodec")


@pytest.fixture
def stub_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The codec with a profile that stores the picture itself."""
    stubs.install(monkeypatch)


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A smooth picture with an edge: uint8 (16, 24, 3)."""
    rows, columns = np.mgrid[0:16, 0:24]
    planes = [rows * 8 + columns * 3, 200 - columns * 5, np.where(rows > columns / 2, 220, 30)]
    return np.stack(planes, axis=-1).astype(np.uint8)
