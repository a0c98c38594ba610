"""An estimate of the time that a run takes, from trials on its first picture with fits stopped after a few seconds."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from fourcodec import metrics
from fourcodec.arrays import Samples
from fourcodec.bench import baselines, ours, sources
from fourcodec.bench.baselines import BASELINES, PeerSetting
from fourcodec.bench.measuring import as_rgb
from fourcodec.bench.settings import BenchSettings, OurSetting

_TRIAL_SECONDS = 4.0  # for one fit; less where there are many settings
_ALL_TRIALS_SECONDS = 20.0  # for all fits
_SHARE_TRIED = 0.4  # the share of a peer's qualities that matching tries


@dataclass(frozen=True)
class Estimate:
    """The seconds that an item of each kind takes."""

    peers: float  # the peers' curves
    fits: dict[str, float]  # by the label of our setting: a fit and the matching of peers
    matching: float  # the part of `fits` that is matching

    def seconds_of(self, our: OurSetting | None) -> float:
        """The seconds of the item of one of our settings, or of the peers' curves."""
        return self.fits[our.label] if our else self.peers


class _Enough(BaseException):
    """Ends a fit from within its progress report; a BaseException, so that no handler takes it for a failed fit."""


def estimate(settings: BenchSettings, images: Sequence[str]) -> Estimate | None:
    """The estimate; None where no picture can be read or our file cannot be made of it, as the run will report."""
    source = _first_readable(settings, images)
    if source is None:
        return None
    curves, matching = _peer_seconds(settings, source)
    budget = min(_TRIAL_SECONDS, _ALL_TRIALS_SECONDS / max(1, len(settings.ours)))
    try:
        fits = {our.label: matching + _fit_seconds(settings, our, source, budget) for our in settings.ours}
    except Exception:
        return None
    return Estimate(curves, fits, matching)


def _first_readable(settings: BenchSettings, images: Sequence[str]) -> sources.Source | None:
    for image in images:
        with suppress(sources.SourceProblem):
            return sources.load(Path(settings.folder), image)
    return None


def _fit_seconds(settings: BenchSettings, our: OurSetting, source: sources.Source, budget: float) -> float:
    """The seconds of a whole fit, by the pace of its beginning; loading and compiling happen once and do not count."""
    pace = _Pace(budget)
    arguments = ours.encode_arguments(settings, our)
    started = time.perf_counter()
    try:
        ours.codec_of(settings).encode(source.pixels, **arguments, progress=pace)
    except _Enough:
        return pace.seconds_per_iteration * pace.iterations
    if not pace.known:
        return time.perf_counter() - started
    return pace.seconds_per_iteration * pace.first_iteration + time.perf_counter() - pace.first_time


class _Pace:
    """A progress callback that measures a fit's pace, and ends the fit when the budget of seconds is spent."""

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self.first_iteration = self.iteration = self.iterations = 0
        self.first_time = self.time = 0.0

    def __call__(self, progress: Any) -> None:
        self.iteration, self.iterations, self.time = progress.iteration, progress.iterations, time.perf_counter()
        if not self.first_iteration:
            self.first_iteration, self.first_time = self.iteration, self.time
        elif self.known and self.time - self.first_time >= self.budget:
            raise _Enough

    @property
    def known(self) -> bool:
        return self.iteration > self.first_iteration

    @property
    def seconds_per_iteration(self) -> float:
        return (self.time - self.first_time) / (self.iteration - self.first_iteration)


def _peer_seconds(settings: BenchSettings, source: sources.Source) -> tuple[float, float]:
    """The seconds of the peers' curves, and of matching them to one of our files."""
    original = as_rgb(source.pixels)
    image = Image.fromarray(source.pixels)
    _metric_seconds(original)  # the first time, libraries are loaded
    curves = matching = 0.0
    for name in settings.peers:
        baseline = BASELINES[name]
        started = time.perf_counter()
        setting = PeerSetting(baseline.variants[0], baseline.sweep[len(baseline.sweep) // 2])
        copy = baselines.decode(baselines.make(baseline, image, setting))
        metrics.psnr_db(original, copy)
        one = time.perf_counter() - started
        full = one + _metric_seconds(original)
        curves += full * len(baselines.sweep_settings(baseline))
        matching += 2 * full + one * _SHARE_TRIED * len(baseline.qualities) * len(baseline.variants)
    return curves, matching


def _metric_seconds(original: Samples) -> float:
    started = time.perf_counter()
    metrics.ssim(original, original)
    metrics.ms_ssim(original, original)
    metrics.ssimulacra2(original, original)
    metrics.flip(original, original)
    return time.perf_counter() - started
