"""Work on a CUDA device that is recorded once and replayed: hundreds of small operations without the time that each
takes to launch."""

from __future__ import annotations

from collections.abc import Callable

import torch

_WARM_UPS = 2  # runs before work is recorded, as torch asks for


class Recorder:
    """Of one device; all that it records shares the memory for what is in between, so nothing runs at once."""

    def __init__(self, device: torch.device) -> None:
        self._pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None

    def record(self, work: Callable[[], None], *, again: bool = True) -> Callable[[], None]:
        """A function that does `work`, whose tensors must stay where they are. Where `again` is false the work is not
        the same when done twice, and only what needs no warming up may be in it. On other devices it is `work`."""
        if self._pool is None:
            return work
        if again:
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UPS):
                    work()
            torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            work()
        replay: Callable[[], None] = graph.replay
        return replay
