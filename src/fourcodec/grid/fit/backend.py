"""The interface that a fit uses of the grid's network, on the CPU (numba) and on CUDA (torch): numpy in, numpy out."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.pyramid import Pyramid
from fourcodec.grid.weights import GridWeights


class GridBackend(Protocol):
    """The network with gradients. GridGradient in grid/network.py describes the members; on CUDA targets and `visible`
    are tensors, see TorchGridGradient."""

    pyramid: Pyramid
    planes: Floats
    latent_gradients: Floats
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
