"""The networks behind one interface each for the CPU (numba) and CUDA (torch): numpy in, numpy out."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec.networks.grid_weights import GridWeights
from fourcodec.networks.pyramid import Pyramid
from fourcodec.networks.shape import NetworkShape

Floats = NDArray[np.float32]


class Backend(Protocol):
    """See networks/fourier.py for what each does."""

    def evaluate(self, shape: NetworkShape, coefficients: Floats, x: Floats) -> Floats: ...

    def mse_gradient(
        self, shape: NetworkShape, coefficients: Floats, x: Floats, target: Floats
    ) -> tuple[float, Floats]: ...

    def curvature(self, shape: NetworkShape, coefficients: Floats, x: Floats, signs: Floats) -> NDArray[np.float64]: ...

    def output_shifts(self, shape: NetworkShape, coefficients: Floats, direction: Floats, x: Floats) -> list[float]: ...


class CpuBackend:
    """The fused kernels on this process's cores."""

    def __init__(self) -> None:
        from fourcodec.kernels.threads import thread_count
        from fourcodec.networks import fourier

        self._fourier, self._threads = fourier, thread_count()

    def evaluate(self, shape: NetworkShape, coefficients: Floats, x: Floats) -> Floats:
        return self._fourier.evaluate(shape, coefficients, x, self._threads)

    def mse_gradient(
        self, shape: NetworkShape, coefficients: Floats, x: Floats, target: Floats
    ) -> tuple[float, Floats]:
        return self._fourier.mse_gradient(shape, coefficients, x, target, self._threads)

    def curvature(self, shape: NetworkShape, coefficients: Floats, x: Floats, signs: Floats) -> NDArray[np.float64]:
        return self._fourier.curvature(shape, coefficients, x, signs, self._threads)

    def output_shifts(self, shape: NetworkShape, coefficients: Floats, direction: Floats, x: Floats) -> list[float]:
        return self._fourier.output_shifts(shape, coefficients, direction, x)


def backend_of(device: str) -> Backend:
    """ "cpu" (imports no torch) or "cuda"."""
    if device == "cpu":
        return CpuBackend()
    from fourcodec.networks.fourier_torch import TorchBackend

    return TorchBackend(device)


class GridBackend(Protocol):
    """The grid with gradients: see GridGradient in networks/grid.py, and TorchGridGradient for the form of targets and
    of what is visible on CUDA."""

    pyramid: Pyramid
    planes: Floats
    slopes: Floats
    latents: list[Floats]
    visible: Any

    def gradient(
        self, weights: GridWeights, target: Any, distortion_weight: float, *, filters: bool
    ) -> tuple[float, NDArray[np.float64], GridWeights]: ...

    def squared_error(self, weights: GridWeights, target: Any) -> float: ...

    def costs(
        self, weights: GridWeights, target: Any, distortion_weight: float, levels: range
    ) -> tuple[Floats, Floats]: ...

    def latent_bits(self, weights: Floats) -> float: ...

    def arrange(self) -> None: ...
