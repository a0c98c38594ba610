"""The noisy phase of grid/fit/latents.py on a torch device, for CUDA. Latents and their optimiser stay on the device;
the optimisers of the networks, which are small, stay in numpy."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from fourcodec.arrays import Floats
from fourcodec.grid.config import GridConfig
from fourcodec.grid.cuda import proxy as latents_torch
from fourcodec.grid.cuda.error_form import TorchForm
from fourcodec.grid.cuda.network import TorchGridGradient
from fourcodec.grid.error_form import ErrorForm
from fourcodec.grid.fit.latents import Gradient, NoisyFit, Proxy, Rates
from fourcodec.grid.kernels.latents import noise_keys
from fourcodec.grid.weights import GridWeights


class TorchSpace:
    """The Space of grid/fit/latents.py on a torch device."""

    def __init__(self, config: GridConfig, device: str) -> None:
        self.network: TorchGridGradient = TorchGridGradient(config.pyramid, config.shape, config.phase_scale, device)

    def send(self, values: Floats) -> Tensor:
        """Implements `Space.send`: the values as a tensor on the device."""
        return self.network.send(values)

    def send_form(self, form: ErrorForm, target: Floats) -> TorchForm:
        """Implements `Space.send_form`."""
        return TorchForm.of(form, target, self.network.send)

    def noisy(self, latents: Floats, target: Tensor, visible: Tensor | None, form: TorchForm | None) -> NoisyFit:
        """Implements `Space.noisy`."""
        return _TorchNoisyFit(self.network, latents, target, visible, form)


class _TorchNoisyFit:
    """The NoisyFit of grid/fit/latents.py on a torch device. Recorded work reads and writes fixed tensors, so values
    are copied into them."""

    def __init__(
        self,
        network: TorchGridGradient,
        latents: Floats,
        target: Tensor,
        visible: Tensor | None,
        form: TorchForm | None,
    ) -> None:
        self._network, self._target, self._visible, self._form = network, target, visible, form
        self._latents = network.send(latents).clone()  # on the device "cpu" it would share memory with `latents`
        self._first, self._second = torch.zeros_like(self._latents), torch.zeros_like(self._latents)
        self._proxy_derivative = torch.zeros_like(self._latents)
        self._keys = torch.zeros((len(latents), 2), dtype=torch.int64, device=network.device)
        self._proxy, self._rates = self._latents.new_zeros(2), self._latents.new_zeros(4)

    def perturb(self, proxy: Proxy) -> None:
        self._keys.copy_(torch.from_numpy(noise_keys(*proxy.stream).astype(np.int64)))
        self._proxy.copy_(torch.tensor([proxy.temperature, proxy.deviation]))
        self._show()

    def gradient(self, weights: GridWeights, distortion_weight: float, turn: int | None = None) -> Gradient:
        self._network.visible, self._network.form = self._visible, self._form
        return self._network.gradient_of_shown(weights, self._target, distortion_weight)

    def move(self, rates: Rates) -> None:
        self._rates.copy_(torch.tensor([rates.rate, rates.floor, rates.momentum, rates.decay]))
        self._move()

    def latents(self) -> Floats:
        found: Floats = self._latents.cpu().numpy().copy()
        return found

    @cached_property
    def _show(self) -> Callable[[], None]:
        network = self._network

        def work() -> None:
            noisy, derivative = latents_torch.perturb(self._latents, network.mask, self._proxy, self._keys)
            network.shown.copy_(noisy)
            self._proxy_derivative.copy_(derivative)

        return network.recorder.record(work)

    @cached_property
    def _move(self) -> Callable[[], None]:
        def work() -> None:
            latents_torch.adam(
                self._latents, self._first, self._second, self._network.pulled, self._proxy_derivative, self._rates
            )  # fmt: skip

        return self._network.recorder.record(work, again=False)
