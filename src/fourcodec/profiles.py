"""The interface that profiles implement, and the table of profiles by their number in the header.

A profile is a module. `Config` is the configuration of its networks, read from the header; `Network` is an image as
integers. The modules import neither numba nor torch at their top level, so that files can be inspected without them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream.container import Header, Section
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.grid import profile as grid
from fourcodec.grid.config import GridConfig
from fourcodec.grid.picture import QuantizedGrid
from fourcodec.views import Lattice

Config = TypeVar("Config")
Network = TypeVar("Network")


class Profile(Protocol[Config, Network]):
    """The functions of a profile on its own header fields and sections; alpha and metadata are not among them."""

    @property
    def PROFILE_ID(self) -> int:
        """The number in the header, 1..15."""

    @property
    def NAME(self) -> str:
        """The name of the profile, for people."""

    @property
    def SECTION_NAMES(self) -> Mapping[int, str]:
        """The kinds of the profile's sections, with names for people."""

    def read_config(self, header: Header, /) -> Config:
        """The configuration that a header states; done once for a file. Raises CorruptFileError and
        UnsupportedFormatError."""

    def pack(self, network: Network, /) -> tuple[dict[str, Any], list[Section]]:
        """The fields of container.Header that belong to the profile, and the sections. Raises ValueError for integers
        out of range."""

    def unpack(self, config: Config, sections: Sequence[Section], lattice: Lattice | None = None, /) -> Network:
        """The inverse of pack: all integers, or those that a lattice needs. Unknown ancillary sections are skipped.

        Raises CorruptFileError and UnsupportedFormatError.
        """

    def render(
        self, network: Network, size: tuple[int, int], device: str, lattice: Lattice | None = None, /
    ) -> NDArray[np.float32]:
        """The image of (height, width) on a lattice, at every pixel unless given: (1 or 3, rows, columns) float32,
        about [0, 1], not clamped. `device` is "cpu" or "cuda"."""

    def unpack_beginning(
        self, config: Config, sections: Sequence[Section], missing_bytes: int, /
    ) -> tuple[Network, int, str]:
        """The content of a file that ends too early, whose last section lacks `missing_bytes`; the r of the size
        1:2^r that its image has; and the content in words. Raises as `unpack`, and CorruptFileError where there is
        too little."""

    def render_beginning(self, network: Network, size: tuple[int, int], reduction: int, /) -> NDArray[np.float32]:
        """The image of (height, width) at 1:2^reduction from what `unpack_beginning` found, as `render` gives it."""

    def same(self, first: Network, second: Network, /) -> bool:
        """True if all integers are equal."""

    def multiplications(self, config: Config, lattice: Lattice, /) -> int:
        """An upper bound on the multiplications of `unpack` and `render`, known before either."""

    def memory_pixels(self, config: Config, /) -> int:
        """The number of pixels of a square image that takes as much memory to decode; 0 where the image's own number of
        pixels says it."""

    def describe(self, config: Config, sections: Sequence[Section], /) -> dict[str, Any]:
        """Facts for `info`, without decoding, as JSON types."""

    def bits_by_part(self, network: Network, sections: Sequence[Section], /) -> dict[str, list[tuple[str, float]]]:
        """Bits by section and part, both by name; sections that cannot be split are left out. `network` is the whole
        content of the sections."""


FNET: Profile[FnetConfig, QuantizedFnet] = fnet
GRID: Profile[GridConfig, QuantizedGrid] = grid
# Files that hold the latent of a generative model (generative/latent_codec.py). The table has no such profile, since
# they are decoded with their model alone.
MODEL_PROFILE = 3
PROFILES: dict[int, Profile[Any, Any]] = {profile.PROFILE_ID: profile for profile in (FNET, GRID)}
