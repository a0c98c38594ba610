"""The shape of a Fourier network and where its coefficients lie. No numba, no torch: `info` reads it too.

    2 -> m, then depth - 1 layers m -> m with `+ x`, then m -> channels

All coefficients live in one flat vector, layer after layer, each layer as (frequencies, 2, outputs): see
fourier/layer.py, and fourier/limited.py where frequencies of more than `order` ones are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class LayerShape:
    """One layer: `inputs` -> `outputs`, over the frequencies of at most `order` ones (all, where that is `inputs`); its
    coefficients at [offset, offset + size) of the flat vector."""

    inputs: int
    outputs: int
    residual: bool
    offset: int
    order: int

    @property
    def frequency_count(self) -> int:
        return sum(math.comb(self.inputs, ones) for ones in range(self.order + 1))

    @property
    def size(self) -> int:
        return 2 * self.outputs * self.frequency_count

    @property
    def span(self) -> slice:
        return slice(self.offset, self.offset + self.size)


@dataclass(frozen=True)
class NetworkShape:
    """Width m, depth D, channels C: 2*(4m + (D-1)*m*2^m + C*2^m) coefficients; fewer where `order` leaves out the
    frequencies of more ones."""

    width: int
    depth: int
    channels: int
    order: int | None = None

    @cached_property
    def layers(self) -> tuple[LayerShape, ...]:
        m = self.width
        sizes = [(2, m, False)] + [(m, m, True)] * (self.depth - 1) + [(m, self.channels, False)]
        layers: list[LayerShape] = []
        for inputs, outputs, residual in sizes:
            offset = layers[-1].span.stop if layers else 0
            order = inputs if self.order is None else min(self.order, inputs)
            layers.append(LayerShape(inputs, outputs, residual, offset, order))
        return tuple(layers)

    @property
    def coefficient_count(self) -> int:
        return self.layers[-1].span.stop

    @property
    def output_count(self) -> int:
        """Outputs of all layers together: each has a quantiser step of its own."""
        return sum(layer.outputs for layer in self.layers)
