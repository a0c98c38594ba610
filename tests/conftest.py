"""Fixtures that several test modules use."""

import signal
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import settings

from tests.support import stubs
from tests.support.door import VARIABLE, Door

# The same examples each time, and no deadline: whether a change passes must not depend on luck or on a busy machine.
settings.register_profile("fourcodec", deadline=None, derandomize=True)
settings.load_profile("fourcodec")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked "cuda" are skipped where there is none; only they pay for finding out."""
    if item.get_closest_marker("cuda") is None:
        return
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")


@pytest.fixture(autouse=True, scope="session")
def heeded_interrupts() -> Iterator[None]:
    """A shell's background jobs ignore Ctrl-C, and so would what tests start; a handler is not inherited."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """At which work that calls `wait_at_the_door` waits, in this process and in all that are started from now on."""
    door = Door()
    monkeypatch.setenv(VARIABLE, door.address)
    yield door
    door.open()
