"""Profiles that store the picture itself: the route in milliseconds, for tests of what surrounds the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fourcodec import codec, encoder
from fourcodec.bitstream import container, zstd
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.grid.fit import fit as grid_fit
from fourcodec.images import pixels
from fourcodec.optimisation.progress import Progress
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


def pack(network: StubNetwork) -> tuple[tuple[int, ...], list[Section]]:
    sections = [Section(0, container.CODER_ZSTD, zstd.compress(network.samples.tobytes()))]
    config = network.config
    fields = ("width", "depth") if isinstance(config, codec.fnet.FnetConfig) else ("levels", "order")
    return tuple(getattr(config, field) for field in fields), sections


def unpack(header: Header, sections: Sequence[Section], lattice: Lattice | None = None) -> StubNetwork:
    section = container.by_kind(sections, {0: "samples"}).get(0)
    if section is None:
        raise CorruptFileError("section 'samples' is missing")
    shape = (header.height, header.width, header.colour_channels)
    samples = np.frombuffer(zstd.decompress(section.payload, 2 * int(np.prod(shape))), np.uint16).reshape(shape)
    return StubNetwork(None, samples)


def render(network: StubNetwork, size: tuple[int, int], device: str, lattice: Lattice | None = None) -> np.ndarray:
    lattice = lattice or whole(size[1], size[0])
    rows = (lattice.top + (np.arange(lattice.rows) + 0.5) * lattice.row_pitch).astype(int)
    columns = (lattice.left + (np.arange(lattice.columns) + 0.5) * lattice.column_pitch).astype(int)
    return pixels.to_planes(network.samples)[:, rows][:, :, columns]


def multiplications(header: Header, lattice: Lattice) -> int:
    return lattice.count


def memory_pixels(header: Header) -> int:
    return header.width * header.height


def same(first: StubNetwork, second: StubNetwork) -> bool:
    return np.array_equal(first.samples.ravel(), second.samples.ravel())


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the codec use stubs in place of `grid` and `fnet`, under the same names and ids."""
    grid = _stub_of(codec.grid, ("levels", "order"), memory_of=codec.grid.memory_of)
    fnet = _stub_of(codec.fnet, ("width", "depth"), FnetConfig=codec.fnet.FnetConfig)
    for module in (codec, encoder):
        monkeypatch.setattr(module, "grid", grid)
        monkeypatch.setattr(module, "fnet", fnet)
    monkeypatch.setattr(encoder, "tiled", grid)
    monkeypatch.setattr(codec, "PROFILES", {profile.PROFILE_ID: profile for profile in (grid, fnet)})
    monkeypatch.setattr(fnet_fit, "fit", fit)
    monkeypatch.setattr(grid_fit, "fit", fit)


def _stub_of(real: Any, fields: tuple[str, str], **others: Any) -> SimpleNamespace:
    """In place of a profile's module; `fields` name its architecture's."""

    def describe(header: Header, sections: Sequence[Section]) -> dict[str, Any]:
        return dict(zip(fields, header.architecture, strict=True))

    return SimpleNamespace(
        PROFILE_ID=real.PROFILE_ID,
        NAME=real.NAME,
        SECTION_NAMES={0: "samples"},
        pack=pack,
        unpack=unpack,
        render=render,
        multiplications=multiplications,
        same=same,
        memory_pixels=memory_pixels,
        describe=describe,
        **others,
    )
