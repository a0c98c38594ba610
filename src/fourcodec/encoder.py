"""From planes to the bytes of a file: the fits, and the networks' sizes, for each kind of request.

a quality:    one fit at its lambda
a size alone: one fit, which sets the price of a bit itself (fnet/fit/settings.py, BIT_WORTH)
a target:     a search over lambda (optimisation/target_search.py), each of whose fits is packed, decoded and measured
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec.bitstream import container
from fourcodec.bitstream.container import Section
from fourcodec.errors import LimitError, TargetError
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import FnetConfig
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.fnet.fit.settings import MOST_FROM_START, FitSettings, settings_for
from fourcodec.fnet.fit.sizes import coefficient_count, laid_out, next_size, size_for, size_for_bytes, with_order
from fourcodec.fnet.trained_starts import number_for
from fourcodec.grid import config as grid_config
from fourcodec.grid import profile as grid
from fourcodec.grid.fit import fit as grid_fit
from fourcodec.grid.fit.settings import grid_settings_for
from fourcodec.grid.fit.start import phase_index
from fourcodec.grid.trained_starts import nearest_trained_start
from fourcodec.limits import DEFAULT, Limits
from fourcodec.optimisation.progress import Progress, StageReport
from fourcodec.optimisation.settings import WHOLE, Part, rate_weight_of
from fourcodec.optimisation.target_search import MOVE, Plan, Point, Stage, search
from fourcodec.optimisation.targets import QualityTarget, ScoreTarget, SizeTarget, Target, rate_target
from fourcodec.profiles import PROFILES, Profile
from fourcodec.request import DEFAULT_QUALITY, Request
from fourcodec.threads import thread_count
from fourcodec.views import whole

FEWEST_PROBE_ITERATIONS = 300
Report = Callable[[Progress], None] | None


@dataclass(frozen=True)
class Subject:
    """An image as it is encoded.

    planes: (1 or 3, H, W) float32 in [0, 1]. visible: (H, W), False where alpha hides the pixel and errors do not
    count, or None where all count. channels, bit_depth: those of the file, alpha included. beside: the sections of
    alpha and metadata.
    """

    planes: NDArray[np.float32]
    visible: NDArray[np.bool_] | None
    channels: int
    bit_depth: int
    beside: list[Section]


class Fits(Protocol):
    """Fits of one image in one profile."""

    profile: Profile[Any, Any]
    plan: Plan  # how lambda is searched for

    def whole(self, report: Report) -> Any:
        """Runs the fit of a request without a target and returns the quantised network. Raises LimitError."""

    def fit(self, rate_weight: float, part: Part, start: Any, report: Report) -> Any:
        """Runs `part` of a fit at lambda `rate_weight` and returns the quantised network. It begins at the network
        `start`, or at initial values where that is None. Raises LimitError."""

    def resize(self, larger: bool) -> bool:
        """Chooses a larger or smaller network for further fits, because the target is beyond the reach of this one.
        Returns False where there is no other size."""


class Made(NamedTuple):
    """A file, and the quantised network that is in it."""

    data: bytes
    network: Any


def _probe(iterations: int) -> Part:
    """A tenth of a fit, or as much more as it takes to tell one lambda from another."""
    return Part(min(max(0.1, FEWEST_PROBE_ITERATIONS / iterations), 0.5))


@dataclass
class _FitsOf:
    """The arguments of fits of both profiles."""

    subject: Subject
    request: Request
    effort: int
    iterations: int | None
    seed: int
    device: str
    limits: Limits = DEFAULT
    started: float = 0.0  # when max_seconds began, as time.perf_counter() has it


@dataclass
class GridFits(_FitsOf):
    """Fits in the profile grid."""

    def __post_init__(self) -> None:
        self.profile = PROFILES[grid.PROFILE_ID]
        _, height, width = self.subject.planes.shape
        self._whole = grid_settings_for(
            DEFAULT_QUALITY, self.effort, self.iterations, self.request.max_seconds, height * width, self.request.tune
        )
        if self.device == "cpu":
            self._whole.check_hope(height * width, thread_count())
        # In the last half of the schedule latents stay where they are, whatever lambda.
        self.plan = Plan(1e-5, 0.5, _probe(self._whole.iterations), correction=Part(0.15, begin=0.4))

    def whole(self, report: Report) -> Any:
        """Implements `Fits.whole`."""
        quality = DEFAULT_QUALITY if self.request.quality is None else self.request.quality
        return self.fit(rate_weight_of(quality), WHOLE, None, report)

    def fit(self, rate_weight: float, part: Part, start: Any, report: Report) -> Any:
        """Implements `Fits.fit`; `report` is called with the progress."""
        channels, height, width = self.subject.planes.shape
        if start is None:
            trained_start = nearest_trained_start(rate_weight)
            config = grid_config.config_for(height, width, channels, phase_index(rate_weight), trained_start)
        else:
            config = start.config
        self.limits.check_memory(self.profile.memory_pixels(config))
        settings = self._whole.part(part, rate_weight)
        if settings.max_seconds is not None:
            left = settings.max_seconds - (time.perf_counter() - self.started)
            if left <= 0:
                raise LimitError("too little time: it was over before the fit began")
            settings = replace(settings, max_seconds=left)
        return grid_fit.fit(
            self.subject.planes, config, settings,
            seed=self.seed, device=self.device, report=report, start=start, visible=self.subject.visible,
        )  # fmt: skip

    def resize(self, larger: bool) -> bool:
        """Implements `Fits.resize`; the grid has one size."""
        return False


@dataclass
class FnetFits(_FitsOf):
    """Fits in the profile fnet. The network has the requested width and depth, and the order that suits lambda; without
    them, the size that suits a target in bytes, or else each lambda (fnet/fit/sizes.py)."""

    def __post_init__(self) -> None:
        self.profile = PROFILES[fnet.PROFILE_ID]
        self._latest = tuple[int, ...]()
        self._missed = set[int]()  # sizes, by the number of their coefficients
        self._whole = settings_for(self.effort, self.iterations)
        self._size: tuple[int, ...] | None = None  # of fits at any lambda
        _, height, width = self.subject.planes.shape
        target = target_of(self.request, width, height)
        if self.request.size is None and isinstance(target, SizeTarget):
            self._size = size_for_bytes(target.size_bytes, height * width, self._whole.iterations)
        self.plan = Plan(1e-7, 2.0, _probe(self._whole.iterations), correction=Part(0.1, begin=0.7))

    def whole(self, report: Report) -> Any:
        """Implements `Fits.whole`."""
        if self.request.quality is not None:
            return self.fit(rate_weight_of(self.request.quality), WHOLE, None, report)
        return self._fitted(self._config(self._size_at(None)), self._whole, None, report)

    def fit(self, rate_weight: float, part: Part, start: Any, report: Report) -> Any:
        """Implements `Fits.fit`; `report` is called with the progress."""
        size = laid_out(self._size_at(rate_weight), *self.subject.planes.shape[1:])
        if start is not None and start.config.size != size and part == MOVE:  # far away, another size is better
            start, part = None, WHOLE
        config = self._config(size) if start is None else start.config
        self._latest = config.size
        return self._fitted(config, self._whole.part(part, rate_weight), start, report)

    def _size_at(self, rate_weight: float | None) -> tuple[int, ...]:
        """The size at a lambda, None where the fit chooses it."""
        _, height, width = self.subject.planes.shape
        if self.request.size is not None:
            return with_order(self.request.size, rate_weight, height * width)
        if self._size is not None:
            return self._size
        assert rate_weight is not None, "a request without a size has a quality or a target"
        return size_for(rate_weight, height * width, self._whole.iterations)

    def _config(self, size: tuple[int, ...]) -> FnetConfig:
        """The config of a network of this size, with its trained start where there is one and it helps."""
        prior = number_for(size) if self._whole.iterations <= MOST_FROM_START else 0
        return FnetConfig.of_size(size, len(self.subject.planes), prior=prior)

    def _fitted(self, config: FnetConfig, settings: FitSettings, start: Any, report: Report) -> Any:
        _, height, width = self.subject.planes.shape
        self.limits.check_work(fnet.multiplications(config, whole(width, height)))  # before minutes are spent
        return fnet_fit.fit(
            self.subject.planes, config, settings,
            seed=self.seed, device=self.device, report=report, start=start, visible=self.subject.visible,
        )  # fmt: skip

    def resize(self, larger: bool) -> bool:
        """Implements `Fits.resize`. A requested size is kept, and no size is tried twice."""
        self._missed.add(coefficient_count(self._latest))
        _, height, width = self.subject.planes.shape
        size = None if self.request.size is not None else next_size(self._latest, height * width, larger=larger)
        if size is None or coefficient_count(size) in self._missed:
            return False
        self._size = size
        return True


def target_of(request: Request, width: int, height: int) -> Target | None:
    """The target of a request for an image of width x height pixels; None where it has none."""
    if request.target_bytes is not None:
        return SizeTarget(request.target_bytes)
    if request.target_bpp is not None:
        return rate_target(request.target_bpp, width, height)
    if request.target_ssimulacra2 is not None:
        return ScoreTarget(request.target_ssimulacra2)
    return None if request.target_psnr is None else QualityTarget(request.target_psnr)


class Encoder:
    """Makes files of one image."""

    def __init__(self, subject: Subject, fits: Fits) -> None:
        self._subject, self._fits = subject, fits
        _, self._height, self._width = subject.planes.shape

    def encode(self, request: Request, quality_of: Callable[[bytes], float], report: Report) -> Made:
        """Makes the requested file. quality_of decodes a file and returns its PSNR in dB, or its SSIMULACRA 2 where
        that is the target. Raises TargetError and LimitError."""
        target = target_of(request, self._width, self._height)
        if target is not None:
            return self._search(target, quality_of, report)
        return self._made(self._fits.whole(report))

    def _search(self, target: Target, quality_of: Callable[[bytes], float], report: Report) -> Made:
        def fit(rate_weight: float, start: Point[Made] | None, stage: Stage) -> Point[Made]:
            watched = None if report is None else StageReport(report, stage.name, stage.later)
            made = self._made(self._fits.fit(rate_weight, stage.part, start and start.state.network, watched))
            return Point(rate_weight, len(made.data), quality_of(made.data), made)

        while True:
            try:
                return search(target, fit, target.guess(self._width * self._height), self._fits.plan).state
            except TargetError as exc:
                # Sizes go with lambda in steps, and a target may lie between what two neighbours come to.
                if not self._fits.resize(larger=exc.short):
                    raise

    def _made(self, network: Any) -> Made:
        return Made(self._write(network), network)

    def _write(self, network: Any) -> bytes:
        profile = self._fits.profile
        fields, sections = profile.pack(network)
        header = container.Header(
            width=self._width,
            height=self._height,
            channels=self._subject.channels,
            profile=profile.PROFILE_ID,
            bit_depth=self._subject.bit_depth,
            **fields,
        )
        return container.write(header, [*sections, *self._subject.beside])
