"""Which files are found, drawn and opened."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourcodec.bench import sources
from fourcodec.bench.sources import SourceProblem
from tests.support.benches import picture


def test_folders_are_searched_recursively_and_by_any_case_of_extension(folder: Path) -> None:
    (folder / "n02" / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"")
    Image.fromarray(picture(1)).save(folder / "n02" / "D.JPG", "JPEG")
    assert sources.discover(folder) == ["n01/a.png", "n01/b.JPEG", "n02/D.JPG", "n02/c.webp"]


def test_a_file_is_a_folder_of_one(folder: Path) -> None:
    assert sources.discover(folder / "n01" / "a.png") == ["a.png"]
    assert sources.load(folder / "n01" / "a.png", "a.png").pixels.shape == (40, 56, 3)


def test_linked_folders_are_followed_once(folder: Path, tmp_path: Path) -> None:
    os.symlink(folder / "n01", tmp_path / "linked")
    os.symlink(tmp_path, tmp_path / "loop")
    found = sources.discover(tmp_path)
    assert len(found) == 3
    assert len({os.path.realpath(tmp_path / path) for path in found}) == 3


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order() -> None:
    paths = [f"{number:03}.png" for number in range(100)]
    drawn = sources.sample(paths, 10, seed=1)
    assert drawn == sources.sample(paths, 10, seed=1)
    assert drawn != sources.sample(paths, 10, seed=2)
    assert drawn == sorted(set(drawn))
    assert sources.sample(paths, None, seed=1) == sources.sample(paths, 100, seed=1) == paths


def test_what_a_file_is_comes_from_its_content(tmp_path: Path) -> None:
    pixels = picture(2)
    Image.fromarray(pixels).save(tmp_path / "really.JPEG", "PNG")
    Image.fromarray(pixels).save(tmp_path / "really.png", "JPEG")
    np.testing.assert_array_equal(sources.load(tmp_path, "really.JPEG").pixels, pixels)
    assert not sources.load(tmp_path, "really.JPEG").is_jpeg
    assert sources.load(tmp_path, "really.png").is_jpeg


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.fromarray(picture(2)).convert("CMYK").save(tmp_path / "c.jpg")
    assert sources.load(tmp_path, "c.jpg").pixels.shape == (40, 56, 3)


def test_sixteen_bits_become_eight_and_that_is_noted(tmp_path: Path) -> None:
    Image.fromarray(np.full((5, 6), 65535, np.uint16)).save(tmp_path / "deep.png")
    source = sources.load(tmp_path, "deep.png")
    assert source.pixels.dtype == np.uint8
    assert source.pixels.max() == 255
    assert "16-bit" in source.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.png", b"", "an empty file"),
        ("text.png", b"this is no picture", "not a picture"),
        ("missing.png", None, "No such file"),
    ],
)
def test_a_problem_is_one_line_without_the_path(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceProblem, match=said) as problem:
        sources.load(tmp_path, name)
    assert str(tmp_path) not in str(problem.value)
    assert "\n" not in str(problem.value)
