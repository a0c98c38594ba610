"""Torch has one thread in these tests, where its device is a processor."""

from collections.abc import Iterator

import pytest

from fourcodec.generative.torch_threads import one_torch_thread


@pytest.fixture(autouse=True, scope="package")
def unthreaded() -> Iterator[None]:
    """A fit has thousands of small operations, whose threads wait for each other: beside the tests of another process
    it took three times as long on two."""
    with one_torch_thread():
        yield
