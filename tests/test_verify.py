"""`fourcodec verify`, and the check that `encode` makes of its own files."""

import json
from pathlib import Path

import numpy as np
import pytest

import fourcodec
from fourcodec import cli, codec
from fourcodec.bitstream import container
from fourcodec.errors import VerificationError
from fourcodec.grid import profile as grid
from fourcodec.images import Picture
from fourcodec.profiles import PROFILES
from tests.golden.make import FOLDER
from tests.support import hostile, stubs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that are whole, one of them deeper, and four that are not, each in its way."""
    sound = (FOLDER / "grid-rgb.fnc").read_bytes()
    header, sections = container.read(sound)
    contents = {
        "a.fnc": sound,
        "below/b.fnc": (FOLDER / "fnet-rgba.fnc").read_bytes(),
        "cut.fnc": sound[:-1],
        "flipped.fnc": sound[:-9] + bytes([sound[-9] ^ 1]) + sound[-8:],
        "latents.fnc": container.write(header, sections[:1]),
        "metadata.fnc": hostile.with_metadata(sound, 300, declared=299),
    }
    (tmp_path / "below").mkdir()
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_files_that_are_whole_are_named_with_what_they_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.rglob("*"))
    assert cli.run(["verify", str(folder / "a.fnc"), str(folder / "below" / "b.fnc")]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{folder / 'a.fnc'}: ok, 50 x 33 pixels, grid",
        f"{folder / 'below' / 'b.fnc'}: ok, 24 x 16 pixels, fnet",
    ]
    assert err == ""
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cut.fnc", "FAILED: "),
        ("flipped.fnc", "FAILED: the payload's checksum does not match: the file is damaged"),
        ("latents.fnc", "FAILED: section 'latents' is missing"),
        ("metadata.fnc", "FAILED: a zstd section"),
        ("missing.fnc", "FAILED: No such file or directory"),
    ],
)
def test_a_file_that_is_not_whole_is_a_line_and_an_exit_status(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    assert cli.run(["verify", str(folder / name), str(folder / "a.fnc")]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{folder / name}: {said}")
    assert out.count("\n") == 2
    assert cli.run(["verify", "--quiet", str(folder / name), str(folder / "a.fnc")]) == 1
    assert capsys.readouterr().out == out.splitlines()[0] + "\n"


def test_folders_and_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["verify", str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["failed"]) == (1, 4)
    assert cli.run(["verify", str(folder), "--recursive", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["failed"]) == (2, 4)
    wanted = {"file": str(folder / "a.fnc"), "ok": True, "error": None, "profile": "grid", "width": 50, "height": 33}
    assert found["files"][0] == wanted


def test_a_device_that_is_not_there_is_no_fault_of_a_file(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fourcodec.devices._has_cuda", lambda: False)
    assert cli.run(["verify", str(folder / "a.fnc"), "--device", "cuda"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "no CUDA device" in err


def test_files_of_a_bench_run_are_verified_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("items.jsonl", "settings.json"):
        (folder / name).touch()
    assert cli.run(["verify", str(folder), "--recursive", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] == 2


def test_nothing_to_verify_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").mkdir()
    assert cli.run(["verify", str(folder / "empty")]) == 1
    assert "no .fnc files in" in capsys.readouterr().err
    assert cli.run(["verify"]) == 2


def test_damaged_metadata_cost_decode_a_note_and_no_pixel(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["decode", str(folder / "metadata.fnc"), "-o", str(folder / "a.npy")]) == 0
    err = capsys.readouterr().err
    assert err.startswith("note: the icc metadata are left out: a zstd section")
    assert err.count("\n") == 1
    np.testing.assert_array_equal(np.load(folder / "a.npy"), codec.decode((folder / "a.fnc").read_bytes()))


@pytest.mark.usefixtures("stub_profile")
def test_encode_refuses_a_file_that_holds_other_integers(
    photo: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = PROFILES[grid.PROFILE_ID].pack

    def pack(network: stubs.StubNetwork) -> object:
        changed = network.samples.copy()
        changed[0, 0] ^= 1
        return right(stubs.StubNetwork(network.config, changed))

    monkeypatch.setattr(PROFILES[grid.PROFILE_ID], "pack", pack)
    with pytest.raises(VerificationError, match="integers that the fit came to"):
        fourcodec.encode(photo)
    np.save(tmp_path / "a.npy", photo)
    (tmp_path / "a.png").write_bytes(fourcodec.codec.images.to_png(photo))
    assert cli.run(["encode", str(tmp_path / "a.png")]) == 1
    assert "it is not written" in capsys.readouterr().err
    assert not (tmp_path / "a.fnc").exists()


@pytest.mark.usefixtures("stub_profile")
@pytest.mark.parametrize("part", ["alpha", "metadata"])
def test_encode_refuses_a_file_with_another_alpha_or_other_metadata(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.zeros((16, 24, 4), np.uint8)
    pixels[3:, :, 3] = 200
    picture = Picture(pixels, fourcodec.Metadata(xmp=b"<x/>"))
    if part == "alpha":
        real = codec.alpha.write
        monkeypatch.setattr(codec.alpha, "write", lambda plane: real(np.maximum(plane, 1)))
    else:
        monkeypatch.setattr(codec.metadata, "write", lambda _: [])
    with pytest.raises(VerificationError, match=part):
        fourcodec.encode(picture)


@pytest.mark.parametrize("name", ["rgb-range", "grid-rgb"])
def test_one_integer_that_differs_is_seen(name: str) -> None:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    profile = codec.File(data).profile
    network, other = codec.File(data).integers, codec.File(data).integers
    assert profile.same(network, other)
    changed = other.symbols if name == "rgb-range" else other.tiles[0][0]
    changed.reshape(-1)[-1] += 1
    assert not profile.same(network, other)
