"""The interface that a fit uses of the grid's network, on the CPU (numba) and on CUDA (torch): numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.pyramid import Pyramid
from fourcodec.grid.weights import GridWeights


class GridBackend(Protocol):
    """The network with gradients. GridGradient in grid/gradient.py describes the members; on CUDA targets, `visible`
    and `form` are of tensors, see TorchGridGradient. With a form, "squared errors" are its value."""

    pyramid: Pyramid
    planes: Floats
    latent_gradients: Floats
    latents: list[Floats]
    visible: Any
    form: Any

    def gradient(
        self, weights: GridWeights, target: Any, distortion_weight: float, *, turn: int | None = None
    ) -> tuple[float, NDArray[np.float64], GridWeights]:
        """The sum of squared errors against target (channels, height, width), the bits (levels, PASSES), and the
        gradient of distortion_weight * squares + bits by the weights. The gradient by the latents is left in
        latent_gradients. `turn`: if not None, gradients by weights may be unbiased estimates, other ones for each
        turn."""

    def squared_error(self, weights: GridWeights, target: Any) -> float:
        """The sum of squared errors against target (channels, height, width), with the latents in planes[:PASSES]."""

    def costs(
        self, weights: GridWeights, target: Any, distortion_weight: float, levels: Sequence[int]
    ) -> tuple[Floats, Floats]:
        """The cost of each pixel, (height, width), distortion_weight times its squared error, and the bits of each
        latent of `levels`, (PASSES, total); both float32."""

    def latent_bits(self, parameters: Floats) -> float:
        """The bits of the latents in planes[:PASSES] under an entropy model with these parameters (SIZE,)."""

    def arrange(self) -> None:
        """Computes each level's latents from planes[:PASSES]."""
