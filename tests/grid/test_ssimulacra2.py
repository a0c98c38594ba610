"""The loss of SSIMULACRA 2 and its gradient: the kernels and their twin in torch against the formulas in float64."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from fourcodec import metrics
from fourcodec.grid.cuda.ssimulacra2 import TorchSsimulacra2
from fourcodec.grid.kernels.ssimulacra2 import BIAS, REACH, RED_GREEN, RESPONSES, STABLE, TONES, WINDOW
from fourcodec.grid.ssimulacra2 import PHASES, SMALLEST, TERMS, Ssimulacra2, starts_of

SIZES = [(3, 37, 50), (3, 64, 33), (1, 70, 81), (3, 16, 17), (3, 150, 300)]


def picture(channels: int, height: int, width: int) -> np.ndarray:
    """Waves and a bright square, (channels, height, width) float32 in [0, 1]."""
    rows, columns = np.mgrid[:height, :width]
    planes = [0.5 + 0.3 * np.sin(rows / (3 + n) + columns / (7 - n)) for n in range(channels)]
    planes = np.stack(planes).astype(np.float32)
    planes[:, height // 3 : height // 2, width // 3 : width // 2] += 0.2
    return planes.clip(0, 1)


def errors_of(planes: np.ndarray, deviation: float = 0.05) -> np.ndarray:
    return np.random.default_rng(len(planes)).normal(0, deviation, planes.shape).astype(np.float32)


def means(plane: np.ndarray) -> np.ndarray:
    window = [WINDOW[abs(shift)] for shift in range(-REACH, REACH + 1)]
    return correlate1d(correlate1d(plane, window, axis=0, mode="reflect"), window, axis=1, mode="reflect")


def loss_of(original: np.ndarray, copy: np.ndarray, phase: int = 0) -> float:
    """The loss by the formulas, in float64."""
    lights = [
        sum(tone * planes.astype(np.float64).clip(0, 1) ** n for n, tone in enumerate(TONES))
        for planes in (original, copy)
    ]
    total = 0.0
    for terms, starts in zip(TERMS, starts_of(phase), strict=True):
        lights = [halved(light, *starts) for light in lights]
        if min(lights[0].shape[1:]) < SMALLEST:
            break
        first, second = (xyb(light) for light in lights)
        for channel, term in terms.items():
            x, y = first[channel], second[channel]
            m1, m2 = means(x), means(y)
            v1, v2, v12 = means(x * x) - m1 * m1, means(y * y) - m2 * m2, means(x * y) - m1 * m2
            d = np.maximum(1 - (1 - (m1 - m2) ** 2) * (2 * v12 + STABLE) / (v1 + v2 + STABLE), 0)
            edge = (1 + abs(y - m2)) / (1 + abs(x - m1)) - 1
            parts = [d.mean()] + [(some**4).mean() ** 0.25 for some in (d, np.maximum(edge, 0), np.minimum(edge, 0))]
            total += float(np.dot(term, parts))
    return total


def halved(light: np.ndarray, down: int, across: int) -> np.ndarray:
    rows, columns = light.shape[1:]
    ends = (down, (rows + down) % 2), (across, (columns + across) % 2)
    padded = np.pad(light, [(0, 0), *ends], mode="edge")
    return (padded[:, 0::2, 0::2] + padded[:, 1::2, 0::2] + padded[:, 0::2, 1::2] + padded[:, 1::2, 1::2]) / 4


def xyb(light: np.ndarray) -> np.ndarray:
    light = np.broadcast_to(light, (3, *light.shape[1:]))
    long, middle, short = np.cbrt(np.einsum("cd,dhw->chw", RESPONSES, light) + BIAS) - np.cbrt(BIAS)
    y = (long + middle) / 2
    return np.stack([RED_GREEN * (long - middle) / 2 + 0.42, y + 0.01, short - y + 0.55])


@pytest.mark.parametrize("phase", [0, 0b01101101, PHASES - 1])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_loss_is_that_of_the_formulas(size: tuple[int, int, int], phase: int) -> None:
    planes = picture(*size)
    errors = errors_of(planes)
    loss, gradient = Ssimulacra2(planes, 2).gradient(errors, phase)
    assert loss == pytest.approx(loss_of(planes, planes + errors, phase), rel=2e-3)
    assert gradient.shape == size
    assert gradient.dtype == np.float32


@pytest.mark.parametrize("phase", [0, 0b10010110, PHASES - 1])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_gradient_is_the_slope_of_the_formulas(size: tuple[int, int, int], phase: int) -> None:
    planes = picture(*size)
    errors, random = errors_of(planes), np.random.default_rng(9)
    _, gradient = Ssimulacra2(planes, 1).gradient(errors, phase)
    coarse = random.normal(size=(size[0], -(-size[1] // 8), -(-size[2] // 8))).repeat(8, axis=1).repeat(8, axis=2)
    for change in (random.normal(size=size), coarse[:, : size[1], : size[2]]):
        step = 1e-4 * change
        copy = planes + errors.astype(np.float64)
        slope = (loss_of(planes, copy + step, phase) - loss_of(planes, copy - step, phase)) / 2
        assert float((gradient * step).sum()) == pytest.approx(slope, rel=0.03, abs=1e-6)


@pytest.mark.parametrize("phase", [0, 0b11000110])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_twin_in_torch_has_the_same_loss_and_gradient(size: tuple[int, int, int], phase: int) -> None:
    planes = picture(*size)
    errors = errors_of(planes)
    loss, gradient = Ssimulacra2(planes, 1).gradient(errors, phase)
    x = torch.from_numpy(errors).requires_grad_()
    original = torch.from_numpy(planes)
    twin = TorchSsimulacra2(*size[1:], torch.from_numpy).loss(original, original + x, phase)
    twin.backward()
    assert twin.item() == pytest.approx(loss, rel=1e-3)
    assert x.grad is not None
    assert np.abs(x.grad.numpy() - gradient).max() < 0.02 * np.abs(gradient).max()


def test_a_grey_sample_stands_for_three() -> None:
    grey = picture(1, 64, 64)
    errors = errors_of(grey)
    loss, gradient = Ssimulacra2(grey, 1).gradient(errors)
    in_colour, by_colours = Ssimulacra2(grey.repeat(3, axis=0), 1).gradient(errors.repeat(3, axis=0))
    assert loss == pytest.approx(in_colour, rel=1e-6)
    assert np.allclose(gradient[0], by_colours.sum(axis=0), rtol=1e-3, atol=1e-6)


def test_equal_pictures_lose_nothing_and_small_ones_have_no_scale() -> None:
    planes = picture(3, 64, 64)
    loss, gradient = Ssimulacra2(planes, 1).gradient(np.zeros_like(planes))
    assert abs(loss) < 1e-2
    assert np.isfinite(gradient).all()
    for side, scales in ((14, 0), (15, 1), (240, 4)):
        assert Ssimulacra2(picture(1, side, 300), 1).scales == scales
        assert TorchSsimulacra2(side, 300, torch.from_numpy).scales == scales


def test_nothing_depends_on_threads() -> None:
    planes = picture(3, 150, 70)
    found = [Ssimulacra2(planes, threads).gradient(errors_of(planes)) for threads in (1, 3)]
    assert found[0][0] == found[1][0]
    assert found[0][1].tobytes() == found[1][1].tobytes()


def test_an_evaluation_does_not_depend_on_those_before() -> None:
    planes = picture(3, 90, 70)
    metric, errors = Ssimulacra2(planes, 1), errors_of(planes)
    for phase in (6, 6, 201, 6):
        loss, gradient = metric.gradient(errors, phase)
        fresh, slopes = Ssimulacra2(planes, 1).gradient(errors, phase)
        assert loss == fresh
        assert gradient.tobytes() == slopes.tobytes()
        errors = errors / 2


@pytest.mark.skipif(not metrics.installed("ssimulacra2"), reason="the package ssimulacra2 is missing")
def test_what_the_metric_scores_lower_loses_more() -> None:
    planes = picture(3, 160, 160)
    noisy = [planes + errors_of(planes, deviation) for deviation in (0.01, 0.03, 0.1)]
    cells = [np.abs(errors_of(planes[:, ::8, ::8], deviation)) for deviation in (0.01, 0.03, 0.1)]

    def samples(some: np.ndarray) -> np.ndarray:
        return (255 * some.clip(0, 1)).round().astype(np.uint8).transpose(1, 2, 0).copy()

    for copies in (noisy, [planes + cell.repeat(8, axis=1).repeat(8, axis=2) for cell in cells]):
        scores = [metrics.ssimulacra2(samples(planes), samples(copy)) or 0.0 for copy in copies]
        losses = [Ssimulacra2(planes, 1).gradient(copy - planes)[0] for copy in copies]
        assert scores == sorted(scores, reverse=True)
        assert losses == sorted(losses)
