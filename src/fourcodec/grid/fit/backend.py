"""What a fit asks of the grid's network, on the CPU (numba) and on CUDA (torch) alike: numpy in, numpy out."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.pyramid import Pyramid
from fourcodec.grid.weights import GridWeights


class GridBackend(Protocol):
    """The grid with gradients: see GridGradient in grid/network.py, and TorchGridGradient for the form of targets and
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
