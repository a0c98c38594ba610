"""The table of priors: how each is fitted and read, and which of them suits a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.errors import ModelError
from fourcodec.generative.flow import Flow
from fourcodec.generative.priors import FullGaussian, IsotropicGaussian, Mixture, Prior, PriorState
from fourcodec.generative.scores import frechet_distance

Floats = NDArray[np.float32]
Images = NDArray[np.uint8]
Fitter = Callable[[Floats, int], Prior]  # latents (N, L), seed

_LATENTS_A_COMPONENT = 50  # fewer do not tell a component's covariance


@dataclass(frozen=True)
class Candidate:
    """A kind of prior that may suit a model."""

    fit: Fitter
    least_latents: int = 2


def _mixture(components: int) -> Candidate:
    return Candidate(partial(Mixture.fit, components=components), components * _LATENTS_A_COMPONENT)


CANDIDATES = {
    "isotropic": Candidate(IsotropicGaussian.fit),
    "gaussian": Candidate(FullGaussian.fit),
    "mixture-10": _mixture(10),
    "mixture-50": _mixture(50),
    "mixture-100": _mixture(100),
    "flow": Candidate(Flow.fit),
}
_READERS: dict[str, Callable[[dict[str, NDArray[Any]]], Prior]] = {
    "isotropic": IsotropicGaussian.from_arrays,
    "gaussian": FullGaussian.from_arrays,
    "mixture": Mixture.from_arrays,
    "flow": Flow.from_arrays,
}
_VALIDATION_SHARE = 0.2
_MAX_VALIDATION = 10_000  # images


def prior_from_state(state: PriorState) -> Prior:
    """The prior that `to_state` described. Raises ModelError where the state is damaged or of an unknown kind."""
    if state.kind not in _READERS:
        raise ModelError(f"a prior of unknown kind {state.kind!r}; known are {', '.join(_READERS)}")
    try:
        return _READERS[state.kind](state.arrays)
    except KeyError as exc:
        raise ModelError(f"the stored prior ({state.kind}) lacks the array {exc}") from exc
    except ValueError as exc:
        raise ModelError(f"the stored prior ({state.kind}) is damaged: {exc}") from exc


@dataclass(frozen=True)
class Choice:
    """The prior that was chosen, fitted to all latents, and what every candidate had."""

    name: str  # of the candidate
    prior: Prior
    frechet: dict[str, float]  # of each candidate, on the validation images


def choose_prior(
    latents: Floats,
    images: Images,
    *,
    decode: Callable[[Floats], Images],
    features: Callable[[Images], NDArray[np.floating[Any]]],
    seed: int,
    candidates: Mapping[str, Candidate] = CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> Choice:
    """The candidate whose decoded samples have the least Fréchet distance to training images that it was not fitted to.

    `latents` (N, L) are those of the training images `images` (N, H, W, C), `features` are a classifier's. A fifth of
    them, at most 10,000, is left out of the fits and compared with as many samples; no test image is seen. Raises
    ValueError where there are too few latents for any candidate.
    """
    if len(latents) != len(images):
        raise ValueError(f"{len(latents)} latents for {len(images)} images")
    order = np.random.default_rng(seed).permutation(len(latents))
    held_out, fitted = np.split(order, [min(_MAX_VALIDATION, int(_VALIDATION_SHARE * len(order)))])
    able = {name: candidate.fit for name, candidate in candidates.items() if candidate.least_latents <= len(fitted)}
    if not able or len(held_out) < 2:
        raise ValueError(f"{len(latents)} latents are too few to choose a prior by")
    real = features(images[held_out])
    frechet: dict[str, float] = {}
    for name, fit in able.items():
        samples = fit(latents[fitted], seed).sample(len(held_out), seed)
        frechet[name] = frechet_distance(real, features(decode(samples)))
        progress(f"prior {name}: Fréchet distance {frechet[name]:.3f} to {len(held_out)} validation images")
    best = min(frechet, key=lambda name: frechet[name])
    return Choice(best, able[best](latents, seed), frechet)
