"""The noise of quantisation is independent: between planes, steps and tiles, and of what the entropy model looks at."""

import itertools

import numpy as np
import pytest
import torch

from fourcodec.grid.cuda import proxy as latents_torch
from fourcodec.grid.kernels import latents
from fourcodec.grid.pyramid import Pyramid, taps_of

TOTAL = 1 << 16
FARTHEST = 12  # positions: farther than any tap along a row
BOUND = 5 / np.sqrt(TOTAL)  # of a correlation of independent noise: 5 standard deviations
STREAMS = [(0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 0, 1), (0, 1, 1), (0, 0, 2), (1, 0, 0), (1, 1, 0), (2, 0, 0)]


def noise(*stream: int) -> np.ndarray:
    """(4, TOTAL) of unit deviation: what perturb adds to latents of 0 while soft rounding does nothing."""
    values = np.zeros((4, TOTAL), np.float32)
    noisy, derivative = np.empty_like(values), np.empty_like(values)
    hot = np.float32(100.0)  # so warm that soft rounding is the identity
    keys = latents.noise_keys(*stream)
    latents.perturb(values, np.ones(TOTAL, np.float32), hot, np.float32(0.1), keys, 0, TOTAL, noisy, derivative)
    return noisy / noisy.std(axis=1, keepdims=True)


def correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The circular correlation at every shift, (TOTAL,)."""
    spectrum = np.fft.rfft(one) * np.conj(np.fft.rfft(other))
    return np.fft.irfft(spectrum, TOTAL) / TOTAL


@pytest.fixture(scope="module")
def planes() -> dict[tuple[int, ...], np.ndarray]:
    return {stream: noise(*stream) for stream in STREAMS}


def test_noise_is_near_gaussian_and_centred() -> None:
    found = noise(3, 5, 7).ravel()
    assert abs(found.mean()) < 5 / np.sqrt(found.size)
    # a sum of four uniform variables has a kurtosis of 3 - 1.2 / 4
    assert abs((found**4).mean() - 2.7) < 0.05


def test_a_plane_is_not_another_one_shifted(planes: dict[tuple[int, ...], np.ndarray]) -> None:
    """At no shift at all: with one constant for positions and planes, plane p at i was plane 0 at i + p."""
    for stream in STREAMS[:3]:
        for one, other in itertools.combinations(planes[stream], 2):
            found = correlations(one, other)
            assert np.abs(found).max() < 7 / np.sqrt(TOTAL)  # the largest of 65,536 is near 4.4 deviations
            near = np.concatenate([found[: FARTHEST + 1], found[-FARTHEST:]])
            assert np.abs(near).max() < BOUND


def test_steps_and_tiles_and_seeds_have_noise_of_their_own(planes: dict[tuple[int, ...], np.ndarray]) -> None:
    """A step's noise was the last one's, shifted by four positions."""
    for one, other in itertools.combinations(STREAMS, 2):
        for p, q in itertools.product(range(4), repeat=2):
            assert np.abs(correlations(planes[one][p], planes[other][q])).max() < 7 / np.sqrt(TOTAL), (one, other, p, q)


def test_a_latents_noise_is_not_that_of_its_taps(planes: dict[tuple[int, ...], np.ndarray]) -> None:
    """Of every pass and tap, at the offsets that a real pyramid gives them."""
    found = planes[STREAMS[0]]
    for level in Pyramid(96, 160, 7).levels:
        tap_planes, offsets = taps_of(level)
        for own in range(4):
            for plane, offset in zip(tap_planes[own], offsets[own], strict=True):
                if 0 <= plane < 4:
                    seen = np.roll(found[plane], -offset)
                    assert abs((found[own] * seen).mean()) < BOUND, (own, plane, offset)


@pytest.mark.parametrize("stream", STREAMS)
def test_torch_has_the_same_noise(planes: dict[tuple[int, ...], np.ndarray], stream: tuple[int, ...]) -> None:
    keys = torch.from_numpy(latents.noise_keys(*stream).astype(np.int64))
    found = latents_torch._noise(TOTAL, keys).numpy()
    assert np.abs(found / found.std(axis=1, keepdims=True) - planes[stream]).max() < 1e-3
