"""The start of the linear parts of encoder and decoder: principal component analysis of the images' cells."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fourcodec.arrays import Images
from fourcodec.cells import Grid
from fourcodec.generative.baselines import PrincipalComponents
from fourcodec.generative.core import ModelCore
from fourcodec.generative.windows import cell_images, cell_in_window, window_inputs, window_pixels

_RIDGE = 1.0  # of a regression on samples in [0, 1]
_BATCH = 500  # images


def start_at_components(core: ModelCore, images: Images) -> None:
    """Makes the linear parts of encoder and decoder start as principal component analysis of the cells of training
    images uint8 (N, H, W, C), and the MLPs at 0.

    A cell's code has unit variance. The decoder approximates what the code says of the cell's window, by linear
    regression on the code, by the last layer of the untrained Fourier network. Raises ValueError where the networks
    have no linear parts, or codes more numbers than cells have samples.
    """
    base = core.decoder.base
    if base is None or core.decoder.linear is None:
        raise ValueError("these networks have no linear parts")
    size, grid = core.image_shape[:2], core.config.network.grid
    components = PrincipalComponents.fit(cell_images(images, grid), core.config.latents.size)
    mean, synthesis = _window_regression(images, components, grid)
    x, weights = window_inputs(size, grid)
    with torch.no_grad():
        features = core.fourier.last_features(base[None], x)[0].cpu().double()
    last = _regression(features, weights, np.concatenate([mean[None], synthesis]))
    core.decoder.start_at(last[0], last[1:])
    if core.encoder is not None:
        inside, channels = cell_in_window(size, grid), core.image_shape[2]
        analysis = np.zeros((len(components.components), channels, len(x[0])))
        planes = components.components.reshape(len(analysis), -1, channels).transpose(0, 2, 1)
        analysis[:, :, inside] = planes / components.deviations[:, None, None]
        middle = np.zeros((channels, len(x[0])))
        middle[:, inside] = components.mean.reshape(-1, channels).T
        core.encoder.start_at(torch.from_numpy(analysis).flatten(1), torch.from_numpy(middle).flatten())


def _window_regression(
    images: Images, components: PrincipalComponents, grid: Grid
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean of all windows (P, C), and their change with each number of their cells' codes, (L, P, C). Codes are
    white, so the covariance with them is the regression on them."""
    windows, channels = window_pixels((images.shape[1], images.shape[2]), grid), images.shape[3]
    samples = windows.shape[1] * channels
    total, products = np.zeros(samples), np.zeros((len(components.components), samples))
    for start in range(0, len(images), _BATCH):
        part = images[start : start + _BATCH]
        shown = part.reshape(len(part), -1, channels)[:, windows].reshape(-1, samples) / np.float32(255)
        codes = components.whiten(cell_images(part, grid))
        total += shown.sum(0)
        products += codes.T @ shown
    count = len(images) * grid.count
    return (total / count).reshape(-1, channels), (products / count).reshape(len(products), -1, channels)


def _regression(features: torch.Tensor, weights: NDArray[np.float32], wanted: NDArray[np.float64]) -> torch.Tensor:
    """The last layer's coefficients (B, F C) that approximate windows (B, P, C) best where weights (P,) are large:
    ridge regression on its features (F, P)."""
    weighted = features * torch.from_numpy(weights).to(features)
    squares = weighted @ features.T + _RIDGE * torch.eye(len(features), dtype=features.dtype)
    planes = torch.from_numpy(wanted.transpose(1, 0, 2).reshape(len(weights), -1))
    found = torch.linalg.solve(squares, weighted @ planes)
    return found.reshape(len(features), *wanted.shape[::2]).transpose(0, 1).flatten(1)
