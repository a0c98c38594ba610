"""A folder of small pictures, settings that measure the stub codec on it, and the table of a run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fourcodec.bench.settings import BenchSettings
from tests.support.benches import make_folder, stub_settings
from tests.support.door import VARIABLE, Door


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pictures")


@pytest.fixture
def settings_of() -> Callable[..., BenchSettings]:
    return stub_settings


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """At which the stub codec's fits wait, in this process and in all that are started from now on."""
    door = Door()
    monkeypatch.setenv(VARIABLE, door.address)
    yield door
    door.open()
