"""The choice of a prior within a given time, by the likelihood of latents that it was not fitted to."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from fourcodec.arrays import Floats
from fourcodec.generative.prior_choice import QUICK_CANDIDATES, Candidate, split
from fourcodec.generative.priors import ChosenPrior, Density, Prior


def choose_by_likelihood(
    latents: Floats,
    *,
    seconds: float,
    seed: int,
    augmented: Floats | None = None,
    candidates: Mapping[str, Candidate[Density]] = QUICK_CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> ChosenPrior:
    """The candidate with the largest mean logarithm of its density at a fifth of the latents (N, L), to which it was
    not fitted, at temperature 1. It needs neither images nor a classifier.

    Candidates are fitted in their order, from the fastest, as long as the next one is likely to end within `seconds`,
    by the time of the last. The first is fitted in any case. `augmented` are as for `choose_prior`. Raises ValueError
    where there are too few latents for any candidate.
    """
    started = time.monotonic()
    held_out, fitted = split(latents, augmented, seed)
    if len(held_out) < 2:
        raise ValueError(f"{len(latents)} latents are too few to choose a prior by")
    best: tuple[float, Prior] | None = None
    pace = 0.0  # seconds of the last fit for its work
    for name, candidate in candidates.items():
        begun = time.monotonic()
        late = best is not None and begun - started + pace * candidate.work > seconds
        if late or candidate.min_latents > len(fitted):
            continue
        prior = candidate.fit(fitted, seed)
        pace = (time.monotonic() - begun) / candidate.work
        score = float(prior.log_density(latents[held_out]).mean()) / math.log(2) / latents.shape[1]
        progress(f"prior {name}: {score:.3f} bits a number of likelihood on {len(held_out)} held-out latents")
        if best is None or score > best[0]:
            best = score, prior
    if best is None:
        raise ValueError(f"{len(latents)} latents are too few to choose a prior by")
    return ChosenPrior(best[1])
