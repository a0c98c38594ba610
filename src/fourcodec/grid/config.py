"""The configuration of an image of the profile grid, as its header states it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from fourcodec.bitstream.container import Header
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.grid import trained_starts
from fourcodec.grid.kernels import layout
from fourcodec.grid.pyramid import MAX_LEVELS, Pyramid, level_count
from fourcodec.grid.tiling import MAX_TILES, UNIT, Tiling, tile_side
from fourcodec.grid.weights import GridShape

MAX_ORDER = 3
ORDER = 2  # largest order of the frequencies that encoders use
PHASE_STEPS = 4  # per octave of the phase scale
MAX_PHASE = 63
MAX_HIDDEN = layout.HIDDEN


@dataclass(frozen=True)
class GridConfig:
    """The configuration of an image.

    height, width in pixels; channels 1 or 3; levels 1..9; order 0..3, of the synthesis; hidden 1..16, units of the
    entropy model; phase 0..63, see phase_scale; trained_start: the number of a trained start of the entropy model, or
    0; tiles: the side of tiles in units of 64 pixels, 0 for none; smooth: True if latents are smoothed before use.
    Raises ValueError for a value out of range.
    """

    height: int
    width: int
    channels: int
    levels: int
    order: int
    hidden: int
    phase: int
    trained_start: int = 0
    tiles: int = 0
    smooth: bool = False

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels are 1 or 3, not {self.channels}")
        for name, value, least, largest in (
            ("levels", self.levels, 1, MAX_LEVELS),
            ("order", self.order, 0, MAX_ORDER),
            ("hidden", self.hidden, 1, MAX_HIDDEN),
            ("phase", self.phase, 0, MAX_PHASE),
        ):
            if not least <= value <= largest:
                raise ValueError(f"{name} is {least} to {largest}, not {value}")
        if self.trained_start and self.trained_start not in trained_starts.trained_starts():
            raise ValueError(f"the trained start {self.trained_start} is unknown")
        if self.tiling.count > MAX_TILES:
            raise ValueError(f"tiles are at most {MAX_TILES}, not {self.tiling.count}")

    @property
    def phase_scale(self) -> float:
        """The change in turns that a latent of 1 makes to a phase of the first Fourier layer."""
        return 2.0 ** (-self.phase / PHASE_STEPS)

    @property
    def architecture(self) -> tuple[int, ...]:
        """The header's architecture fields."""
        fields = self.levels, self.order, self.hidden, self.phase
        return (*fields, 1) if self.smooth else fields

    @property
    def header_fields(self) -> dict[str, Any]:
        """The fields of container.Header that state this configuration, beside the image's size; read_config is the
        inverse."""
        return {"architecture": self.architecture, "prior": self.trained_start, "tiles": self.tiles}

    @cached_property
    def shape(self) -> GridShape:
        """The shape of the networks, which all tiles share."""
        return _shape_of(self.levels, self.order, self.hidden, self.channels, self.trained_start, self.smooth)

    @cached_property
    def pyramid(self) -> Pyramid:
        """The levels of an image without tiles; where there are tiles, `of_tile(n)` has those of each."""
        return Pyramid(self.height, self.width, self.levels)

    @cached_property
    def tiling(self) -> Tiling:
        """An image without tiles is one tile: its side is a power of two, so that every reduction divides it."""
        side = UNIT * self.tiles or (1 << max(MAX_LEVELS, max(self.height, self.width).bit_length()))
        return Tiling(self.height, self.width, side)

    @cached_property
    def latent_count(self) -> int:
        """The number of latents of all tiles together."""
        return sum(self.of_tile(number).pyramid.latent_count for number in range(self.tiling.count))

    def of_tile(self, number: int) -> GridConfig:
        """The configuration of one tile as an image of its own."""
        if not self.tiles:
            return self
        tile = self.tiling.tile(number)
        return dataclasses.replace(self, height=tile.rows, width=tile.columns, tiles=0)

    def reduced(self, halvings: int) -> GridConfig:
        """The configuration of an image without tiles at 1:2^halvings: it lacks the `halvings` finest levels."""
        pyramid = self.pyramid.reduced(halvings)
        return dataclasses.replace(self, height=pyramid.height, width=pyramid.width, levels=pyramid.count)


@lru_cache(maxsize=16)
def _shape_of(levels: int, order: int, hidden: int, channels: int, trained_start: int, smooth: bool) -> GridShape:
    """The shape of the networks, cached, so that all tiles share one object and its cached properties."""
    return GridShape(levels, order, hidden, channels, trained_start, smooth)


def config_for(height: int, width: int, channels: int, phase: int, trained_start: int) -> GridConfig:
    """The configuration that encoders use. It has all hidden units of the entropy model, since weights that stay at the
    trained start cost next to nothing."""
    side = tile_side(height, width)
    levels = level_count(min(height, side or height), min(width, side or width))
    return GridConfig(
        height, width, channels, levels, ORDER, MAX_HIDDEN, phase, trained_start, side // UNIT, smooth=True
    )


def read_config(header: Header) -> GridConfig:
    """The configuration that a header states. Raises CorruptFileError, and UnsupportedFormatError for a trained start
    that this version does not have."""
    if header.coordinates or header.activation:
        raise CorruptFileError("profile grid uses neither coordinates nor an activation")
    architecture, smooth = header.architecture[:4], header.architecture[4:]
    if len(architecture) != 4:
        raise CorruptFileError(f"profile grid has 4 architecture fields or 5, the header {len(architecture)}")
    if smooth not in ((), (1,)):
        shown = ", ".join(map(str, smooth))
        raise CorruptFileError(f"the architecture field after four of profile grid is 1, not {shown}")
    if header.prior and header.prior not in trained_starts.trained_starts():
        raise UnsupportedFormatError(f"the file needs the trained start {header.prior}, unknown to this version")
    try:
        return GridConfig(
            header.height,
            header.width,
            header.colour_channels,
            *architecture,
            header.prior,
            header.tiles,
            bool(smooth),
        )
    except ValueError as exc:
        raise CorruptFileError(f"the header is invalid: {exc}") from exc
