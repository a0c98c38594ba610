"""The noise and the optimiser of latents in torch are those of the kernels."""

import numpy as np
import pytest
import torch

from fourcodec.grid.cuda import proxy as latents_torch
from fourcodec.grid.kernels import latents

TOTAL = 1000


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("seed", [0, 1, 2**62 - 1])
@pytest.mark.parametrize(("temperature", "deviation"), [(0.4, 0.2), (0.03, 0.1)])
def test_noisy_latents_are_equal(random: np.random.Generator, seed: int, temperature: float, deviation: float) -> None:
    values = random.normal(0, 3, (4, TOTAL)).astype(np.float32)
    mask = (random.random(TOTAL) < 0.8).astype(np.float32)
    proxy = np.float32(temperature), np.float32(deviation)
    noisy, derivative = np.zeros_like(values), np.zeros_like(values)
    latents.perturb(values, mask, *proxy, latents.noise_keys(seed), 0, TOTAL, noisy, derivative)
    found = latents_torch.perturb(
        torch.from_numpy(values),
        torch.from_numpy(mask),
        torch.tensor(proxy),
        torch.from_numpy(latents.noise_keys(seed).astype(np.int64)),
    )
    assert np.abs(found[0].numpy() - noisy).max() < 1e-4
    # Where soft rounding is steepest it turns rounding errors of its argument into larger ones of the derivative.
    assert np.abs(found[1].numpy() - derivative).max() < 1e-3 * np.abs(derivative).max()


def test_steps_of_the_optimiser_are_equal(random: np.random.Generator) -> None:
    rates = [0.2, 2.0, 0.5, 0.98]
    kernels = [random.normal(0, 1, (4, TOTAL)).astype(np.float32), *np.zeros((2, 4, TOTAL), np.float32)]
    tensors = [torch.from_numpy(values.copy()) for values in kernels]
    for _ in range(3):
        gradients, proxy_derivative = random.normal(0, 3, (2, 4, TOTAL)).astype(np.float32)
        latents.adam(*kernels, gradients, proxy_derivative, *map(np.float32, rates), 0, TOTAL)
        latents_torch.adam(
            *tensors, torch.from_numpy(gradients), torch.from_numpy(proxy_derivative), torch.tensor(rates)
        )
    for values, tensor in zip(kernels, tensors, strict=True):
        assert np.abs(values - tensor.numpy()).max() < 1e-5 * np.abs(values).max()
