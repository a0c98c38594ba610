"""What docs/mime tells other programs about .fnc files."""

import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fourcodec.bitstream.container import MAGIC
from fourcodec.pillow_plugin import MIME
from tests.support.golden import FOLDER

ROOT = Path(__file__).parents[1]
MIME_FOLDER = ROOT / "docs" / "mime"
GOLDEN = sorted(FOLDER.glob("*.fnc"))
NAMESPACE = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}


def in_magic_notation(data: bytes) -> str:
    return "".join(
        chr(byte) if 32 < byte < 127 else {13: r"\r", 10: r"\n"}.get(byte, f"\\x{byte:02x}") for byte in data
    )


def test_the_texts_have_the_formats_own_magic_and_mime_type() -> None:
    lines = (MIME_FOLDER / "fnc.magic").read_text().splitlines()
    assert lines[1] == f"0\tstring\t{in_magic_notation(MAGIC)}\tFourier network image"
    assert lines[2] == f"!:mime\t{MIME}"
    kind = ElementTree.parse(MIME_FOLDER / "fnc.xml").find("m:mime-type", NAMESPACE)
    assert kind is not None
    assert kind.get("type") == MIME
    match = kind.find("m:magic/m:match", NAMESPACE)
    assert match is not None
    assert match.get("value") == in_magic_notation(MAGIC)


@pytest.mark.skipif(shutil.which("file") is None, reason="there is no file(1)")
def test_file_recognises_every_golden_file() -> None:
    command = ["file", "--brief", "-m", str(MIME_FOLDER / "fnc.magic"), *map(str, GOLDEN)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for path, line in zip(GOLDEN, found, strict=True):
        profile = "latents (grid)" if path.read_bytes()[10] & 15 == 2 else "pure network (fnet)"
        assert line == f"Fourier network image, format 0.3, {profile}"
    command = ["file", "--brief", "--mime-type", "-m", str(MIME_FOLDER / "fnc.magic"), str(GOLDEN[0])]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == MIME


@pytest.mark.skipif(shutil.which("update-mime-database") is None, reason="there is no shared-mime-info")
def test_desktops_take_the_type(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    shutil.copy(MIME_FOLDER / "fnc.xml", tmp_path / "packages")
    subprocess.run(["update-mime-database", str(tmp_path)], check=True, capture_output=True)
    assert f"{MIME}:*.fnc" in (tmp_path / "globs2").read_text()
    assert MAGIC in (tmp_path / "magic").read_bytes()
