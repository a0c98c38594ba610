"""Plain torch on one thread: for the small networks beside the model, whose sums then do not depend on the machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Operations this small gain little from a second thread, and on a busy machine they wait for it: a training step
    of the classifier took ten times as long on two threads as on one where another program used a core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
