"""The table of priors (how each is fitted and read), and the choice of a prior and its temperature for a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats, Images
from fourcodec.errors import ModelError
from fourcodec.generative.cell_flow import KIND, CellFlow
from fourcodec.generative.classifier import Judgement
from fourcodec.generative.flow import Flow
from fourcodec.generative.judging import MALFORMED_PERCENTILE
from fourcodec.generative.priors import (
    MIXTURE_ITERATIONS,
    ChosenPrior,
    Density,
    FullGaussian,
    IsotropicGaussian,
    Mixture,
    Prior,
    PriorState,
)
from fourcodec.generative.scores import frechet_distance

P = TypeVar("P", bound=Prior, covariant=True)

_LATENTS_PER_COMPONENT = 50  # fewer are too few to estimate a component's covariance


@dataclass(frozen=True)
class Candidate(Generic[P]):
    """A kind of prior to try, fitted to latents (N, L) with a seed, and the number of latents that it needs. The time
    of a fit grows with `work`, in passes over the latents for one covariance."""

    fit: Callable[[Floats, int], P]
    min_latents: int = 2
    work: int = 1


def _mixture(components: int) -> Candidate[Density]:
    work = components * MIXTURE_ITERATIONS
    return Candidate(partial(Mixture.fit, components=components), components * _LATENTS_PER_COMPONENT, work)


# The candidates that training tries at its end.
QUICK_CANDIDATES: dict[str, Candidate[Density]] = {
    "isotropic": Candidate(IsotropicGaussian.fit),
    "gaussian": Candidate(FullGaussian.fit),
    "mixture-10": _mixture(10),
    "mixture-50": _mixture(50),
    "mixture-100": _mixture(100),
    "mixture-200": _mixture(200),
}
# A flow takes two minutes more. It is better only where mixtures of few Gaussians fit the latents badly.
CANDIDATES: dict[str, Candidate[Prior]] = {**QUICK_CANDIDATES, "flow": Candidate(Flow.fit)}
_READERS: dict[str, Callable[[dict[str, NDArray[Any]]], Prior]] = {
    "isotropic": IsotropicGaussian.from_arrays,
    "gaussian": FullGaussian.from_arrays,
    "mixture": Mixture.from_arrays,
    "flow": Flow.from_arrays,
    KIND: CellFlow.from_arrays,
}
LOWER_TEMPERATURES = (0.95, 0.9, 0.85, 0.8)
# The largest share of malformed samples. For validation images the share is 5% by definition. The goal is 10% against
# test images. The classifier was trained on the validation images, and against test images the same samples have a
# share that is one percentage point higher; so the bound here is one point lower.
TOLERATED_MALFORMED = 0.09
LEAST_IMAGES = 10  # a fifth of them, two, are the validation images
_VALIDATION_SHARE = 0.2
_MAX_VALIDATION = 10_000  # images


def prior_from_state(state: PriorState) -> Prior:
    """The prior in a state, the inverse of `Prior.to_state`. Raises ModelError for a damaged state or an unknown
    kind."""
    if state.kind not in _READERS:
        raise ModelError(f"a prior of unknown kind {state.kind!r}; known are {', '.join(_READERS)}")
    try:
        return _READERS[state.kind](state.arrays)
    except KeyError as exc:
        raise ModelError(f"the stored prior ({state.kind}) lacks the array {exc}") from exc
    except ValueError as exc:
        raise ModelError(f"the stored prior ({state.kind}) is damaged: {exc}") from exc


def split(latents: Floats, augmented: Floats | None, seed: int) -> tuple[NDArray[np.int64], Floats]:
    """The numbers of the latents that are held out, and all those that priors are fitted to."""
    if augmented is not None and augmented.shape != latents.shape:
        raise ValueError("augmented latents are of another shape")
    order = np.random.default_rng(seed).permutation(len(latents))
    held_out, kept = np.split(order, [min(_MAX_VALIDATION, int(_VALIDATION_SHARE * len(latents)))])
    return held_out, latents[kept] if augmented is None else np.concatenate([latents[kept], augmented[kept]])


@dataclass(frozen=True)
class Trial:
    """The scores of one prior at one temperature: its decoded samples against the validation images."""

    name: str  # the candidate's
    temperature: float
    frechet: float
    malformed_share: float  # share of samples with a confidence below that of 95% of the validation images


@dataclass(frozen=True)
class Choice:
    """The prior that was chosen, and all trials."""

    chosen: ChosenPrior
    trial: Trial  # of the chosen prior at its temperature
    trials: list[Trial]


def choose_prior(
    latents: Floats,
    images: Images,
    *,
    decode: Callable[[Floats], Images],
    judge: Callable[[Images], Judgement],
    seed: int,
    augmented: Floats | None = None,
    candidates: Mapping[str, Candidate[Prior]] = QUICK_CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Chooses the candidate with the smallest Fréchet distance between its decoded samples and validation images, and
    then the temperature with the smallest distance among those with few malformed samples.

    `latents` (N, L) belong to the training images `images` uint8 (N, H, W, C); `judge` is Classifier.judge. A fifth of
    the images, at most 10,000, are the validation images: the fits do not use them, and they are compared with as many
    samples. Test images are not used. `augmented` (N, L) are latents of changed copies of the same images, for instance
    mirrored ones; priors are fitted to both. The chosen prior is not fitted again to all latents, since that would take
    as long as the first fit. Raises ValueError where there are too few latents for any candidate.
    """
    if len(latents) != len(images):
        raise ValueError(f"{len(latents)} latents for {len(images)} images")
    held_out, fitted = split(latents, augmented, seed)
    able = {name: candidate.fit for name, candidate in candidates.items() if candidate.min_latents <= len(fitted)}
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
    of_best = [trial for trial in trials if trial.name == best.name]
    sound = [trial for trial in of_best if trial.malformed_share <= TOLERATED_MALFORMED]
    winner = min(sound or of_best, key=lambda trial: trial.frechet)
    return Choice(ChosenPrior(priors[winner.name], winner.temperature), winner, trials)
