"""The table of priors: how each is fitted and read, and which of them, at which temperature, suits a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats, Images
from fourcodec.errors import ModelError
from fourcodec.generative.classifier import Judgement
from fourcodec.generative.flow import Flow
from fourcodec.generative.judging import MALFORMED_PERCENTILE
from fourcodec.generative.priors import ChosenPrior, FullGaussian, IsotropicGaussian, Mixture, Prior, PriorState
from fourcodec.generative.scores import frechet_distance

Rows = NDArray[np.intp]
Fitter = Callable[[Floats, int], Prior]  # latents (N, L), seed

_LATENTS_A_COMPONENT = 50  # fewer do not tell a component's covariance


@dataclass(frozen=True)
class Candidate:
    """A kind of prior that may suit a model."""

    fit: Fitter
    least_latents: int = 2


def _mixture(components: int) -> Candidate:
    return Candidate(partial(Mixture.fit, components=components), components * _LATENTS_A_COMPONENT)


# What training ends with.
QUICK_CANDIDATES = {
    "isotropic": Candidate(IsotropicGaussian.fit),
    "gaussian": Candidate(FullGaussian.fit),
    "mixture-10": _mixture(10),
    "mixture-50": _mixture(50),
    "mixture-100": _mixture(100),
    "mixture-200": _mixture(200),
}
# A flow takes two minutes more, and is the better one only where few components tell the latents badly.
CANDIDATES = {**QUICK_CANDIDATES, "flow": Candidate(Flow.fit)}
_READERS: dict[str, Callable[[dict[str, NDArray[Any]]], Prior]] = {
    "isotropic": IsotropicGaussian.from_arrays,
    "gaussian": FullGaussian.from_arrays,
    "mixture": Mixture.from_arrays,
    "flow": Flow.from_arrays,
}
LOWER_TEMPERATURES = (0.95, 0.9, 0.85, 0.8)
# Of samples; of the validation images it is 5% by definition. A point below what is wanted of test images, 10%: the
# classifier has seen the validation images, and test images make one point more of the same samples malformed.
TOLERATED_MALFORMED = 0.09
LEAST_IMAGES = 10  # with fewer there are not two to validate by
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
class Trial:
    """Decoded samples of one prior at one temperature, beside the validation images."""

    name: str  # of the candidate
    temperature: float
    frechet: float
    malformed_share: float  # less confidently told than 95% of the validation images


@dataclass(frozen=True)
class Choice:
    """The prior that was chosen and what was tried to find it."""

    chosen: ChosenPrior
    trial: Trial  # the one that won
    trials: list[Trial]


def choose_prior(
    latents: Floats,
    images: Images,
    *,
    decode: Callable[[Floats], Images],
    judge: Callable[[Images], Judgement],
    seed: int,
    more: Floats | None = None,
    candidates: Mapping[str, Candidate] = QUICK_CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> Choice:
    """The candidate whose decoded samples have the least Fréchet distance to training images that it was not fitted to,
    and then its temperature: again the least distance, among those with few malformed samples.

    `latents` (N, L) are those of the training images `images` (N, H, W, C), `judge` is a classifier's. A fifth of them,
    at most 10,000, is left out of the fits and compared with as many samples; no test image is seen. `more` (N, L) are
    other latents of the same images, to be fitted too: of the images mirrored, say. The prior is not
    fitted again to all: that would take as long as the largest candidate did. Raises ValueError where there are too few
    latents for any candidate.
    """
    if len(latents) != len(images) or (more is not None and more.shape != latents.shape):
        raise ValueError(f"{len(latents)} latents for {len(images)} images, or others than {latents.shape} beside them")
    held_out, kept = _parts(len(latents), seed)
    fitted = latents[kept] if more is None else np.concatenate([latents[kept], more[kept]])
    able = {name: candidate.fit for name, candidate in candidates.items() if candidate.least_latents <= len(fitted)}
    if not able or len(held_out) < 2:
        raise ValueError(f"{len(latents)} latents are too few to choose a prior by")
    real = judge(images[held_out])
    bound = float(np.percentile(real.confidence, MALFORMED_PERCENTILE))

    def attempt(name: str, prior: Prior, temperature: float) -> Trial:
        samples = judge(decode(prior.sample(len(held_out), seed, temperature)))
        distance = frechet_distance(real.features, samples.features)
        trial = Trial(name, temperature, distance, float(np.mean(samples.confidence < bound)))
        progress(
            f"prior {name} at {temperature}: Fréchet distance {trial.frechet:.3f} to {len(held_out)} validation "
            f"images, {trial.malformed_share:.1%} malformed"
        )
        return trial

    priors: dict[str, Prior] = {}
    trials = []
    for name, fit in able.items():
        priors[name] = fit(fitted, seed)
        trials.append(attempt(name, priors[name], 1.0))
    best = min(trials, key=lambda trial: trial.frechet)
    trials += [attempt(best.name, priors[best.name], temperature) for temperature in LOWER_TEMPERATURES]
    winner = _best_temperature([trial for trial in trials if trial.name == best.name])
    return Choice(ChosenPrior(priors[winner.name], winner.temperature), winner, trials)


def _parts(count: int, seed: int) -> tuple[Rows, Rows]:
    """Which latents are held out, and which are fitted to."""
    order = np.random.default_rng(seed).permutation(count)
    held_out, fitted = np.split(order, [min(_MAX_VALIDATION, int(_VALIDATION_SHARE * count))])
    return held_out, fitted


def _best_temperature(trials: list[Trial]) -> Trial:
    """The least distance among trials with few malformed samples; where none has few, the least of all."""
    sound = [trial for trial in trials if trial.malformed_share <= TOLERATED_MALFORMED]
    return min(sound or trials, key=lambda trial: trial.frechet)
