"""Pictures with nothing to learn, numbers that are none, memory that is short: a result or one clear line, never a
hang."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli, codec
from fourcodec.errors import FitError
from fourcodec.fnet import network as fnet_network
from fourcodec.grid.gradient import GridGradient
from fourcodec.images import to_png

noise = np.random.default_rng(0)
PICTURES = {
    "constant": np.full((13, 22, 3), 77, np.uint8),
    "black": np.zeros((13, 22), np.uint8),
    "white-16": np.full((13, 22, 3), 65535, np.uint16),
    "transparent": np.dstack([noise.integers(0, 256, (13, 22, 3)), np.zeros((13, 22), int)]).astype(np.uint8),
    "alpha-alone": np.dstack([np.zeros((13, 22, 3), int), noise.integers(0, 256, (13, 22))]).astype(np.uint8),
    "one-visible": np.dstack([np.full((13, 22), 9), 255 * (np.arange(286).reshape(13, 22) == 50)]).astype(np.uint8),
    "two-values": np.where(noise.random((13, 22)) < 0.5, 0, 255).astype(np.uint8),
    "one-row": noise.integers(0, 256, (1, 90, 3), np.uint8),
    "one-column": noise.integers(0, 256, (90, 1), np.uint8),
    "one-pixel": np.array([[[1, 2, 3]]], np.uint8),
}
FITS: list[dict[str, Any]] = [{"quality": 60}, {"width": 3, "depth": 3}]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("arguments", FITS, ids=["grid", "fnet"])
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_has_a_file(name: str, arguments: dict[str, Any]) -> None:
    picture = PICTURES[name]
    encoded = fourcodec.encode(picture, iterations=5, device="cpu", **arguments)
    copy = fourcodec.decode(encoded.data)
    assert (copy.shape, copy.dtype) == (picture.shape, picture.dtype)
    if name in ("constant", "black", "white-16") and "width" in arguments:
        np.testing.assert_array_equal(copy, picture)
    if picture.ndim == 3 and picture.shape[2] in (2, 4):
        np.testing.assert_array_equal(copy[:, :, -1], picture[:, :, -1])


def not_numbers(real: Callable[..., Any], spoil: Callable[[Any], Any], after: int) -> Callable[..., Any]:
    """The function, whose results are spoiled from a call on."""
    calls = 0

    def function(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        found = real(*arguments, **named)
        return spoil(found) if calls > after else found

    return function


@pytest.mark.parametrize("after", [0, 7])
def test_gradients_that_are_no_numbers_end_a_fit_of_the_grid_with_a_line(
    after: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoil(found: Any) -> Any:
        found[2].filters[:] = np.nan
        return found

    monkeypatch.setattr(GridGradient, "gradient", not_numbers(GridGradient.gradient, spoil, after))
    with pytest.raises(FitError, match=f"diverged at iteration {after + 1}: another --seed"):
        fourcodec.encode(PICTURES["two-values"], iterations=20, device="cpu")
    (tmp_path / "a.png").write_bytes(to_png(PICTURES["two-values"]))
    assert cli.run(["encode", str(tmp_path / "a.png"), "--iterations", "20", "--device", "cpu"]) == 1
    assert "error: the fit diverged at iteration 1" in capsys.readouterr().err
    assert not (tmp_path / "a.fnc").exists()


@pytest.mark.parametrize("after", [0, 7])
def test_gradients_that_are_no_numbers_leave_a_fit_of_fnet_with_a_picture_or_a_line(
    after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled = not_numbers(fnet_network.mse_gradient, lambda found: (found[0], np.full_like(found[1], np.nan)), after)
    monkeypatch.setattr(fnet_network, "mse_gradient", spoiled)
    try:
        encoded = fourcodec.encode(PICTURES["two-values"], width=3, depth=3, iterations=200, device="cpu")
    except FitError:
        return
    assert encoded.psnr_db is not None
    assert encoded.psnr_db > 5  # the mean colour has 6


@pytest.mark.usefixtures("stub_profile")
def test_short_memory_is_a_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise np._core._exceptions._ArrayMemoryError((1 << 40,), np.dtype(np.float32))

    (tmp_path / "photos").mkdir()
    Image.new("RGB", (24, 16)).save(tmp_path / "photos" / "a.png")
    coded = tmp_path / "a.fnc"
    coded.write_bytes(fourcodec.encode(PICTURES["constant"]).data)
    monkeypatch.setattr(codec.File, "pixels", fail)
    for line in ("decode {}/a.fnc", "verify {}/a.fnc", "encode {}/photos/a.png", "encode {}/photos -o {}/out"):
        assert cli.run([*line.replace("{}", str(tmp_path)).split()]) == 1
        said = "".join(capsys.readouterr())
        assert "not enough memory: decode a smaller size (--scale 0.25) or a part (--region)" in said
    assert [path.name for path in tmp_path.rglob("*.fnc")] == ["a.fnc"]
