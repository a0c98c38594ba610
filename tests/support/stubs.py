"""Profiles that store the picture itself: the route in milliseconds, for tests of what surrounds the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fourcodec.bitstream import container, varint, zstd
from fourcodec.bitstream.container import Section
from fourcodec.errors import CorruptFileError
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.grid.fit import fit as grid_fit
from fourcodec.images import pixels
from fourcodec.optimisation.progress import Progress
from fourcodec.profiles import FNET, GRID, PROFILES, Profile
from fourcodec.views import Lattice, whole


@dataclass(frozen=True)
class StubNetwork:
    config: Any
    samples: np.ndarray  # uint16, (H, W) or (H, W, 3)


def fit(
    planes: np.ndarray,
    config: Any,
    settings: Any,
    *,
    seed: int,
    device: str,
    report: Any,
    visible: Any,
    start: Any = None,
) -> StubNetwork:
    if report is not None:
        report(Progress(iteration=1, iterations=1, loss=0.5, psnr_db=3.0, seconds_left=41.0))
    samples = pixels.from_planes(planes, 16)
    if seed:  # an inexact copy
        samples = samples // 2056 * 2056
    return StubNetwork(config, samples)


class StubProfile:
    """In place of a profile's module, and under its name and id: the picture itself in one section.

    What the header says of the network is the real profile's, as far as its architecture fields are always there;
    `facts` are the names of what `describe` shows of it.
    """

    def __init__(self, real: Profile[Any, Any], field_count: int, facts: tuple[str, ...]) -> None:
        self.PROFILE_ID, self.NAME, self.SECTION_NAMES = real.PROFILE_ID, real.NAME, {0: "samples"}
        self._field_count, self._facts = field_count, facts
        self.read_config, self.memory_pixels = real.read_config, real.memory_pixels

    def pack(self, network: StubNetwork) -> tuple[dict[str, Any], list[Section]]:
        plain = network.samples.tobytes()
        payload = varint.write(len(plain)) + zstd.compress(plain)
        fields = network.config.header_fields
        # The order of fnet is left out, so that the length of a file tells nothing of the network's size, and with it
        # the trained start, which is for networks of an order.
        if len(fields["architecture"]) > self._field_count:
            fields |= {"architecture": fields["architecture"][: self._field_count], "prior": 0}
        return fields, [Section(0, container.CODER_ZSTD, payload)]

    def unpack(self, config: Any, sections: Sequence[Section], lattice: Lattice | None = None) -> StubNetwork:
        section = container.by_kind(sections, self.SECTION_NAMES).get(0)
        if section is None:
            raise CorruptFileError("section 'samples' is missing")
        size_bytes, at = varint.read(section.payload, 0)
        return StubNetwork(config, np.frombuffer(zstd.decompress(section.payload[at:], size_bytes), np.uint16))

    def render(
        self, network: StubNetwork, size: tuple[int, int], device: str, lattice: Lattice | None = None
    ) -> np.ndarray:
        lattice = lattice or whole(size[1], size[0])
        rows = (lattice.top + (np.arange(lattice.rows) + 0.5) * lattice.row_pitch).astype(int)
        columns = (lattice.left + (np.arange(lattice.columns) + 0.5) * lattice.column_pitch).astype(int)
        return pixels.to_planes(network.samples.reshape(*size, -1))[:, rows][:, :, columns]

    def same(self, first: StubNetwork, second: StubNetwork) -> bool:
        return np.array_equal(first.samples.ravel(), second.samples.ravel())

    def multiplications(self, config: Any, lattice: Lattice) -> int:
        return lattice.count

    def describe(self, config: Any, sections: Sequence[Section]) -> dict[str, Any]:
        return {name: getattr(config, name) for name in self._facts}

    def bits_by_part(self, network: StubNetwork, sections: Sequence[Section]) -> dict[str, list[tuple[str, float]]]:
        return {}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the codec use stubs in place of `grid` and `fnet`, under the same names and ids."""
    fnet: Profile[Any, Any] = StubProfile(FNET, 2, ("width", "depth"))
    grid: Profile[Any, Any] = StubProfile(GRID, 4, ("levels", "order"))
    for stub in (fnet, grid):
        monkeypatch.setitem(PROFILES, stub.PROFILE_ID, stub)
    monkeypatch.setattr(fnet_fit, "fit", fit)
    monkeypatch.setattr(grid_fit, "fit", fit)
