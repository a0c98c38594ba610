"""Work shared over threads, and kernels entered from several threads and processes at once."""

import math
import multiprocessing
import threading

import numpy as np
import pytest

from fourcodec import threads
from fourcodec.fnet import network as fourier
from fourcodec.fourier.shape import NetworkShape
from fourcodec.threads import map_threads, thread_count

SHAPE = NetworkShape(width=3, depth=3, channels=3)


def picture_of(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    coefficients = random.normal(0, 0.1, SHAPE.coefficient_count).astype(np.float32)
    return fourier.evaluate(SHAPE, coefficients, random.random((2, 3000), np.float32))


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads for each picture, on any machine."""
    monkeypatch.setenv("FOURCODEC_THREADS", "2")


def test_results_keep_their_order() -> None:
    assert map_threads(lambda item: item * item, range(20), 3) == [item * item for item in range(20)]


def test_the_first_exception_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        map_threads(lambda item: 1 // item, [1, 0, 2], 2)


def test_what_was_little_work_stays_on_the_calling_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "ALONE_SECONDS", math.inf)
    map_threads(who_does_it, range(3), 2)
    assert set(map_threads(who_does_it, range(3), 2)) == {threading.get_ident()}


def test_what_was_much_work_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "ALONE_SECONDS", 0.0)
    both = threading.Barrier(2)

    def meet(_: int) -> int:
        both.wait(timeout=60)  # until the other thread has a piece, too
        return threading.get_ident()

    for _ in range(2):
        assert len(set(map_threads(meet, range(2), 2))) == 2


def who_does_it(_: int) -> int:
    return threading.get_ident()


def test_threads_that_do_not_get_to_run_are_not_waited_for() -> None:
    busy = threading.Event()
    held = [threads._pool(3).submit(busy.wait) for _ in range(3)]
    assert map_threads(lambda item: item + 1, range(5), 3) == [1, 2, 3, 4, 5]
    assert not any(one.done() for one in held)
    busy.set()


def test_threads_are_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURCODEC_THREADS", "3")
    assert thread_count() == 3


@pytest.mark.usefixtures("two_threads")
def test_four_threads_at_once_compute_the_same() -> None:
    wanted = [picture_of(seed) for seed in range(4)]
    found: dict[int, np.ndarray] = {}
    running = [threading.Thread(target=lambda seed=seed: found.update({seed: picture_of(seed)})) for seed in range(4)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert all(np.array_equal(found[seed], wanted[seed]) for seed in range(4))


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_four_processes_at_once_compute_the_same(method: str) -> None:
    wanted = [picture_of(seed) for seed in range(4)]  # this process has threads by now, which a forked child lacks
    with multiprocessing.get_context(method).Pool(4) as pool:
        found = pool.map(picture_of, range(4))
    assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))
