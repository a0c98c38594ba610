"""Where the bytes are: sections add up to the file, and parts to their section."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourcodec import cli, codec
from fourcodec.bitstream import container
from fourcodec.errors import LimitError
from fourcodec.inspection import bars, plots, spending
from fourcodec.inspection.spending import Item
from fourcodec.limits import DEFAULT
from tests.support import hostile
from tests.support.golden import FOLDER

RANGE_CODED = ["grid-rgb", "grid-prior", "grid-one-pixel", "grid-rgba-16", "grid-grey-alpha", "rgb-range", "fnet-rgba"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.fnc")), ids=lambda path: path.stem)
def test_sections_are_all_of_the_file(path: Path) -> None:
    data = path.read_bytes()
    items = spending.by_section(codec.describe(data))
    assert sum(item.size_bytes for item in items) == len(data)
    assert items[0].name == "header"


@pytest.mark.parametrize("name", RANGE_CODED)
def test_parts_are_all_of_their_section(name: str) -> None:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    payloads = {section["name"]: section["payload_bytes"] for section in codec.describe(data)["sections"]}
    parts = spending.parts_of(codec.File(data))
    assert set(parts) == ({"networks", "latents"} if "grid" in name else {"network"})
    for section, found in parts.items():
        assert all(part["size_bytes"] >= 0 for part in found)
        # An arithmetic code ends on a whole byte and leaves trailing zero bytes out, four at most.
        assert sum(part["size_bytes"] for part in found) == pytest.approx(payloads[section], abs=4)


@pytest.mark.parametrize(
    ("name", "size"), [("fnet-prior-limited", "8 x 6, order 3"), ("fnet-prior", "8 x 6"), ("grid-rgb", "")]
)
def test_info_says_how_large_a_pure_network_is(name: str, size: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["info", str(FOLDER / f"{name}.fnc")]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("profile")]
    assert line.endswith(f", format 0.3, {size}" if size else ", format 0.3")


def test_every_level_is_named_with_its_size() -> None:
    data = (FOLDER / "grid-rgb.fnc").read_bytes()  # 50 x 33
    names = [part["name"] for part in spending.parts_of(codec.File(data))["latents"]]
    assert names[:3] == ["level 0, 50 x 34", "level 1, 26 x 18", "level 2, 14 x 10"]
    assert len(names) == 7


def test_layers_under_zstd_cannot_be_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    source = str(FOLDER / "rgb-zstd.fnc")
    assert spending.parts_of(codec.File(Path(source).read_bytes())) == {}
    assert cli.run(["info", source, "--parts"]) == 0
    assert "mixes its layers" in capsys.readouterr().err


def item(name: str, size_bytes: float, section: str = "", *, is_part: bool = False) -> Item:
    return Item(name, size_bytes, section or name, is_part)


def plain(lines: list[str]) -> list[str]:
    return [re.sub("\x1b\\[[0-9;]*m", "", line) for line in lines]


def test_bars_are_as_long_as_their_bytes() -> None:
    items = [item("header", 25), item("networks", 100), item("latents", 875)]
    drawn = plain(bars.lines(items, columns=80, blocks=False))
    lengths = [line.count("#") for line in drawn]
    assert lengths[1] == pytest.approx(lengths[2] * 100 / 875, abs=1)
    assert lengths[0] >= 1
    assert max(map(len, drawn)) <= 80
    assert [line.split()[1:3] for line in drawn] == [["25", "2.5%"], ["100", "10.0%"], ["875", "87.5%"]]


def test_bars_have_eighths_of_a_column() -> None:
    items = [item("header", 1), item("latents", 60), item("level 0", 30.5, "latents", is_part=True)]
    drawn = plain(bars.lines(items, columns=200, blocks=True))
    assert drawn[0].endswith("  █")
    assert drawn[1].endswith("█" * 60)
    assert drawn[2].endswith("█" * 30 + "▌")
    assert drawn[2].startswith("  level 0  30.5")


def test_info_draws_without_colour_or_blocks_where_they_are_not_at_home(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["info", str(FOLDER / "grid-rgb.fnc")]) == 0
    out = capfd.readouterr().out
    assert "\x1b" not in out
    data = (FOLDER / "grid-rgb.fnc").read_bytes()
    _, (_, latents) = container.read(data)
    for name, size in (("header", 25), ("latents", latents.size_bytes)):
        assert re.search(rf"^{name} +{size} +{re.escape(f'{size / len(data):.1%}')}  \S+$", out, re.MULTILINE)


def on_a_terminal(*arguments: str, **variables: str) -> str:
    """What a command writes on a terminal of 80 columns."""
    import pty

    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "fourcodec", *arguments]
    with subprocess.Popen(command, stdout=theirs, env=environment | {"COLUMNS": "80"} | variables) as process:
        os.close(theirs)
        written = b""
        with suppress(OSError):  # how Linux says that the other side is closed
            while piece := os.read(ours, 1 << 16):
                written += piece
        assert process.wait() == 0
    os.close(ours)
    return written.decode()


@pytest.mark.skipif(os.name != "posix", reason="terminals as on POSIX")
def test_a_terminal_has_colours_unless_they_are_unwanted() -> None:
    command = "info", str(FOLDER / "grid-rgb.fnc")
    coloured, grey = on_a_terminal(*command), on_a_terminal(*command, NO_COLOR="1")
    assert re.search("^header .*\x1b\\[90m.*\x1b\\[0m", coloured, re.MULTILINE)
    assert "\x1b" not in grey
    assert plain([coloured]) == [grey]


def test_json_has_the_parts(capsys: pytest.CaptureFixture[str]) -> None:
    source = str(FOLDER / "grid-rgb.fnc")
    assert cli.run(["info", source, "--json"]) == 0
    assert "parts" not in json.loads(capsys.readouterr().out)
    assert cli.run(["info", source, "--json", "--parts"]) == 0
    description = json.loads(capsys.readouterr().out)
    assert description["parts"] == spending.parts_of(codec.File(Path(source).read_bytes()))
    assert len(description["parts"]["latents"]) == 7


@pytest.mark.parametrize(
    "name", ["grid-rgb", "grid-one-pixel", "grid-grey-alpha", "rgb-range", "one-pixel", "grey-wide"]
)
def test_plots_are_pictures_of_any_shape(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "plot.png"
    assert cli.run(["info", str(FOLDER / f"{name}.fnc"), "--plot", str(target)]) == 0
    with Image.open(target) as image:
        assert image.format == "PNG"
        assert np.asarray(image.convert("L")).std() > 5
        assert min(image.size) > 100
        assert max(image.size) < 3000
    assert capsys.readouterr().out.endswith(f"{target}: {'the latents' if 'grid' in name else 'the waves'}\n")


def test_a_plot_is_a_png_that_replaces_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = str(FOLDER / "grid-rgb.fnc"), tmp_path / "plot.png"
    assert cli.run(["info", source, "--plot", str(tmp_path / "plot.svg")]) == 2
    assert "name it with .png" in capsys.readouterr().err
    target.write_bytes(b"old")
    assert cli.run(["info", source, "--plot", str(target)]) == 1
    assert target.read_bytes() == b"old"
    assert cli.run(["info", source, "--plot", str(target), "-f"]) == 0
    assert target.read_bytes().startswith(b"\x89PNG")


def test_damaged_files_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cut.fnc").write_bytes((FOLDER / "grid-rgb.fnc").read_bytes()[:-5])
    assert cli.run(["info", str(tmp_path / "cut.fnc"), "--parts", "--plot", str(tmp_path / "plot.png")]) == 1
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert not (tmp_path / "plot.png").exists()


def test_what_decode_would_refuse_is_not_taken_apart() -> None:
    thin = hostile.grid_file(DEFAULT.pixels, 1)
    for look in (spending.parts_of, plots.plot):
        with pytest.raises(LimitError, match="so thin a picture"):
            look(codec.File(thin))
