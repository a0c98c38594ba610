"""The Fourier layer as the thesis writes it, in float64 and direct cosines: slow, plain, and what every kernel is
bound to."""

import itertools

import numpy as np
import torch


def layer(w: torch.Tensor, x: torch.Tensor, residual: bool, order: int | None = None) -> torch.Tensor:
    """y = sum_k a_k cos(2 pi k.x) + sum_k b_k sin(2 pi k.x) [+ x]; x (m, N), w (K, 2, n): (n, N). All 2^m frequencies,
    or those of at most `order` < m ones, the fewest first."""
    m = x.shape[0]
    k = torch.tensor([[number >> j & 1 for j in range(m)] for number in range(2**m)], dtype=x.dtype)
    if order is not None and order < m:
        by_ones = (itertools.combinations(range(m), ones) for ones in range(order + 1))
        k = k[[sum(1 << j for j in chosen) for chosen in itertools.chain(*by_ones)]]
    angle = 2 * torch.pi * (k @ x)
    y = w[:, 0].T @ torch.cos(angle) + w[:, 1].T @ torch.sin(angle)
    return y + x if residual else y


def network(shapes, coefficients: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """All layers; coefficients flat."""
    for shape in shapes:
        x = layer(coefficients[shape.span].reshape(-1, 2, shape.outputs), x, shape.residual, shape.order)
    return x


def double(values: np.ndarray) -> torch.Tensor:
    return torch.tensor(values.astype(np.float64), requires_grad=True)


def largest_error(found: np.ndarray, wanted: torch.Tensor) -> float:
    """Largest absolute difference, as a share of the largest value wanted."""
    exact = wanted.detach().numpy()
    return float(np.abs(found - exact).max() / np.abs(exact).max())
