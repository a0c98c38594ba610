"""Smoothing across the edges of tiles."""

import numpy as np
import pytest

from fourcodec.grid.edges import LARGEST, REACH, smooth_edges
from fourcodec.grid.windows import Window

SIDE = 64


def stepped(height: int, width: int, jump: float) -> np.ndarray:
    """Planes (1, H, W) of tiles of SIDE pixels like a chessboard, 0.5 and 0.5 + jump."""
    rows, columns = np.mgrid[0:height, 0:width] // SIDE
    return (0.5 + jump * ((rows + columns) % 2))[None].astype(np.float32)


def smoothed(planes: np.ndarray, window: Window | None = None) -> np.ndarray:
    out = planes.copy()
    smooth_edges(out, window or Window(0, 0, *planes.shape[1:]), SIDE)
    return out


@pytest.mark.parametrize("jump", [0.04, -float(LARGEST)])
def test_a_small_jump_becomes_a_ramp(jump: float) -> None:
    row = smoothed(stepped(1, 160, jump))[0, 0]
    steps = np.diff(row)
    at = SIDE - 1
    assert steps[at - REACH : at + REACH + 1] == pytest.approx(jump / 7, abs=1e-6)
    assert row[: at + 1 - REACH] == pytest.approx(0.5)


def test_jumps_of_the_picture_stay() -> None:
    planes = stepped(130, 160, 2 * float(LARGEST) + 0.01)
    assert np.array_equal(smoothed(planes), planes)


@pytest.mark.parametrize(("height", "width"), [(65, 66), (64, 67), (1, 200), (131, 129)])
def test_narrow_tiles_at_the_end_are_smoothed_as_far_as_they_go(height: int, width: int) -> None:
    planes = np.random.default_rng(0).random((3, height, width), np.float32)
    out = smoothed(planes)
    assert np.isfinite(out).all()
    changed = np.flatnonzero((out != planes).any(axis=(0, 1)))
    near = np.abs(changed[:, None] + 0.5 - SIDE * np.arange(1, 4)).min(axis=1) < REACH
    assert height > SIDE or near.all()


@pytest.mark.parametrize("window", [(0, 0, 64, 64), (60, 57, 70, 140), (10, 64, 12, 128), (63, 60, 64, 61)])
def test_a_part_has_the_samples_of_the_whole(window: tuple[int, int, int, int]) -> None:
    planes = 0.5 + 0.1 * np.random.default_rng(1).standard_normal((3, 150, 170)).astype(np.float32)
    inner = Window(*window)
    around = inner.grown(REACH + 1, REACH + 1, 150, 170)
    found = smoothed(planes[:, *around.slices], around)[:, *inner.within(around)]
    assert np.array_equal(found, smoothed(planes)[:, *inner.slices])
