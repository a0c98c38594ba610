"""torch on one thread, for small networks: their sums then do not depend on the number of cores."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Runs torch on one thread inside the context.

    Small operations gain little from a second thread, and on a busy machine they wait for it: an iteration of the
    classifier's training took ten times as long on two threads as on one while another program used a core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
