"""The noisy steps of fitting/grid_latents.py on a torch device, for CUDA: latents and their optimiser stay there, and a
step is recorded once and replayed. The networks' optimisers, which are small, remain numpy's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fourcodec.fitting.grid_latents import Gradient, NoisySteps, Proxy, Rates
from fourcodec.kernels import latents_torch
from fourcodec.networks.grid_torch import TorchGridGradient
from fourcodec.networks.grid_weights import GridWeights
from fourcodec.profiles.grid_config import GridConfig

Floats = NDArray[np.float32]
_WARM_UPS = 2  # runs before one is recorded, as torch asks for


class TorchSpace:
    """A Space on a device; recorded steps share the memory that they work in."""

    def __init__(self, config: GridConfig, device: str) -> None:
        self.network: TorchGridGradient = TorchGridGradient(config.pyramid, config.shape, config.phase_scale, device)
        self.pool = torch.cuda.graph_pool_handle() if self.network.device.type == "cuda" else None

    def send(self, values: Floats) -> Tensor:
        return self.network.send(values)

    def noisy(self, latents: Floats, target: Tensor, visible: Tensor | None) -> NoisySteps:
        return _TorchNoisySteps(self, latents, target, visible)


class _TorchNoisySteps:
    """What a step reads and writes lies in places that never change."""

    def __init__(self, space: TorchSpace, latents: Floats, target: Tensor, visible: Tensor | None) -> None:
        self._network, self._pool, self._target, self._visible = space.network, space.pool, target, visible
        self._latents = space.send(latents).clone()
        self._first, self._second = torch.zeros_like(self._latents), torch.zeros_like(self._latents)
        self._slopes, self._chain = torch.zeros_like(self._latents), torch.zeros_like(self._latents)
        self._seeds = torch.zeros(len(latents), dtype=torch.int64, device=self._latents.device)
        self._proxy, self._rates = self._latents.new_zeros(2), self._latents.new_zeros(4)
        self._weights, self._found = self._latents.new_zeros(0), self._latents.new_zeros(0)
        self._gradient: Callable[[], None] | None = None
        self._move: Callable[[], None] | None = None

    def perturb(self, proxy: Proxy) -> None:
        """What the gradient then begins with."""
        self._seeds.copy_(torch.tensor(latents_torch.plane_seeds(proxy.seed)))
        self._proxy.copy_(torch.tensor([proxy.temperature, proxy.deviation]))

    def gradient(self, weights: GridWeights, distortion_weight: float) -> Gradient:
        network, flat = self._network, torch.from_numpy(weights.flat())
        shape, levels = network.shape, network.pyramid.count
        if self._gradient is None:
            self._weights = flat.to(network.device, copy=True)
            self._found = flat.new_zeros(1 + levels * len(self._latents) + len(flat), device=network.device)

            def work() -> None:
                noisy, chain = latents_torch.perturb(self._latents, network.mask, *self._proxy, self._seeds)
                squares, bits, gradient, slopes = network.derivatives(
                    self._weights, noisy, self._target, distortion_weight
                )
                self._slopes.copy_(slopes)
                self._chain.copy_(chain)
                torch.cat([squares.flatten(), bits.flatten(), gradient], out=self._found)

            network.visible = self._visible
            self._gradient = _recorded(work, self._pool, _WARM_UPS)
        network.visible = self._visible
        self._weights.copy_(flat)
        self._gradient()
        found = self._found.cpu().numpy().copy()
        bits, gradient = found[1 : -len(flat)], found[-len(flat) :]
        return float(found[0]), bits.reshape(levels, -1).astype(np.float64), shape.weights(gradient)

    def move(self, rates: Rates) -> None:
        self._rates.copy_(torch.tensor([rates.rate, rates.floor, rates.momentum, rates.decay]))
        if self._move is None:

            def work() -> None:
                latents_torch.adam(
                    self._latents, self._first, self._second, self._slopes, self._chain, self._rates
                )  # fmt: skip

            self._move = _recorded(work, self._pool, 0)  # each run moves latents
        self._move()

    def latents(self) -> Floats:
        found: Floats = self._latents.cpu().numpy().copy()
        return found


def _recorded(work: Callable[[], None], pool: tuple[int, int] | None, warm_ups: int) -> Callable[[], None]:
    """`work` on fixed tensors, replayed without the time that it takes to launch its parts; itself without a pool."""
    if pool is None:
        return work
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(warm_ups):
            work()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool):
        work()
    replay: Callable[[], None] = graph.replay
    return replay
