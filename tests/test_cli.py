"""The command line: what it writes, prints and returns."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli, codec, images
from fourcodec.bitstream import container
from fourcodec.cli import options as cli_options
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.grid.fit import fit as grid_fit
from fourcodec.limits import DEFAULT
from fourcodec.optimisation.progress import Progress
from fourcodec.request import PROFILE_NAMES, TARGETS
from tests.support import stubs
from tests.support.oddities import FILES

pytestmark = pytest.mark.usefixtures("stub_profile")

KEYS = {
    "output",
    "profile",
    "width",
    "height",
    "channels",
    "size_bytes",
    "rate_bpp",
    "psnr_db",
    "ssim",
    "encode_seconds",
    "decode_seconds",
}


@pytest.fixture
def source(tmp_path: Path, photo: np.ndarray) -> Path:
    path = tmp_path / "in.png"
    Image.fromarray(photo).save(path)
    return path


@pytest.fixture
def coded(tmp_path: Path, photo: np.ndarray) -> Path:
    path = tmp_path / "coded.fnc"
    path.write_bytes(fourcodec.encode(photo, width=3, depth=2).data)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_picture_goes_to_a_file_and_back(source: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["encode", str(source), "--width", "3", "--depth", "2"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r".*in\.fnc: \d+ bytes, .* bpp, an exact copy, SSIM 1\.0000 \(encoded in .*\)\n", out)
    assert err == ""
    assert cli.run(["decode", str(source.with_suffix(".fnc")), "-o", str(source.with_name("copy.png"))]) == 0
    with Image.open(source.with_name("copy.png")) as copy:
        np.testing.assert_array_equal(np.asarray(copy), photo)
    assert names(source.parent) == ["copy.png", "in.fnc", "in.png"]


def test_decoding_writes_a_png_beside_the_file(coded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["decode", str(coded)]) == 0
    assert capsys.readouterr().out == f"{coded.with_suffix('.png')}: 24 x 16 pixels\n"
    assert names(coded.parent) == ["coded.fnc", "coded.png"]


def test_a_part_is_decoded_at_a_size_into_the_format_of_the_name(coded: Path, photo: np.ndarray) -> None:
    part = coded.with_name("part.npy")
    assert cli.run(["decode", str(coded), "--region", "4,2,10,6", "-o", str(part)]) == 0
    np.testing.assert_array_equal(np.load(part), photo[2:8, 4:14])
    for options, size in (("--scale 0.25", (6, 4)), ("--size 5x9", (5, 9)), ("--region 0,0,3,3 --scale 2", (6, 6))):
        assert cli.run(["decode", str(coded), *options.split(), "-f", "-o", str(coded.with_name("small.webp"))]) == 0
        assert Image.open(coded.with_name("small.webp")).size == size


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--scale 0.5 --size 2x2", "contradict each other"),
        ("--scale 0", "not in the range"),
        ("--scale nan", "above 0"),
        ("--size 2", "not a size like 640x480"),
        ("--size 0x4", "at least 1 x 1"),
        ("--region 1,2,3", "not a region like"),
        ("--region 20,0,5,5", "not inside the picture of 24 x 16 pixels"),
        ("-o copy.gif", "has the suffix of none of png, jpeg, "),
    ],
)
def test_a_part_that_cannot_be_is_a_matter_of_usage(
    coded: Path, options: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["decode", str(coded), *options.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert said in err
    assert names(coded.parent) == ["coded.fnc"]


@pytest.mark.parametrize("seed", [0, 1])
def test_json_is_one_object_with_the_agreed_keys(source: Path, capsys: pytest.CaptureFixture[str], seed: int) -> None:
    assert cli.run(["encode", str(source), "--json", "--seed", str(seed)]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert set(measured) >= KEYS
    assert measured["output"] == str(source.with_suffix(".fnc"))
    assert measured["size_bytes"] == source.with_suffix(".fnc").stat().st_size
    assert (measured["width"], measured["height"], measured["channels"]) == (24, 16, 3)
    assert (measured["psnr_db"] is None) == (seed == 0)  # the stub's copy is exact without a seed


def test_what_is_undefined_is_null(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (1, 1), 5).save(tmp_path / "dot.png")
    assert cli.run(["encode", str(tmp_path / "dot.png"), "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["psnr_db"] is None
    assert measured["ssim"] is None


def test_quiet_says_nothing(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["encode", str(source), "--quiet", "--progress"]) == 0
    copy = str(source.with_name("copy.png"))
    assert cli.run(["decode", str(source.with_suffix(".fnc")), "--quiet", "-o", copy]) == 0
    assert capsys.readouterr() == ("", "")


def test_quiet_json_is_still_json(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["encode", str(source), "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["profile"] == "grid"


@pytest.mark.parametrize(
    ("options", "profile"),
    [
        ("", "grid"),
        ("--profile grid", "grid"),
        ("-q 30", "grid"),
        ("--quality 99.5 --max-seconds 20", "grid"),
        ("--width 3", "fnet"),
        ("--depth 3", "fnet"),
        ("--profile fnet", "fnet"),
        ("--profile fnet --width 3 --depth 2", "fnet"),
    ],
)
def test_the_profile_follows_from_the_options(
    source: Path, capsys: pytest.CaptureFixture[str], options: str, profile: str
) -> None:
    assert cli.run(["encode", str(source), "--json", *options.split()]) == 0
    assert json.loads(capsys.readouterr().out)["profile"] == profile
    assert cli.run(["info", str(source.with_suffix(".fnc")), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["profile"] == profile


def test_a_loss_that_is_no_squared_error_is_not_shown_as_decibels(capsys: pytest.CaptureFixture[str]) -> None:
    with cli_options.ProgressLine() as line:
        line(Progress(iteration=1, iterations=1, loss=0.5, psnr_db=None, seconds_left=41.0))
    assert capsys.readouterr().err == "iteration 1/1  loss 5.000e-01  0:41 left\n"


def test_progress_goes_to_stderr_when_asked_for(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["encode", str(source), "--json", "--progress"]) == 0
    out, err = capsys.readouterr()
    assert err == "iteration 1/1  loss 5.000e-01  PSNR 3.00 dB  0:41 left\n"
    json.loads(out)


def test_what_is_changed_is_noted_on_stderr(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.open(source).convert("RGBA").save(source)
    assert cli.run(["encode", str(source)]) == 0
    assert capsys.readouterr().err == "note: the picture is opaque: its alpha channel is left out\n"


def test_metadata_and_alpha_are_kept_and_their_bytes_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.png").write_bytes(FILES["everything.png"]())
    wanted = images.load(tmp_path / "in.png")
    coded, copy = str(tmp_path / "in.fnc"), tmp_path / "copy.png"
    assert cli.run(["encode", str(tmp_path / "in.png")]) == 0
    assert re.search(r"bytes \(of which alpha \d+, icc \d+, exif \d+, xmp \d+\), ", capsys.readouterr().out)
    assert cli.run(["info", coded, "--verbose"]) == 0
    assert re.search(r"^section icc +\d+ bytes, zstd, kind 16, ancillary$", capsys.readouterr().out, re.MULTILINE)
    assert cli.run(["decode", coded, "-o", str(copy)]) == 0
    assert images.load(copy).metadata == wanted.metadata
    np.testing.assert_array_equal(images.load(copy).pixels, wanted.pixels)
    for command in (["encode", str(tmp_path / "in.png"), "-o", coded], ["decode", coded, "-o", str(copy)]):
        assert cli.run([*command, "-f", "--strip"]) == 0
        assert cli.run(["decode", coded, "-o", str(tmp_path / "bare.png"), "-f"]) == 0
    assert not images.load(copy).metadata


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.avif", "a.tif", "a.TIFF"])
def test_the_output_is_of_the_format_that_its_name_says(coded: Path, photo: np.ndarray, name: str) -> None:
    target = coded.with_name(name)
    assert cli.run(["decode", str(coded), "-o", str(target)]) == 0
    assert images.format_of(target) == images.format_of(coded.with_name(name.lower()))
    with Image.open(target) as image:
        assert image.format == images.format_of(target).upper()
        assert np.abs(np.asarray(image).astype(int) - photo).mean() < 6


def test_format_beats_the_name(coded: Path) -> None:
    assert cli.run(["decode", str(coded), "--format", "webp", "--quiet"]) == 0
    assert names(coded.parent) == ["coded.fnc", "coded.webp"]


def test_a_part_of_a_picture_with_alpha_keeps_it_and_the_metadata(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(FILES["everything.png"]())
    wanted = images.load(tmp_path / "in.png")
    assert cli.run(["encode", str(tmp_path / "in.png"), "--quiet"]) == 0
    command = ["decode", str(tmp_path / "in.fnc"), "--region", "3,2,5,4", "-o", str(tmp_path / "part.png")]
    assert cli.run(command) == 0
    part = images.load(tmp_path / "part.png")
    np.testing.assert_array_equal(part.pixels, wanted.pixels[2:6, 3:8])
    assert part.metadata == wanted.metadata


def test_a_size_that_the_format_cannot_have_is_refused(coded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["decode", str(coded), "--size", "16384x1", "--format", "webp"]) == 1
    assert "WEBP holds at most 16383 pixels a side, not 16384 x 1" in capsys.readouterr().err
    assert names(coded.parent) == ["coded.fnc"]


def test_a_frame_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.gif").write_bytes(FILES["animated.gif"]())
    assert cli.run(["encode", str(tmp_path / "in.gif")]) == 1
    assert "3 frames or pages: choose one with --frame, 1 to 3" in capsys.readouterr().err
    assert cli.run(["encode", str(tmp_path / "in.gif"), "--frame", "2"]) == 0
    assert names(tmp_path) == ["in.fnc", "in.gif"]


class Pipes:
    """Standard input and output with bytes behind them, as a shell's pipes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, data: bytes = b"") -> None:
        self.out = io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        monkeypatch.setattr(sys, "stdout", self.out)

    @property
    def written(self) -> bytes:
        self.out.flush()
        return self.out.buffer.getvalue()  # type: ignore[attr-defined]


