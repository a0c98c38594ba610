"""The configuration of profile 1, `fnet`, as the header states it, and its network as integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream.container import Header
from fourcodec.cells import Grid
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.fnet.trained_starts import trained_starts
from fourcodec.fourier.layout import LINEAR
from fourcodec.fourier.shape import NetworkShape
from fourcodec.positions import PIXEL_CENTRES

MAX_WIDTH, MAX_DEPTH = 10, 16
MAX_COEFFICIENTS = 1 << 22  # of the networks of all cells: a header's fields must not make a reader take more memory


@dataclass(frozen=True)
class FnetConfig:
    """The size of a network, and the form of its inputs and outputs.

    width 1..10, depth 1..16, channels 1 or 3. order: the most non-zero components of a frequency, 1..width-1, or None
    where that is not limited. coordinates, activation: the header's numbers for the inputs and outputs. cells: those
    of the picture; several need coordinates that do not count pixels, and wide ones an order that is not limited.
    prior: the number of the trained start that symbols are coded around, 0 for none. Raises ValueError for a size, an
    order or cells out of range, and for a trained start that is unknown or of another size.
    """

    width: int
    depth: int
    channels: int
    order: int | None = None
    coordinates: int = PIXEL_CENTRES
    activation: int = LINEAR
    cells: Grid = Grid()  # noqa: RUF009
    prior: int = 0

    def __post_init__(self) -> None:
        for name, value, largest in (("width", self.width, MAX_WIDTH), ("depth", self.depth, MAX_DEPTH)):
            if not 1 <= value <= largest:
                raise ValueError(f"{name} is 1 to {largest}, not {value}")
        if self.channels not in (1, 3):
            raise ValueError(f"channels are 1 or 3, not {self.channels}")
        if self.order is not None and not 1 <= self.order < self.width:
            raise ValueError(f"an order that limits width {self.width} is 1 to {self.width - 1}, not {self.order}")
        if self.prior and self.prior not in trained_starts():
            raise ValueError(f"there are trained starts 1 to {len(trained_starts())}, not {self.prior}")
        if self.prior and trained_starts()[self.prior].size != self.size:
            raise ValueError(f"the trained start {self.prior} is for networks of another size")
        if self.cells.count == 1:
            return
        if self.coordinates != PIXEL_CENTRES:
            raise ValueError("several cells have coordinates at pixel centres")
        if self.order is not None and not self.cells.narrow:
            raise ValueError("several wide cells have no limited order")
        if self.coefficient_count > MAX_COEFFICIENTS:
            raise ValueError(f"{self.cells.count} cells have more than {MAX_COEFFICIENTS} coefficients")

    @classmethod
    def of_size(cls, size: Sequence[int], channels: int, **others: int) -> FnetConfig:
        """The inverse of `size`; `others` are coordinates, activation and prior. Raises ValueError."""
        width, depth, *more = size
        if len(more) < 2:
            return cls(width, depth, channels, more[0] if more else None, **others)  # type: ignore[arg-type]
        *orders, rows, columns = more
        if rows * columns == 1:
            raise ValueError("a picture of one cell does not state it")
        order = orders[0] if orders and orders[0] != width else None
        return cls(width, depth, channels, order, cells=Grid(rows, columns, narrow=bool(orders)), **others)  # type: ignore[arg-type]

    @property
    def size(self) -> tuple[int, ...]:
        """The header's architecture fields: width and depth; then the order if it is limited, or if there are narrow
        cells; then the rows and columns of cells if there are several."""
        if self.cells.count > 1:
            orders = (self.order or self.width,) if self.cells.narrow else ()
            return (self.width, self.depth, *orders, self.cells.rows, self.cells.columns)
        return (self.width, self.depth) if self.order is None else (self.width, self.depth, self.order)

    @property
    def header_fields(self) -> dict[str, Any]:
        """The fields of container.Header that state this configuration, beside the image's size; read_config is the
        inverse."""
        return {
            "architecture": self.size,
            "coordinates": self.coordinates,
            "activation": self.activation,
            "prior": self.prior,
        }

    @property
    def shape(self) -> NetworkShape:
        """The shape of the network, or of that of each cell."""
        return NetworkShape(self.width, self.depth, self.channels, self.order)

    @property
    def coefficient_count(self) -> int:
        """The number of coefficients, of all cells together."""
        return self.cells.count * self.shape.coefficient_count

    @property
    def step_sets(self) -> int:
        """The number of sets of step indices: each narrow cell has its own, wide cells share one."""
        return self.cells.count if self.cells.narrow else 1

    @property
    def step_count(self) -> int:
        """The number of step indices."""
        return self.step_sets * self.shape.output_count


@dataclass(frozen=True)
class QuantizedFnet:
    """A network as integers.

    step_indices (step_count,) uint8, cell after cell where each has its own: see quantize.py; symbols
    (coefficient_count,) int32, in the order of the flat coefficient vector, cell after cell: what coefficients are in
    steps, whatever the trained start.
    """

    config: FnetConfig
    step_indices: NDArray[np.uint8]
    symbols: NDArray[np.int32]

    def by_cell(self) -> list[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
        """The step indices of the outputs of all layers, and the symbols, of each cell's network: views, one pair for a
        cell."""
        count, sets = self.config.cells.count, self.step_indices.reshape(self.config.step_sets, -1)
        return list(zip(np.broadcast_to(sets, (count, sets.shape[1])), self.symbols.reshape(count, -1), strict=True))


def read_config(header: Header) -> FnetConfig:
    """The configuration that a header states. Raises CorruptFileError, and UnsupportedFormatError where it asks for a
    trained start that this version does not have, or for tiles, which it does not know of this profile."""
    if header.tiles:
        raise UnsupportedFormatError("the file is tiled, which this version knows only of the profile grid")
    if header.prior and header.prior not in trained_starts():
        raise UnsupportedFormatError(f"the file needs the trained start {header.prior}, unknown to this version")
    if not 2 <= len(header.architecture) <= 5:
        raise CorruptFileError(f"profile fnet has 2 to 5 architecture fields, the header {len(header.architecture)}")
    try:
        return FnetConfig.of_size(
            header.architecture,
            header.colour_channels,
            coordinates=header.coordinates,
            activation=header.activation,
            prior=header.prior,
        )
    except ValueError as exc:
        raise CorruptFileError(f"the header is invalid: {exc}") from exc
