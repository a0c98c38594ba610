"""What a fit tells those who watch it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Progress:
    """Where a fit stands. loss is the MSE of the last batch or picture, with its quantisation noise; note is what a
    person should know, now and then; stage says which fit it is, where an encoder makes several."""

    step: int
    steps: int
    loss: float
    psnr_db: float
    seconds_left: float
    note: str = ""
    stage: str = ""


class StageReport:
    """Passes on the progress of one fit of several, with the name of its stage and the seconds until all are done."""

    def __init__(self, report: Callable[[Progress], None], stage: str, later: float) -> None:
        """`later`: steps of the fits still to come, as a share of this fit's."""
        self._report, self._stage, self._later, self._started = report, stage, later, time.monotonic()

    def __call__(self, progress: Progress) -> None:
        whole_seconds = (time.monotonic() - self._started) * progress.steps / progress.step
        left = progress.seconds_left + self._later * whole_seconds
        self._report(replace(progress, stage=self._stage, seconds_left=left))
