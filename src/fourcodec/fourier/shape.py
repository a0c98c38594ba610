"""The shape of a Fourier network and the place of its coefficients. Loads neither numba nor torch, since the command
`info` needs it too.

    2 -> m, then depth - 1 layers m -> m with `+ x`, then m -> channels

All coefficients lie in one flat vector, layer after layer, each layer as (frequencies, 2, outputs): see
fourier/layer.py, and fourier/limited.py for layers of limited order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class LayerShape:
    """One layer, `inputs` -> `outputs`, over the frequencies of order <= `order` (all, where that is `inputs`).

    Its coefficients are entries offset..offset + size - 1 of the flat vector.
    """

    inputs: int
    outputs: int
    residual: bool
    offset: int
    order: int

    @cached_property
    def frequency_count(self) -> int:
        """The number of frequencies, K."""
        return sum(math.comb(self.inputs, order) for order in range(self.order + 1))

    @cached_property
    def size(self) -> int:
        """The number of coefficients: a cosine and a sine for each frequency and output."""
        return 2 * self.outputs * self.frequency_count

    @cached_property
    def span(self) -> slice:
        """The layer's coefficients, as a slice of the flat vector."""
        return slice(self.offset, self.offset + self.size)


@dataclass(frozen=True)
class NetworkShape:
    """A network of width m, depth D and C channels. It has 2 (4m + (D-1) m 2^m + C 2^m) coefficients, or fewer where
    `order` leaves out the frequencies above it; None leaves out none."""

    width: int
    depth: int
    channels: int
    order: int | None = None

    @cached_property
    def layers(self) -> tuple[LayerShape, ...]:
        """The layers in order, with the places of their coefficients."""
        m = self.width
        sizes = [(2, m, False)] + [(m, m, True)] * (self.depth - 1) + [(m, self.channels, False)]
        layers: list[LayerShape] = []
        for inputs, outputs, residual in sizes:
            offset = layers[-1].span.stop if layers else 0
            order = inputs if self.order is None else min(self.order, inputs)
            layers.append(LayerShape(inputs, outputs, residual, offset, order))
        return tuple(layers)

    @cached_property
    def coefficient_count(self) -> int:
        """The number of coefficients of all layers together."""
        return self.layers[-1].span.stop

    @cached_property
    def output_count(self) -> int:
        """The number of outputs of all layers together. Each output has a quantiser step of its own."""
        return sum(layer.outputs for layer in self.layers)


def share_size(networks: int, positions: int) -> int:
    """The number of positions for each of several networks that share them equally. Raises ValueError where they
    cannot."""
    if positions % networks:
        raise ValueError(f"{positions} positions cannot be shared equally among {networks} networks")
    return positions // networks
