"""Work on a CUDA device that is recorded once and replayed as a CUDA graph, which saves the time to launch hundreds of
small operations."""

from __future__ import annotations

from collections.abc import Callable

import torch

_WARM_UPS = 2  # runs before work is recorded, as torch demands


class Recorder:
    """Records work on one device. All recordings share the memory for intermediate values, so only one may run at a
    time."""

    def __init__(self, device: torch.device) -> None:
        self._pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None

    def record(self, work: Callable[[], None], *, again: bool = True) -> Callable[[], None]:
        """A function that repeats `work`, whose tensors must never be replaced; on other devices than CUDA `work`
        itself.

        again: whether work may run before it is recorded. Where it may not, since a second run would have another
        result, it must consist of operations that need no warming up.
        """
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