def test_pictures_go_through_pipes(
    source: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipes = Pipes(monkeypatch, source.read_bytes())
    assert cli.run(["encode", "-"]) == 0
    assert "an exact copy" in capsys.readouterr().err
    back = Pipes(monkeypatch, pipes.written)
    assert cli.run(["decode", "-", "--quiet"]) == 0
    np.testing.assert_array_equal(images.read(back.written).pixels, photo)
    webp = Pipes(monkeypatch, pipes.written)
    assert cli.run(["decode", "-", "-o", "-", "--format", "webp"]) == 0
    assert webp.written[8:12] == b"WEBP"
    mixed = Pipes(monkeypatch)
    assert cli.run(["encode", str(source), "-o", "-"]) == 0
    assert mixed.written == pipes.written
    assert names(source.parent) == ["in.png"]


def test_what_is_wrong_with_standard_input_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipes = Pipes(monkeypatch, b"text")
    assert cli.run(["encode", "-"]) == 1
    assert capsys.readouterr().err.startswith("error: standard input: not a picture of a known format")
    assert cli.run(["encode", "-", "--json"]) == 2
    assert "--json is printed on standard output" in capsys.readouterr().err
    assert pipes.written == b""


def test_no_file_is_shown_on_a_terminal(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Pipes(monkeypatch)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert cli.run(["encode", str(source), "-o", "-"]) == 2
    assert "name an output with -o" in capsys.readouterr().err


def test_existing_outputs_are_refused_without_force(
    source: Path, coded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = source.with_suffix(".fnc")
    old.write_bytes(b"old")
    assert cli.run(["encode", str(source)]) == 1
    assert old.read_bytes() == b"old"
    assert "exists already" in capsys.readouterr().err
    assert cli.run(["encode", str(source), "-f"]) == 0
    assert old.read_bytes() != b"old"

    capsys.readouterr()
    assert cli.run(["decode", str(old)]) == 1  # in.png is the original
    assert capsys.readouterr().err == (
        f"error: {str(source)!r} exists already: choose another name with -o, or replace it with -f\n"
    )
    assert cli.run(["decode", str(old), "-f"]) == 0


def test_the_input_is_never_replaced(source: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["encode", str(source), "-f", "-o", str(source.parent / ".." / source.parent.name / "in.png")]) == 2
    assert "is the input itself" in capsys.readouterr().err
    np.testing.assert_array_equal(np.asarray(Image.open(source)), photo)


def test_info_shows_the_header_and_every_byte(coded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["info", str(coded), "--json"]) == 0
    description = json.loads(capsys.readouterr().out)
    assert (description["width"], description["height"], description["profile"]) == (24, 16, "fnet")
    assert description["size_bytes"] == coded.stat().st_size
    assert cli.run(["info", str(coded), "--verbose"]) == 0
    lines = capsys.readouterr().out
    assert re.search(r"^network width +3$", lines, re.MULTILINE)
    assert re.search(r"^section samples +\d+ bytes, zstd, kind 0, critical$", lines, re.MULTILINE)


def test_info_begins_with_what_people_ask_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.png").write_bytes(FILES["everything.png"]())
    assert cli.run(["encode", str(tmp_path / "in.png"), "--quiet"]) == 0
    assert cli.run(["info", str(tmp_path / "in.fnc")]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "picture   24 x 16 pixels, RGB with alpha, 16 bits"
    assert [line.split()[0] for line in lines[:4]] == ["file", "quality", "metadata", "profile"]
    assert re.search(r"ICC profile \([\d,]+ bytes\), EXIF \(\d+ bytes\), XMP \(\d+ bytes\)", lines[2])
    assert "section" not in "".join(lines)


FIT = {"effort", "iterations", "max_seconds", "device", "seed"}
ALL = {"profile", "quality", "width", "depth", *TARGETS, *FIT, "strip"}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (
            "--width 7 --depth 5 --effort 3 --iterations 9 --device cpu --seed 4",
            {"width": 7, "depth": 5, "effort": 3, "iterations": 9, "device": "cpu", "seed": 4},
        ),
        (
            "--profile grid -q 42.5 --max-seconds 7.5 --effort 9",
            {"profile": "grid", "quality": 42.5, "max_seconds": 7.5, "effort": 9, "device": "auto", "seed": 0},
        ),
        ("--tune visual -q 30", {"tune": "visual", "quality": 30.0, "effort": 5, "device": "auto", "seed": 0}),
        ("", {"effort": codec.DEFAULT_EFFORT, "device": "auto", "seed": 0}),
        (
            "--profile fnet --target-bpp 0.25",
            {"profile": "fnet", "target_bpp": 0.25, "effort": codec.DEFAULT_EFFORT, "device": "auto", "seed": 0},
        ),
    ],
)
def test_options_reach_the_codec(
    source: Path, monkeypatch: pytest.MonkeyPatch, options: str, wanted: dict[str, object]
) -> None:
    given: dict[str, object] = {}

    def record(_: np.ndarray, **arguments: object) -> codec.Encoded:
        given.update(arguments)
        raise MemoryError

    monkeypatch.setattr(codec, "encode", record)
    monkeypatch.setattr(cli_options, "time_left", lambda seconds, begun: seconds)
    assert cli.run(["encode", str(source), *options.split()]) == 1
    del given["progress"]
    assert given == dict.fromkeys(ALL) | {"tune": "psnr", "strip": False, "limits": DEFAULT} | wanted


@pytest.mark.parametrize("options", [[], ["--progress"]])
def test_a_long_fit_is_announced_once(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    def fit_grid(
        planes: np.ndarray, config: Any, settings: Any, *, seed: int, device: str, report: Any, visible: Any, start: Any
    ) -> Any:
        for left in (301.0, 300.0, 299.0) if report is not None else ():
            report(Progress(iteration=1, iterations=9, loss=0.5, psnr_db=3.0, seconds_left=left))
        return stubs.fit(planes, config, settings, seed=seed, device=device, report=None, visible=visible)

    monkeypatch.setattr(grid_fit, "fit", fit_grid)
    assert cli.run(["encode", str(source), *options]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("note: this takes about 5 minutes; ") for line in lines] == [True, *[False] * len(options)]
    assert cli.run(["encode", str(source), "--quiet", "-f", *options]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ("--effort 2", "; a lower --effort takes less"),
        ("--effort 1", "; --max-seconds sets a limit"),
        ("--effort 1 --max-seconds 999", ""),
        ("--effort 1 --target-bytes 9999", ""),
        ("--effort 1 --profile fnet -q 50", ""),
        ("--effort 9 --iterations 999", "; fewer --iterations take less"),
    ],
)
def test_a_long_fit_comes_with_advice_that_is_not_refused(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: str, advice: str
) -> None:
    def announce(_: np.ndarray, *, progress: Any, **others: object) -> codec.Encoded:
        progress(Progress(iteration=1, iterations=9, loss=0.5, psnr_db=3.0, seconds_left=301.0))
        raise MemoryError

    monkeypatch.setattr(codec, "encode", announce)
    assert cli.run(["encode", str(source), *options.split()]) == 1
    assert capsys.readouterr().err.splitlines()[0] == f"note: this takes about 5 minutes{advice}"


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_a_target_out_of_reach_is_one_line_and_no_file(
    source: Path, capsys: pytest.CaptureFixture[str], profile: str
) -> None:
    assert cli.run(["encode", str(source), "--profile", profile, "--target-bytes", "9"]) == 1
    assert re.fullmatch(r"error: 9 bytes cannot be reached: the nearest .* is \d+ bytes\n", capsys.readouterr().err)
    assert names(source.parent) == ["in.png"]


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_a_target_is_met_and_the_search_can_be_watched(
    source: Path, capsys: pytest.CaptureFixture[str], profile: str
) -> None:
    assert cli.run(["encode", str(source), "--profile", profile, "--json"]) == 0
    size_bytes = json.loads(capsys.readouterr().out)["size_bytes"]
    options = ["--profile", profile, "--target-bytes", str(size_bytes + 2), "-f", "--json", "--progress"]
    assert cli.run(["encode", str(source), *options]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["size_bytes"] == size_bytes
    assert err.splitlines()[0].startswith("probe 1: iteration 1/1  loss 5.000e-01")
    assert err.splitlines()[-1].startswith("fit: iteration 1/1")


@pytest.mark.parametrize(
    "options",
    [
        "-q 30 --target-bytes 500",
        "--target-bpp 0.3 --target-psnr 30",
        "--target-psnr 91",
        "--target-bytes 0",
        "--target-bpp 0.3 --max-seconds 9",
        "--profile grid --width 4",
    ],
)
def test_wishes_that_exclude_each_other_are_wrong_usage(
    source: Path, capsys: pytest.CaptureFixture[str], options: str
) -> None:
    assert cli.run(["encode", str(source), *options.split()]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert names(source.parent) == ["in.png"]


def test_what_a_fit_has_to_say_is_noted(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fit(*arguments: Any, report: Any, **others: Any) -> Any:
        report(Progress(iteration=1, iterations=1, loss=0.5, psnr_db=3.0, seconds_left=0.0, note="the fit diverged"))
        return stubs.fit(*arguments, report=None, **others)

    monkeypatch.setattr(fnet_fit, "fit", fit)
    assert cli.run(["encode", str(source), "--width", "3"]) == 0
    assert capsys.readouterr().err == "note: the fit diverged\n"


@pytest.mark.parametrize("options", [[], ["--profile", "fnet"]])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), MemoryError(), RuntimeError("two\nlines")])
def test_whatever_stops_a_fit_leaves_no_file_and_one_line(
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    interruption: BaseException,
    options: list[str],
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise interruption

    monkeypatch.setattr(fnet_fit, "fit", stop)
    monkeypatch.setattr(grid_fit, "fit", stop)
    assert cli.run(["encode", str(source), *options]) == (130 if isinstance(interruption, KeyboardInterrupt) else 1)
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert names(source.parent) == ["in.png"]


@pytest.mark.parametrize("place", ["before", "behind"])
def test_debug_shows_where_an_error_came_from(tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    command = ["info", str(tmp_path / "missing.fnc")]
    assert cli.run(["--debug", *command] if place == "before" else [*command, "--debug"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("error: ")


def test_help_and_version_cost_no_heavy_import() -> None:
    script = (
        "import sys\n"
        "from fourcodec import cli\n"
        "assert cli.run(['--help']) == 0\n"
        "assert not {'ctypes', 'fractions', 'secrets'} & set(sys.modules), sorted(sys.modules)\n"
        "assert cli.run(['--version']) == 0 and cli.run([]) == 2\n"
        "assert not {'torch', 'numba', 'numpy', 'PIL'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in ("encode", "decode", "info", "bench", fourcodec.__version__))


def test_a_reader_that_leaves_early_is_no_error(coded: Path) -> None:
    command = [sys.executable, "-m", "fourcodec", "--help"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_ctrl_c_stops_a_real_fit_and_leaves_no_file(source: Path, profile: str) -> None:
    command = [sys.executable, "-m", "fourcodec", "encode", str(source), "--iterations", "100000000", "--progress"]
    command += ["--profile", profile, "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("iteration"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "interrupted"
    assert names(source.parent) == ["in.png"]


@pytest.mark.parametrize("arguments", [["decode"], ["info"], ["verify"]])
def test_data_that_ends_too_early_is_no_interruption(
    coded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """Click takes an EOFError for a person who typed Ctrl-D."""

    def ended(*_: object, **__: object) -> object:
        raise EOFError("Ran out of input")

    monkeypatch.setattr(container, "read", ended)
    assert cli.run([*arguments, str(coded)]) == 1
    assert capsys.readouterr().err.splitlines() == ["error: data ended too early: Ran out of input"]
