"""Whatever is wrong with an input: one line on stderr, the right exit status, and no file left. One table."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli
from tests.support.oddities import png

pytestmark = pytest.mark.usefixtures("stub_profile")

PICTURE, CODED = "picture.png", "coded.fnc"

# command line ({} is the folder below), exit status, and what the line on stderr says
CASES = [
    ("encode {}/missing.png", 1, "missing.png': No such file or directory"),
    ("encode {}/folder", 2, "a folder needs -o"),
    ("encode {}/text.png", 1, "text.png': not a picture of a known format"),
    ("encode {}/empty.png", 1, "empty.png': the file is empty"),
    ("encode {}/cut.png", 1, "cut.png': the picture is damaged"),
    ("encode {}/coded.fnc -o {}/new.fnc", 1, "coded.fnc': a .fnc file, which is not supported"),
    ("encode {}/huge.png", 1, "16384 x 8193 pixels, more than the limit of 134217728"),
    ("encode {}/float.tif", 1, "float.tif': pictures of Pillow's mode 'F' are not supported"),
    ("encode {}/picture.png --width 99", 2, "99 is not in the range 1<=x<=10"),
    ("encode {}/picture.png --width 0", 2, "0 is not in the range"),
    ("encode {}/picture.png --depth 0", 2, "0 is not in the range 1<=x<=16"),
    ("encode {}/picture.png --depth six", 2, "'six' is not a valid integer"),
    ("encode {}/picture.png --effort 10", 2, "10 is not in the range 1<=x<=9"),
    ("encode {}/picture.png --iterations 0", 2, "0 is not in the range x>=1"),
    ("encode {}/picture.png --seed -1", 2, "-1 is not in the range"),
    ("encode {}/picture.png --device tpu", 2, "'tpu' is not one of"),
    ("encode {}/picture.png --device cuda", 1, "no CUDA device is available"),
    ("encode {}/picture.png --profile tiles", 2, "'tiles' is not one of 'fnet', 'grid'"),
    ("encode {}/picture.png --quality 101", 2, "101.0 is not in the range 0<=x<=100"),
    ("encode {}/picture.png -q -1", 2, "-1.0 is not in the range 0<=x<=100"),
    ("encode {}/picture.png -q nan", 2, "quality is 0 to 100, not nan"),
    ("encode {}/picture.png -q good", 2, "'good' is not a valid float"),
    ("encode {}/picture.png --max-seconds 0", 2, "0.0 is not in the range x>0"),
    ("encode {}/picture.png --max-seconds nan", 2, "max_seconds"),
    ("encode {}/picture.png --profile grid --width 8", 2, "width and depth belong to the profile fnet"),
    ("encode {}/picture.png --profile grid --depth 6", 2, "width and depth belong to the profile fnet"),
    ("encode {}/picture.png -q 50 --target-bytes 900", 2, "quality and target_bytes exclude each other"),
    ("encode {}/picture.png --profile fnet --max-seconds 9", 2, "max_seconds belongs to the profile grid"),
    ("encode {}/picture.png --width 8 -q 50 --target-bpp 0.2", 2, "quality and target_bpp exclude each other"),
    ("encode {}/picture.png --depth 6 --max-seconds 9", 2, "max_seconds belongs to the profile grid"),
    ("encode {}/missing.png --width 8 -q 50 --target-bpp 0.2", 2, "quality and target_bpp exclude each other"),
    ("encode {}/picture.png --nonsense", 2, "No such option"),
    ("encode", 2, "Missing argument 'IN"),
    ("encode {}/picture.png -o {}/nowhere/a.fnc", 1, "nowhere/a.fnc': cannot write: No such file or directory"),
    ("encode {}/picture.png -o {}/picture.png/a.fnc", 1, "a.fnc': cannot write: Not a directory"),
    ("encode {}/picture.png {}/coded.fnc {}/folder", 2, "folder' is worked on alone"),
    ("encode {}/picture.png -o {}/copy.png", 2, "copy.png' has the name of a picture: name it with .fnc"),
    ("encode {}/picture.png {}/copy.png", 2, "copy.png' has the name of a picture: name it with .fnc"),
    ("encode {}/picture.png {}/picture.png -o {}/a.fnc", 2, "2 inputs are written into a folder: -o "),
    ("encode {}/picture.png {}/picture.jpg {}/empty.png -o {}/new", 2, "3 inputs are written into a folder: -o "),
    ("encode {}/picture.png {}/picture.jpg -o {}/folder", 2, "would both be written to "),
    ("encode - -o {}/folder", 2, "standard input has no name"),
    ("encode {}/picture.png - -o {}/folder", 2, "standard input has no name"),
    ("encode {}/picture.png -f -o /dev/null", 1, "is not a regular file"),
    ("encode {}/picture.png -o {}/coded.fnc", 1, "coded.fnc' exists already"),
    ("decode {}/missing.fnc", 1, "missing.fnc': No such file or directory"),
    ("decode {}/folder", 2, "a folder needs -o"),
    ("decode {}/empty.fnc", 1, "empty.fnc': the file is empty"),
    ("decode {}/cut.fnc", 1, "cut.fnc': "),
    ("decode {}/header.fnc", 1, "header.fnc': the file ends inside"),
    ("decode {}/long.fnc", 1, "long.fnc': 1 bytes are left over after the last section"),
    ("decode {}/flipped.fnc", 1, "flipped.fnc': the payload's checksum does not match"),
    ("decode {}/newer.fnc", 1, "newer.fnc': the file is of format 15.1, newer than"),
    ("decode {}/picture.png", 1, "picture.png': not a .fnc file"),
    ("decode {}/coded.fnc -o {}/picture.png", 1, "choose another name with -o, or replace it with -f"),
    (
        "decode {}/coded.fnc -o {}/a.xyz",
        2,
        "a.xyz' has the suffix of none of png, jpeg, webp, avif, tiff, jxl, bmp, ppm, tga, npy: give --format",
    ),
    ("decode {}/coded.fnc --format gif", 2, "'gif' is not one of 'png'"),
    ("encode {}/picture.png --frame 2", 1, "there is no frame 2: the picture has 1"),
    ("encode {}/picture.png --frame 0", 2, "0 is not in the range x>=1"),
    ("decode {}/coded.fnc -o {}/nowhere/a.png", 1, "nowhere/a.png': cannot write: No such file or directory"),
    ("decode {}/coded.fnc --device cuda", 1, "no CUDA device is available"),
    ("info {}/missing.fnc", 1, "missing.fnc': No such file or directory"),
    ("info {}/folder", 1, "folder': Is a directory"),
    ("info {}/empty.fnc", 1, "empty.fnc': the file is empty"),
    ("info {}/cut.fnc", 1, "cut.fnc': "),
    ("info {}/picture.png", 1, "picture.png': not a .fnc file"),
    ("decod", 2, "there is no command 'decod': did you mean decode or encode?"),
    ("generate smaple", 2, "there is no command 'smaple': did you mean sample?"),
    ("frobnicate", 2, "there is no command 'frobnicate': there are encode, decode,"),
]


@pytest.fixture
def folder(tmp_path: Path, photo: np.ndarray) -> Path:
    Image.fromarray(photo).save(tmp_path / "picture.png")
    Image.new("F", (24, 16)).save(tmp_path / "float.tif")
    coded = fourcodec.encode(photo, width=3, depth=2).data
    picture = (tmp_path / "picture.png").read_bytes()
    contents = {
        "text.png": b"no picture\n",
        "empty.png": b"",
        "cut.png": picture[: len(picture) // 2],
        "huge.png": png(16_384, 8_193, bit_depth=8, colour=0, rows=b""),
        "coded.fnc": coded,
        "empty.fnc": b"",
        "cut.fnc": coded[:-9],
        "header.fnc": coded[:12],
        "long.fnc": coded + b"\0",
        "flipped.fnc": coded[:-9] + bytes([coded[-9] ^ 1]) + coded[-8:],
        "newer.fnc": coded[:8] + b"\xf1" + coded[9:],
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(("line", "status", "message"), CASES, ids=[case[0].replace("{}/", "") for case in CASES])
def test_bad_input_is_one_line_and_an_exit_status(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    status: int,
    message: str,
) -> None:
    monkeypatch.setattr("fourcodec.devices._has_cuda", lambda: False)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert cli.run([word.replace("{}", str(folder)) for word in line.split()]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("line", ["encode {}/picture.png", "decode {}/coded.fnc -o {}/copy.png"])
def test_a_folder_without_write_permission_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    def refuse(*_: object) -> int:  # not by chmod, which does not stop root
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert cli.run(line.replace("{}", str(folder)).split()) == 1
    assert capsys.readouterr().err.endswith("': cannot write: Permission denied\n")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "picture.png").chmod(0)
    assert cli.run(["encode", str(folder / "picture.png")]) == 1
    assert capsys.readouterr().err.endswith("picture.png': Permission denied\n")


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5000, 1), (1, 5000)])
def test_extreme_shapes_work(folder: Path, width: int, height: int) -> None:
    Image.new("RGB", (width, height), "orange").save(folder / "thin.png")
    assert cli.run(["encode", str(folder / "thin.png")]) == 0
    assert cli.run(["decode", str(folder / "thin.fnc"), "-o", str(folder / "copy.png")]) == 0
    with Image.open(folder / "copy.png") as copy:
        assert copy.size == (width, height)
