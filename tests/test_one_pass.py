"""What a file costs beside its pixels: one parse, one pass of checksums, one conversion of each kind.

The counts are of calls that Python makes, whoever makes them and under whatever name a function was imported.
"""

import sys
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli, codec
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.grid import tiling
from fourcodec.grid.fit import fit as grid_fit
from fourcodec.grid.rendering import sampling
from fourcodec.limits import DEFAULT
from fourcodec.views import View
from tests.support.golden import GOLDEN
from tests.support.grids import random_picture

FILES = ["rgb-range", "fnet-rgba", "grid-rgb", "grid-rgba-16", "grid-smooth-tiled"]  # the last one has four tiles
PARSE = "fourcodec.bitstream.container:read"
COUNTED = {
    PARSE: "parses",
    "fourcodec.fnet.config:read_config": "configs",
    "fourcodec.grid.config:read_config": "configs",
    "fourcodec.fnet.coefficient_coding:decode_range": "network streams",
    "fourcodec.grid.weight_coding:decode_networks": "network streams",
    "fourcodec.grid.latent_coding:decode_latents": "latent streams",
    "fourcodec.fnet.rendering:coefficients_of": "weights",
    "fourcodec.grid.weights:GridShape.weights": "weights",
    "fourcodec.grid.latent_coding:EntropyModelIntegers.__post_init__": "entropy models",
    "fourcodec.grid.rendering:sampling": "samplings",
}


def counted(act: Callable[[], object]) -> Counter[str]:
    """How often `act` does what COUNTED names, and computes a checksum while it parses. What is kept from file to file,
    as the shapes of networks are, was there before."""
    act()
    sampling.cache_clear()
    counts: Counter[str] = Counter()
    parsing = [0]

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        name = f"{frame.f_globals.get('__name__')}:{frame.f_code.co_qualname}"
        if event == "c_call":
            if argument.__name__ == "crc32" and parsing[0]:
                counts["checksums"] += 1
        elif name == PARSE:
            parsing[0] += {"call": 1, "return": -1}.get(event, 0)
        if event == "call" and name in COUNTED:
            counts[COUNTED[name]] += 1

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        act()
    finally:
        sys.setprofile(before)
    return counts


def expected(name: str, *, looked_at: bool = False, bits: bool = False) -> dict[str, int]:
    """The counts for one file: decoded, only looked at, or its integers alone decoded, for the bits of its parts."""
    found = {"parses": 1, "checksums": 2, "configs": 1}  # the header's checksum and the payload's
    if looked_at:
        return found
    found["network streams"] = 1
    if name.startswith("grid"):
        found |= {"latent streams": 4 if "tiled" in name else 1, "weights": 1, "entropy models": 1}
        return found if bits else found | {"samplings": 1}
    return found if bits else found | {"weights": 1}


every_file = pytest.mark.parametrize("name", FILES)


@every_file
@pytest.mark.parametrize("view", [View(), View(scale=0.25), View(region=(3, 2, 9, 7))], ids=["whole", "small", "part"])
def test_decoding_does_everything_once(name: str, view: View) -> None:
    wanted = expected(name)
    if "tiled" in name and view.region:
        wanted["latent streams"] = 1
    assert counted(lambda: codec.decode(GOLDEN[name], view=view)) == wanted


@every_file
def test_looking_at_a_file_decodes_nothing(name: str) -> None:
    assert counted(lambda: codec.describe(GOLDEN[name])) == expected(name, looked_at=True)
    assert counted(lambda: codec.check_limits(GOLDEN[name])) == expected(name, looked_at=True)
    assert counted(lambda: codec.read_metadata(GOLDEN[name])) == {"parses": 1, "checksums": 2}


@every_file
def test_a_file_that_is_asked_for_everything_is_decoded_once(name: str) -> None:
    def ask() -> None:
        file = fourcodec.File(GOLDEN[name])
        file.describe(), file.metadata(), file.salvage_metadata(), file.check_limits(DEFAULT)
        file.pixels()
        assert file.integers is not None

    assert counted(ask) == expected(name)


@every_file
def test_commands_parse_and_decode_a_file_once(name: str, tmp_path: Path) -> None:
    source, target = tmp_path / "a.fnc", tmp_path / "a.npy"
    source.write_bytes(GOLDEN[name])

    def run(*arguments: object) -> Counter[str]:
        return counted(lambda: cli.run([str(argument) for argument in arguments]))

    assert run("decode", source, "-o", target, "-f") == expected(name)
    assert run("verify", source) == expected(name)
    assert run("info", source) == expected(name, looked_at=True)
    assert run("info", source, "--parts") == expected(name, bits=True)
    assert run("decode", tmp_path, "-o", tmp_path / "out", "-f", "--quiet") == expected(name)


@pytest.mark.parametrize("name", ["grid-rgb", "grid-rgba-16"])
def test_a_plot_needs_no_second_decoding(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.fnc").write_bytes(GOLDEN[name])
    command = ["info", "a.fnc", "--parts", "--plot", "a.png", "-f"]
    command = [str(tmp_path / word) if "." in word else word for word in command]
    assert counted(lambda: cli.run(command)) == expected(name, bits=True)


@every_file
def test_pillow_parses_a_file_once(name: str) -> None:
    fourcodec.register()
    assert counted(lambda: Image.open(BytesIO(GOLDEN[name])).load()) == expected(name)


@pytest.mark.parametrize("tiled", [False, True])
def test_encoding_decodes_its_file_once(tiled: bool, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fit's own integers have an entropy model, too: the one that codes them."""
    if tiled:
        monkeypatch.setattr(tiling, "TILED_PIXELS", 1000)
        monkeypatch.setattr(tiling, "_SIDES", [64])
        photo = np.tile(photo, (5, 3, 1))  # 80 x 72: four tiles
    monkeypatch.setattr(grid_fit, "fit", lambda planes, config, *_, **__: random_picture(config, spread=3.0))
    wanted = expected("grid-tiled" if tiled else "grid")
    assert counted(lambda: codec.encode(photo, device="cpu")) == wanted | {"entropy models": 2}


def test_encoding_with_the_pure_network_decodes_its_file_once(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flat(planes: np.ndarray, config: Any, *_: object, **__: object) -> Any:
        return fnet_fit.flat_network(config, planes.mean(axis=(1, 2)))

    monkeypatch.setattr(fnet_fit, "fit", flat)
    found = counted(lambda: codec.encode(photo, width=3, depth=2, device="cpu"))
    del found["network streams"]  # zstd's may be the smaller one
    assert found == {"parses": 1, "checksums": 2, "configs": 1, "weights": 1}
