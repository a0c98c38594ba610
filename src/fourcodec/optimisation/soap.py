"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al., "SOAP: Improving and Stabilizing Shampoo using
Adam", 2024, algorithm 3), for the matrices of networks: (features, outputs) of a Fourier layer, and those of the grid's
entropy model and filters.

There are two differences from the paper. Gradients are collected and folded into the statistics in one product at each
refresh, which takes a twentieth of the time of an update at every iteration. Matrices with more than MAX_SIDE rows are
preconditioned on the right only, since a refresh of a left basis of 2,048 rows would take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats

MOMENTUM = 0.85  # of the gradient
DECAY = 0.95  # of its square in the eigenbasis
STATISTIC_MOMENTUM = 0.95  # of the two covariances, per iteration
REFRESH = 40  # iterations between new bases; 10 to 40 give the same PSNR
MAX_SIDE = 1024
# Least denominator, relative to the largest. Where gradients span few dimensions, smaller entries are rounding noise.
FLOOR = np.float32(1e-6)


@dataclass
class SoapState:
    """The optimiser's state for one matrix (rows, columns) float32.

    first, second: Adam's moments, the second in the eigenbasis. left, right: covariances of gradients by rows and by
    columns, with their eigenbases.
    """

    rows: int
    columns: int
    momentum: float = MOMENTUM
    decay: float = DECAY
    iteration: int = 0
    first: Floats = field(init=False)
    second: Floats = field(init=False)
    left: Floats | None = field(init=False)  # None where there are more than MAX_SIDE rows
    left_basis: Floats = field(init=False)
    right: Floats = field(init=False)
    right_basis: Floats = field(init=False)
    recent: list[Floats] = field(default_factory=list)  # gradients since the last refresh

    def __post_init__(self) -> None:
        self.first = np.zeros((self.rows, self.columns), np.float32)
        self.second = np.zeros((self.rows, self.columns), np.float32)
        self.left = np.zeros((self.rows, self.rows), np.float32) if self.rows <= MAX_SIDE else None
        self.left_basis = np.eye(self.rows if self.left is not None else 0, dtype=np.float32)
        self.right = np.zeros((self.columns, self.columns), np.float32)
        self.right_basis = np.eye(self.columns, dtype=np.float32)

    def direction(self, gradient: Floats) -> Floats:
        """The update for a gradient (rows, columns), to be subtracted times the learning rate. Its entries are about 1
        in the eigenbasis."""
        self.recent.append(gradient)
        if self.iteration == 0 or len(self.recent) == REFRESH:
            self._refresh()
        self.iteration += 1
        self.first += (1 - self.momentum) * (gradient - self.first)
        rotated = self._rotate(gradient)
        self.second += (1 - self.decay) * (rotated * rotated - self.second)
        # Moments start at 0 and are too small by the factor 1 - momentum^iteration (Adam, section 3).
        scaled = self._rotate(self.first) / (1 - self.momentum**self.iteration)
        size = np.sqrt(self.second / (1 - self.decay**self.iteration))
        scaled /= size + (FLOOR * size.max() + np.float32(1e-20))
        return self._rotate_back(scaled)

    def _rotate(self, matrix: Floats) -> Floats:
        matrix = matrix @ self.right_basis
        return matrix if self.left is None else self.left_basis.T @ matrix

    def _rotate_back(self, matrix: Floats) -> Floats:
        matrix = matrix @ self.right_basis.T
        return matrix if self.left is None else self.left_basis @ matrix

    def _refresh(self) -> None:
        """Folds the recent gradients into the covariances, then updates each basis by one orthogonal iteration."""
        count = len(self.recent)
        ages = np.arange(count - 1, -1, -1)
        weights = np.sqrt((1 - STATISTIC_MOMENTUM) * STATISTIC_MOMENTUM**ages).astype(np.float32)
        scaled = [weight * gradient for weight, gradient in zip(weights, self.recent, strict=True)]
        kept = np.float32(STATISTIC_MOMENTUM**count)
        self.recent = []
        tall = np.concatenate(scaled, axis=0)
        self.right = kept * self.right + tall.T @ tall
        order, self.right_basis = _next_basis(self.right, self.right_basis)
        self.second = self.second[:, order]
        if self.left is not None:
            wide = np.concatenate(scaled, axis=1)
            self.left *= kept
            self.left += wide @ wide.T
            order, self.left_basis = _next_basis(self.left, self.left_basis)
            self.second = self.second[order]


def _next_basis(statistic: Floats, basis: Floats) -> tuple[NDArray[np.intp], Floats]:
    """The order of the basis vectors by falling eigenvalue estimates, and the basis in that order after one orthogonal
    iteration."""
    product = statistic @ basis
    order = np.argsort(-(basis * product).sum(axis=0), kind="stable")
    return order, np.linalg.qr(product[:, order]).Q
