"""Files that end too early: the picture that their beginning has."""

from pathlib import Path

import numpy as np
import pytest

import fourcodec
from fourcodec import codec
from fourcodec.bitstream import alpha, container
from fourcodec.cli import run
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.fnc import File
from fourcodec.grid.edges import REACH
from fourcodec.views import View
from tests.golden.make import FOLDER

SMOOTH, TILED, ALPHA = (
    (FOLDER / f"{name}.fnc").read_bytes() for name in ("grid-smooth", "grid-tiled", "grid-grey-alpha")
)


def test_a_whole_file_gives_its_whole_picture_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    assert np.array_equal(fourcodec.decode(SMOOTH, partial=True), codec.decode(SMOOTH))
    assert not recwarn


def test_a_damaged_whole_file_is_refused() -> None:
    damaged = SMOOTH[:-1] + bytes([SMOOTH[-1] ^ 1])
    with pytest.raises(CorruptFileError, match="checksum"):
        codec.decode(damaged, partial=True)


def test_the_warning_says_which_levels_are_whole_and_what_cannot_be_verified() -> None:
    with pytest.warns(UserWarning, match=r"levels \d to 1 are whole, level 0 is missing.*checksum cannot be verified"):
        half = codec.decode(SMOOTH[:-1], partial=True)
    assert half.shape == (18, 23, 3)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_smaller_pictures_are_near_the_means_of_the_whole() -> None:
    whole = codec.decode(SMOOTH).astype(float)
    half = codec.decode(SMOOTH[:-1], partial=True)
    means = whole[:34, :46].reshape(17, 2, 23, 2, 3).mean(axis=(1, 3))
    assert np.abs(half[:17] - means).mean() < np.abs(means.mean(axis=(0, 1)) - means).mean()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_view_of_a_file_that_ends_too_early_is_refused() -> None:
    with pytest.raises(ValueError, match="as a whole"):
        codec.decode(SMOOTH[:-1], partial=True, view=View(scale=0.5))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_alpha_that_is_missing_is_opaque_and_latents_before_it_are_whole() -> None:
    _, sections = container.read(ALPHA)
    behind = sum(section.size_bytes for section in sections if section.kind >= alpha.KIND)
    whole, found = codec.decode(ALPHA), codec.decode(ALPHA[: 4 - behind], partial=True)
    assert np.array_equal(found[:, :, 0], whole[:, :, 0])
    assert (found[:, :, 1] == 255).all()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tiles_that_are_missing_are_black_and_others_are_those_of_the_whole() -> None:
    whole, found = codec.decode(TILED), codec.decode(TILED[:-1], partial=True)
    assert found.shape == whole.shape
    inner = slice(64 - REACH)  # edges between tiles are smoothed where all tiles are there
    assert np.array_equal(found[inner, inner], whole[inner, inner])
    assert not found[64:, 64:].any()


def test_the_beginning_of_a_network_of_profile_fnet_is_no_picture() -> None:
    data = (FOLDER / "limited.fnc").read_bytes()
    with pytest.raises(CorruptFileError, match="before its network is whole"):
        codec.decode(data[:-1], partial=True)


@pytest.mark.parametrize("name", ["grid-smooth", "limited"])
@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        (5, UnsupportedFormatError, "needs a section of kind 5"),
        (0, CorruptFileError, "comes twice"),
        (alpha.KIND, CorruptFileError, "3 channels with section 'alpha'"),
    ],
)
def test_a_section_that_a_whole_file_may_not_have_is_refused_where_it_is_cut(
    name: str, kind: int, error: type[Exception], message: str
) -> None:
    header, sections = container.read((FOLDER / f"{name}.fnc").read_bytes())
    data = container.write(header, [*sections, container.Section(kind, 0, bytes(100))])
    for partial, size in ((False, len(data)), (True, len(data) - 50)):
        with pytest.raises(error, match=message):
            codec.decode(data[:size], partial=partial)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_beginning_is_decoded_or_refused() -> None:
    for data in (SMOOTH, ALPHA):
        for size in range(0, len(data), 11):
            try:
                codec.decode(data[:size], partial=True)
            except CorruptFileError:
                continue
            assert File(data[:size], partial=True).cut


def test_a_length_that_a_file_only_claims_costs_no_memory() -> None:
    """The section of latents claims 4 GiB, and the file ends in it."""
    header, sections = container.read(SMOOTH)
    start = len(SMOOTH) - sections[-1].size_bytes
    claimed = SMOOTH[:start] + SMOOTH[start : start + 1] + b"\xff\xff\xff\xff\x0f" + sections[-1].payload[:40]
    with pytest.warns(UserWarning, match="are missing"):
        assert codec.decode(claimed, partial=True).shape[0] < header.height


def test_the_size_of_a_partial_picture_is_what_its_format_must_hold(tmp_path: Path) -> None:
    header, _ = container.read(SMOOTH)
    (tmp_path / "cut.fnc").write_bytes(SMOOTH[:-1])  # half the size
    limits = {"webp": header.width - 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fourcodec.images.writing._SIDE_LIMITS", limits)
        assert run(["decode", "--partial", str(tmp_path / "cut.fnc"), "-o", str(tmp_path / "cut.webp")]) == 0
        patch.setattr("fourcodec.images.writing._SIDE_LIMITS", {"webp": 1})
        assert run(["decode", "--partial", str(tmp_path / "cut.fnc"), "-o", str(tmp_path / "no.webp")]) == 1
    assert not (tmp_path / "no.webp").exists()


def test_decode_partial_writes_the_picture_and_says_from_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, out = tmp_path / "cut.fnc", tmp_path / "out.png"
    cut.write_bytes(SMOOTH[:-1])
    assert run(["decode", str(cut), "-o", str(out)]) == 1
    assert "truncated" in capsys.readouterr().err
    assert not out.exists()
    assert run(["decode", str(cut), "-o", str(out), "--partial"]) == 0
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("note: the file ends too early: levels ")
    assert "23 x 18 pixels" in printed.out
    assert run(["decode", str(cut), "-o", str(out), "--partial", "--scale", "2", "-f"]) == 2
    assert "leave out" in capsys.readouterr().err
