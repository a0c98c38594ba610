"""Scores of a set of samples against a set of real images, both given as features (N, D).

    frechet_distance     between Gaussians with the sets' means and covariances
    precision_recall     shares of samples within the real images' manifold, and of real images within the samples'
    density_coverage     similar, but less sensitive to outliers
    nearest_distances    used in pixels, to find copies of training images

All scores depend on the numbers of images: only scores of equally many images can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Features = NDArray[np.floating[Any]]

PRECISION_NEIGHBOURS = 3  # k of Kynkäänniemi et al., section 3.1
DENSITY_NEIGHBOURS = 5  # k of Naeem et al., section 3.3
_ROWS = 500  # rows of the distance matrix in memory at a time: 40 MB for 10,000 columns


def frechet_distance(first: Features, second: Features) -> float:
    """The Fréchet distance |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) between sets of features (N, D) and (M, D).

    Heusel et al.: GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium (2017), equation 6.
    The paper uses features of Inception; distances in other features cannot be compared with published ones. Raises
    ValueError where the shapes do not fit or a set has fewer than two images.
    """
    _check(first, second)
    means = [np.mean(features, axis=0, dtype=np.float64) for features in (first, second)]
    covariances = [np.atleast_2d(np.cov(features, rowvar=False, dtype=np.float64)) for features in (first, second)]
    # tr (C1 C2)^(1/2) from the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2), which are real in spite of rounding
    values, vectors = scipy.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = scipy.linalg.eigvalsh(root @ covariances[1] @ root)
    traces = np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.sqrt(cross.clip(0)).sum()
    return float(np.square(means[0] - means[1]).sum() + traces)


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall of samples, each 0 to 1."""

    precision: float  # share of samples within the manifold of real images
    recall: float  # share of real images within the manifold of samples


def precision_recall(real: Features, samples: Features, neighbours: int = PRECISION_NEIGHBOURS) -> PrecisionRecall:
    """Precision and recall of samples (M, D) for real features (N, D).

    Kynkäänniemi, Karras, Laine, Lehtinen, Aila: Improved Precision and Recall Metric for Assessing Generative Models
    (2019), section 2. A set's manifold is the union of balls around its points that reach to the k-th neighbour."""
    _check(real, samples)
    real_radii, sample_radii = (_squared_radii(points, neighbours) for points in (real, samples))
    precise, recalled = np.zeros(len(samples), bool), np.zeros(len(real), bool)
    for rows, squares in _squared_distances(samples, real):
        precise[rows] = (squares <= real_radii).any(1)
        recalled |= (squares <= sample_radii[rows, None]).any(0)
    return PrecisionRecall(float(precise.mean()), float(recalled.mean()))


@dataclass(frozen=True)
class DensityCoverage:
    """Density and coverage of samples; both are near 1 for samples of the real distribution."""

    density: float  # mean number of real images' balls that hold a sample, divided by k; can exceed 1
    coverage: float  # share of real images with a sample in their ball


def density_coverage(real: Features, samples: Features, neighbours: int = DENSITY_NEIGHBOURS) -> DensityCoverage:
    """Density and coverage of samples (M, D) for real features (N, D).

    Naeem, Oh, Uh, Choi, Yoo: Reliable Fidelity and Diversity Metrics for Generative Models (2020), section 3.
    """
    _check(real, samples)
    radii = _squared_radii(real, neighbours)
    inside, covered = 0, np.zeros(len(real), bool)
    for _, squares in _squared_distances(samples, real):
        within = squares <= radii
        inside += int(within.sum())
        covered |= within.any(0)
    return DensityCoverage(inside / (neighbours * len(samples)), float(covered.mean()))


def nearest_distances(queries: Features, references: Features) -> Doubles:
    """The Euclidean distance (N,) from each of N queries (N, D) to the nearest of M references (M, D)."""
    _check(queries, references, least=1)
    squares = [block.min(1) for _, block in _squared_distances(queries, references)]
    return np.sqrt(np.concatenate(squares), dtype=np.float64)


def _squared_radii(points: Features, neighbours: int) -> Doubles:
    """From each point to its k-th neighbour, itself not counted, (N,)."""
    if not 1 <= neighbours < len(points):
        raise ValueError(f"{len(points)} points have no neighbour number {neighbours}")
    radii = np.zeros(len(points))
    for rows, squares in _squared_distances(points, points):
        squares[np.arange(len(squares)), np.arange(len(points))[rows]] = np.inf
        radii[rows] = np.partition(squares, neighbours - 1, axis=1)[:, neighbours - 1]
    return radii


def _squared_distances(rows: Features, columns: Features) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Blocks of rows of the matrix of squared distances, each with the slice of its rows."""
    column_squares = np.einsum("nd,nd->n", columns, columns)
    for start in range(0, len(rows), _ROWS):
        chosen = slice(start, start + _ROWS)
        part = rows[chosen]
        squares = np.einsum("nd,nd->n", part, part)[:, None] + column_squares - 2 * (part @ columns.T)
        yield chosen, np.maximum(squares, 0, out=squares)


def _check(first: Features, second: Features, least: int = 2) -> None:
    shapes = f"{first.shape} and {second.shape}"
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(f"features are (N, D) and (M, D), not {shapes}")
    if min(len(first), len(second)) < least:
        raise ValueError(f"at least {least} images are needed on both sides, not {shapes}")
