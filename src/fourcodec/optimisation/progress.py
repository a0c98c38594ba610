"""Progress reports of a fit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Progress:
    """The state of a running fit: `iteration` of `iterations` are done.

    loss: the MSE of the last batch or picture, samples in [0, 1], training noise included; tuned for people, what
    stands in its place. psnr_db: the MSE in dB, None where the loss is another.
    seconds_left: an estimate. note: a message for the user, seldom there. stage: what the fit is at, where it has
    stages, and its name, where an encoder makes several.
    """

    iteration: int
    iterations: int
    loss: float
    psnr_db: float | None
    seconds_left: float
    note: str = ""
    stage: str = ""


class StageReport:
    """Passes on the progress of one of several fits, with the name of its stage and the seconds until all are done."""

    def __init__(self, report: Callable[[Progress], None], stage: str, later: float) -> None:
        """later: the iterations of the fits after this one, as a multiple of this fit's."""
        self._report, self._stage, self._later, self._started = report, stage, later, time.monotonic()

    def __call__(self, progress: Progress) -> None:
        whole_seconds = (time.monotonic() - self._started) * progress.iterations / progress.iteration
        left = progress.seconds_left + self._later * whole_seconds
        stage = f"{self._stage}, {progress.stage}" if progress.stage else self._stage
        self._report(replace(progress, stage=stage, seconds_left=left))
