"""A folder of small pictures, settings that measure the stub codec on it, and the table of a run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fourcodec.bench.settings import BenchSettings
from tests.support.benches import make_folder, stub_settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pictures")


@pytest.fixture
def settings_of() -> Callable[..., BenchSettings]:
    return stub_settings
