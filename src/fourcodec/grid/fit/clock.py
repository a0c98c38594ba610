"""How far a fit of the profile grid is, how fast it goes, and when its time is over."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from fourcodec.grid.fit.settings import FILE_ITERATIONS, GridSettings
from fourcodec.metrics import MOST_DB, psnr_of_mse_db
from fourcodec.optimisation.progress import Progress
from fourcodec.tuning import PSNR

REPORT_SECONDS = 0.2
_TIMED, _LONG_SECONDS = 4, 2.0  # the pace is known after so many iterations of a stage beside its first, or so long

Report = Callable[[Progress], None] | None


class Clock:
    """How far a whole fit is, over all its stages.

    work: done so far, in iterations over the picture at full size; a round of RDOQ counts as several, an iteration over
    a smaller picture as less. count: all iterations. pace: seconds per unit of work, 0 before it is known.
    """

    def __init__(self, settings: GridSettings) -> None:
        self._settings = settings
        self.started, self.work, self.count, self.pace = time.perf_counter(), 0.0, 0, 0.0
        self._paces: deque[float] = deque(maxlen=_TIMED)  # of the last iterations of this stage
        self._last: tuple[float, float] | None = None  # work and seconds at the end of the last iteration of this stage
        self._shown, self._loss, self._whole = 0.0, 0.0, 0  # of the last report; of the last iteration

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started

    def begin_stage(self) -> None:
        """Begins to measure the pace anew. The first iteration of a stage does not count: it may compile kernels, and
        touches its memory for the first time."""
        self._paces.clear()
        self._last = None

    def spend(self, work: float) -> None:
        """Counts an iteration that was so much work."""
        self.work += work
        self.count += 1

    def done(self) -> float:
        """The share of the schedule that is done, asked for after each iteration. Raises LimitError where time is too
        short for a picture worth having."""
        elapsed, settings = self.elapsed, self._settings
        if self._last is not None:
            work, seconds = self._last
            self._paces.append((elapsed - seconds) / (self.work - work))
        self._last = self.work, elapsed
        known = len(self._paces) == _TIMED
        if known:
            self.pace = statistics.median(self._paces)  # one slow iteration, on a busy machine, says nothing
        elif len(self._paces) > 1 and elapsed > _LONG_SECONDS:
            self.pace = min(self._paces)
        done = settings.progress(self.work, elapsed, self.pace)
        # A fit whose time is over before it is worth having took longer than the pace says.
        settings.check_time(self.work, elapsed, self.pace if done < 1 else elapsed / self.work, ended=done >= 1)
        return done

    def show(self, report: Report, done: float, loss: float, stage: str) -> None:
        """Reports the share of the schedule that is done, where the last report is some time ago."""
        elapsed, begin = self.elapsed, self._settings.begin
        self._loss, self._whole = loss, round(self.work * (1 - begin) / (done - begin))
        if report is not None and self.count > _TIMED and done < 1 and elapsed - self._shown > REPORT_SECONDS:
            self._shown = elapsed
            report(self._progress(stage))

    def show_end(self, report: Report, stage: str, left: float) -> None:
        """Reports a stage behind the schedule. left: the share of the time for these stages that is left."""
        if report is not None:
            progress = self._progress(stage)
            seconds = (left * self._settings.tail(self.pace) + FILE_ITERATIONS) * self.pace
            report(replace(progress, seconds_left=min(seconds, progress.seconds_left)))

    def _progress(self, stage: str) -> Progress:
        left = self._settings.seconds_left(self.work, self.elapsed, self.pace)
        psnr_db = psnr_of_mse_db(self._loss, at_most=MOST_DB) if self._settings.tune == PSNR else None
        return Progress(min(round(self.work), self._whole), self._whole, self._loss, psnr_db, left, stage=stage)
