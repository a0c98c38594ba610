"""The interface to the network on the CPU (numba) and on CUDA (torch): numpy in, numpy out."""

from __future__ import annotations

from typing import Protocol

from fourcodec.arrays import Floats
from fourcodec.fourier.shape import NetworkShape


class Backend(Protocol):
    """A device's implementation of the functions of fnet/network.py, which describes them."""

    def evaluate(self, shape: NetworkShape, coefficients: Floats, x: Floats) -> Floats:
        """The network's values (channels, N) float32 at positions x (2, N)."""

    def mse_gradient(
        self, shape: NetworkShape, coefficients: Floats, x: Floats, target: Floats
    ) -> tuple[float, Floats]:
        """The mean squared error against target (channels, N), and the sum of its gradients by all rows of
        coefficients, flat float32.

        coefficients: (rows, count). Each row is a network for its own share of the positions, N / rows of them: the
        first row for the first ones, and so on. Raises ValueError where N is not divisible by the number of rows.
        """

    def sensitivities(
        self, shape: NetworkShape, coefficients: Floats, x: Floats, signs: Floats
    ) -> list[tuple[Floats, Floats]]:
        """The inputs (inputs, N) of each layer, and the derivatives (outputs, N) by its outputs of the network's values
        at the same position, summed over channels with `signs` (channels, N) of random -1 and +1; float32."""

    def output_shifts(self, shape: NetworkShape, coefficients: Floats, direction: Floats, x: Floats) -> list[float]:
        """The root mean square change of each layer's outputs at x (2, N), if `direction` were added to that layer's
        coefficients alone."""


def backend_of(device: str) -> Backend:
    """The Backend for "cpu", the compiled kernels on this process's cores, which imports no torch, or for a device of
    torch."""
    if device == "cpu":
        from fourcodec.fnet import network

        return network
    from fourcodec.fnet.network_torch import TorchBackend

    return TorchBackend(device)
