"""A profile that stores the picture itself: the route in milliseconds, for tests of what surrounds the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fourcodec import codec, fitting, pixels
from fourcodec.bitstream import container, zstd
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError


@dataclass(frozen=True)
class StubNetwork:
    config: Any
    samples: np.ndarray  # uint8, (H, W) or (H, W, C)


def fit(planes: np.ndarray, config: Any, settings: Any, *, seed: int, device: str, report: Any) -> StubNetwork:
    if report is not None:
        report(SimpleNamespace(step=1, steps=1, loss=0.5, psnr_db=3.0, seconds_left=61.0))
    samples = pixels.from_planes(planes)
    if seed:  # an inexact copy
        samples = samples // 8 * 8
    return StubNetwork(config, samples)


def pack(network: StubNetwork) -> tuple[tuple[int, ...], list[Section]]:
    sections = [Section(0, container.CODER_ZSTD, zstd.compress(network.samples.tobytes()))]
    return (network.config.width, network.config.depth), sections


def unpack(header: Header, sections: Sequence[Section]) -> StubNetwork:
    section = container.by_kind(sections, {0: "samples"}).get(0)
    if section is None:
        raise CorruptFileError("section 'samples' is missing")
    shape = (header.height, header.width, header.channels)
    samples = np.frombuffer(zstd.decompress(section.payload, int(np.prod(shape))), np.uint8).reshape(shape)
    return StubNetwork(None, samples)


def render(network: StubNetwork, size: tuple[int, int], device: str) -> np.ndarray:
    return pixels.to_planes(network.samples)


def describe(header: Header, sections: Sequence[Section]) -> dict[str, Any]:
    return {"width": header.architecture[0], "depth": header.architecture[1]}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the codec use this profile in place of `fnet`, under the same name and id."""
    real = codec.fnet
    profile = SimpleNamespace(
        PROFILE_ID=real.PROFILE_ID,
        NAME=real.NAME,
        FnetConfig=real.FnetConfig,
        pack=pack,
        unpack=unpack,
        render=render,
        describe=describe,
    )
    monkeypatch.setattr(codec, "fnet", profile)
    monkeypatch.setattr(codec, "PROFILES", {real.PROFILE_ID: profile})
    monkeypatch.setattr(fitting, "fit", fit)
