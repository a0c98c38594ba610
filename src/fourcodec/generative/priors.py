"""Priors: distributions of latents, fitted after training. New images are decoded from their samples.

    IsotropicGaussian   N(0, s^2 I) with s the root mean square of the latents
    FullGaussian        mean and full covariance
    Mixture             Gaussians with full covariances, by expectation-maximisation (scikit-learn)
    Flow                a small network, see flow.py

All implement `Prior`. A temperature T multiplies deviations from the mean of each Gaussian, so T^2 multiplies its
covariance. A prior is stored as a PriorState. The table of all priors and the choice among them are in prior_choice.py.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.errors import ModelError

Doubles = NDArray[np.float64]

MAX_TEMPERATURE = 10.0
_HALF_LOG_TWO_PI = math.log(2 * math.pi) / 2
_LARGEST = float(np.finfo(np.float32).max)  # of a stored number or a sample
_RIDGE = 1e-6  # times the latents' mean variance: keeps a covariance regular where latents span fewer dimensions
_MIXTURE_RIDGE = 1e-3  # keeps a component with few latents from collapsing onto them
MIXTURE_ITERATIONS = 60  # after 30, MNIST's Fréchet distance was a seventh above that after 100


class Prior(Protocol):
    """The interface of a distribution of latents with L components."""

    @property
    def name(self) -> str:
        """The kind of prior; for a mixture with its number of components."""
        ...

    @property
    def latent_size(self) -> int:
        """L."""
        ...

    def sample(self, n: int, seed: int, temperature: float = 1.0) -> Floats:
        """Samples float32 (n, L). The same seed gives the same samples. Raises ModelError where they are not
        finite."""
        ...

    def to_state(self) -> PriorState:
        """The state to store; the inverse of `prior_choice.prior_from_state`."""
        ...


class Density(Prior, Protocol):
    """A prior whose density is known."""

    def log_density(self, latents: Floats) -> Doubles:
        """The natural logarithm of the density at latents (N, L), (N,)."""
        ...


@dataclass(frozen=True)
class PriorState:
    """A prior as it is stored: its kind (in JSON) and its numbers (arrays in a safetensors file)."""

    kind: str
    arrays: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class ChosenPrior:
    """The prior that a model is sampled from, and the default temperature of its samples."""

    prior: Prior
    temperature: float = 1.0


@dataclass(frozen=True)
class IsotropicGaussian:
    """N(0, deviation^2 I)."""

    latent_size: int
    deviation: float
    name = "isotropic"

    @classmethod
    def fit(cls, latents: Floats, seed: int = 0) -> IsotropicGaussian:
        """The Gaussian whose deviation is the root mean square of latents (N, L).

        Raises ValueError for fewer than two latents and for values that are not finite, as do the other priors.
        """
        _check(latents)
        return cls(latents.shape[1], float(np.sqrt(np.mean(np.square(latents, dtype=np.float64)))))

    def sample(self, n: int, seed: int, temperature: float = 1.0) -> Floats:
        """Samples float32 (n, L)."""
        noise = np.random.default_rng(seed).standard_normal((n, self.latent_size))
        return as_latents(temperature * self.deviation * noise)

    def log_density(self, latents: Floats) -> Doubles:
        """The natural logarithm of the density at latents (N, L), (N,)."""
        squares = np.square(latents, dtype=np.float64).sum(1) / self.deviation**2
        return -squares / 2 - self.latent_size * (math.log(self.deviation) + _HALF_LOG_TWO_PI)

    def to_state(self) -> PriorState:
        """The deviation and L."""
        return PriorState(self.name, {"deviation": np.array([self.deviation]), "size": np.array([self.latent_size])})

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> IsotropicGaussian:
        """The inverse of `to_state`. Raises KeyError for a missing array, ValueError for one of another shape."""
        return cls(int(stored_array(arrays, "size", 1)[0]), float(stored_array(arrays, "deviation", 1)[0]))


@dataclass(frozen=True)
class FullGaussian:
    """N(mean, covariance)."""

    mean: Doubles  # (L,)
    covariance: Doubles  # (L, L)
    name = "gaussian"

    @property
    def latent_size(self) -> int:
        """L."""
        return len(self.mean)

    @classmethod
    def fit(cls, latents: Floats, seed: int = 0) -> FullGaussian:
        """The Gaussian with the mean and covariance of latents (N, L), plus a small ridge. `seed` has no effect."""
        _check(latents)
        covariance = np.atleast_2d(np.cov(latents, rowvar=False, dtype=np.float64))
        ridge = _RIDGE * np.trace(covariance) / len(covariance) + np.finfo(np.float64).tiny
        return cls(latents.mean(0, dtype=np.float64), covariance + ridge * np.eye(len(covariance)))

    def sample(self, n: int, seed: int, temperature: float = 1.0) -> Floats:
        """Samples float32 (n, L)."""
        noise = np.random.default_rng(seed).standard_normal((n, self.latent_size))
        return as_latents(self.mean + temperature * noise @ _cholesky(self.covariance).T)

    def log_density(self, latents: Floats) -> Doubles:
        """The natural logarithm of the density at latents (N, L), (N,)."""
        return _log_gaussian(latents, self.mean, self.covariance)

    def to_state(self) -> PriorState:
        """The mean and the covariance."""
        return PriorState(self.name, {"mean": self.mean, "covariance": self.covariance})

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> FullGaussian:
        """The inverse of `to_state`. Raises KeyError for a missing array, ValueError for one that is not valid."""
        mean = stored_array(arrays, "mean", None)
        prior = cls(mean, stored_array(arrays, "covariance", mean.size**2).reshape(mean.size, mean.size))
        _cholesky(prior.covariance)
        return prior


@dataclass(frozen=True)
class Mixture:
    """A mixture of K Gaussians with full covariances."""

    weights: Doubles  # (K,), their sum is 1
    means: Doubles  # (K, L)
    covariances: Doubles  # (K, L, L)

    @property
    def name(self) -> str:
        """mixture-K."""
        return f"mixture-{len(self.weights)}"

    @property
    def latent_size(self) -> int:
        """L."""
        return self.means.shape[1]

    @classmethod
    def fit(cls, latents: Floats, seed: int, components: int) -> Mixture:
        """A mixture of `components` Gaussians, fitted to latents (N, L) by expectation-maximisation; N >=
        `components`."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        _check(latents)
        scale = float(np.std(latents, dtype=np.float64)) or 1.0  # makes the ridge relative to the variance
        mixture = GaussianMixture(
            components, reg_covar=_MIXTURE_RIDGE, max_iter=MIXTURE_ITERATIONS, random_state=seed, init_params="kmeans"
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # further iterations change the samples little
            # float32 takes half the time of float64, and its rounding errors are far below the ridge
            mixture.fit(np.asarray(latents / scale, np.float32))
        weights, means, covariances = (
            np.asarray(found, np.float64) for found in (mixture.weights_, mixture.means_, mixture.covariances_)
        )
        return cls(weights, means * scale, (covariances + covariances.transpose(0, 2, 1)) / 2 * scale**2)

    def sample(self, n: int, seed: int, temperature: float = 1.0) -> Floats:
        """Samples float32 (n, L): a component for each by its weight, then a Gaussian sample around its mean."""
        generator = np.random.default_rng(seed)
        chosen = generator.choice(len(self.weights), size=n, p=self.weights / self.weights.sum())
        samples = generator.standard_normal((n, self.latent_size))
        for component in np.unique(chosen):
            rows = chosen == component
            factor = _cholesky(self.covariances[component])
            samples[rows] = self.means[component] + temperature * samples[rows] @ factor.T
        return as_latents(samples)

    def log_density(self, latents: Floats) -> Doubles:
        """The natural logarithm of the density at latents (N, L), (N,)."""
        parts = zip(self.weights, self.means, self.covariances, strict=True)
        found = np.stack([np.log(max(w, 1e-300)) + _log_gaussian(latents, m, c) for w, m, c in parts])
        largest = found.max(0)
        total: Doubles = largest + np.log(np.exp(found - largest).sum(0))
        return total

    def to_state(self) -> PriorState:
        """The weights, means and covariances."""
        return PriorState("mixture", dict(vars(self)))

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Mixture:
        """The inverse of `to_state`. Raises KeyError for a missing array, ValueError for one that is not valid."""
        weights = stored_array(arrays, "weights", None)
        means = stored_array(arrays, "means", None).reshape(len(weights), -1)
        size = means.shape[1]
        covariances = stored_array(arrays, "covariances", len(weights) * size**2).reshape(-1, size, size)
        if weights.min() < 0 or not np.isclose(weights.sum(), 1):
            raise ValueError("weights are negative, or their sum is not 1")
        for covariance in covariances:
            _cholesky(covariance)
        return cls(weights, means, covariances)


def _log_gaussian(latents: Floats, mean: Doubles, covariance: Doubles) -> Doubles:
    factor = _cholesky(covariance)
    white = scipy.linalg.solve_triangular(factor, (latents - mean).T, lower=True)
    total: Doubles = -np.square(white).sum(0) / 2 - np.log(np.diag(factor)).sum() - len(mean) * _HALF_LOG_TWO_PI
    return total


def _check(latents: Floats) -> None:
    if latents.ndim != 2 or len(latents) < 2 or not latents.size:
        raise ValueError(f"latents are (N, L) with N of at least 2, not {latents.shape}")
    if not np.isfinite(latents).all():
        raise ValueError("latents are not all finite")


def stored_array(arrays: dict[str, NDArray[Any]], name: str, size: int | None) -> Doubles:
    """The array of this name as float64 (size,), with any number of elements above 0 for None; of several dimensions,
    their elements in order.

    Raises KeyError where it is missing, ValueError where it has another size or is not finite in float32.
    """
    values = np.asarray(arrays[name], np.float64).ravel()
    if not values.size or (size is not None and values.size != size):
        raise ValueError(f"{name!r} has {values.size} numbers")
    if not (np.abs(values) <= _LARGEST).all():
        raise ValueError(f"{name!r} is not finite in float32")
    return values


def as_latents(samples: Doubles | Floats) -> Floats:
    """Samples (n, L) in float32. Raises ModelError where they are not finite there, as those of a stranger's prior may
    be."""
    if not (np.abs(samples) <= _LARGEST).all():
        raise ModelError("the prior's numbers are so large that its samples are not finite")
    return samples.astype(np.float32)


def _cholesky(covariance: Doubles) -> Doubles:
    try:
        return np.linalg.cholesky(covariance).astype(np.float64)
    except np.linalg.LinAlgError as exc:
        raise ValueError("a covariance is not positive definite") from exc
