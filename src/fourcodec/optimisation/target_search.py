"""The search for the lambda at which a file meets a target, over fits of any profile.

    probe:    short fits from nothing; they show about where the target lies and how fast bytes or quality fall
    fit:      the rest of a whole fit at that lambda, a warm start from the last probe
    move:     0.3 of a whole fit and as good as one, a warm start from the fit before, while the target is far
    correct:  short fits, all warm starts from the last fit or move, until one meets the target

The search assumes only that bytes and quality fall as lambda rises, roughly. Fits are noisy, and one lambda gives
better files after more iterations. A correction is too short to converge at its lambda, so its result depends on its
start as well. Therefore all corrections start from the same fit and are compared only with each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from fourcodec.errors import TargetError
from fourcodec.optimisation.settings import Part
from fourcodec.optimisation.targets import Target

State = TypeVar("State")

MOVE = Part(0.3, begin=0.3)
USUAL_CORRECTIONS = 2
# Distances in ln lambda
NEAR = 0.3  # a probe so near the target is near enough for the whole fit
FAR = 0.8  # a target farther than that takes a move before corrections
LONGEST_CHANGE, LONGEST_CORRECTION = 2.5, 1.2  # from one fit to the next: of moves and probes, of corrections
STRETCHED = 2.0  # a correction farther than that from its start becomes the start of the next ones
SHORTEST_SECANT = 0.05  # between nearer points the slope is mostly noise
CLOSED = 0.01  # a bracket smaller than that without a hit was closed by noise
# Relative to the target's usual slope
SLOPES = (0.1, 3.0)  # bounds of a secant's slope
WEAK = 0.3  # where the slope is weaker, fits have too few iterations to tell two lambdas apart


@dataclass(frozen=True)
class Point(Generic[State]):
    """A fit at lambda `rate_weight`, its state, and the size and quality of its file."""

    rate_weight: float
    size_bytes: int
    quality: float  # of the decoded pixels, as the target measures it
    state: State


@dataclass(frozen=True)
class Stage:
    """A fit's place in the search: its name for the user, its part of a whole fit, and about how many iterations come
    after it, as a multiple of its own."""

    name: str
    part: Part
    later: float


class Fit(Protocol[State]):
    """A function that makes a fit at lambda `rate_weight`, from nothing or as a warm start from `start`."""

    def __call__(self, rate_weight: float, start: Point[State] | None, stage: Stage) -> Point[State]: ...


@dataclass(frozen=True)
class Plan:
    """The limits of a search. least, most: bounds of lambda. probe, correction: the length of these fits. probes,
    moves, corrections: their largest numbers."""

    least: float
    most: float
    probe: Part
    correction: Part
    probes: int = 4
    moves: int = 4
    corrections: int = 12

    def clip(self, log_weight: float) -> float:
        """ln lambda, clipped to the bounds."""
        return min(max(log_weight, math.log(self.least)), math.log(self.most))


def search(target: Target, fit: Fit[State], guess: float, plan: Plan) -> Point[State]:
    """A fit that meets the target, found from lambda `guess` on.

    Raises TargetError, which names the nearest result, where no lambda within the bounds meets the target or the
    corrections do not find one.
    """
    at, probe, slope = _probe(target, fit, guess, plan)
    later = USUAL_CORRECTIONS * plan.correction.share
    rest = Part(1 - plan.probe.share, begin=plan.probe.share)
    point = fit(math.exp(at), probe, Stage("fit", rest, later / rest.share))
    for number in range(plan.moves):
        change = -_miss(target, point) / slope
        wanted = plan.clip(at + _limit(change, LONGEST_CHANGE))
        if abs(change) <= FAR or wanted == at:
            break
        moved = fit(math.exp(wanted), point, Stage(f"move {number + 1}", MOVE, later / MOVE.share))
        slope = _secant((at, _miss(target, point)), (wanted, _miss(target, moved)), slope, target.slope)
        at, point = wanted, moved
    return _correct(target, fit, point, slope, plan)


def _probe(target: Target, fit: Fit[State], guess: float, plan: Plan) -> tuple[float, Point[State], float]:
    """The ln lambda for the whole fit, the last probe, and the slope of the miss by ln lambda."""
    at, slope, last = plan.clip(math.log(guess)), target.slope, None
    later = (1 + USUAL_CORRECTIONS * plan.correction.share) / plan.probe.share
    for number in range(plan.probes):
        point = fit(math.exp(at), None, Stage(f"probe {number + 1}", plan.probe, later))
        miss = _miss(target, point) + target.short_of(plan.probe.share)
        if last is not None:
            slope = _secant(last, (at, miss), slope, target.slope)
            if slope > WEAK * target.slope:
                return last[0] + _limit(-last[1] / target.slope, LONGEST_CORRECTION), point, target.slope
        last, change = (at, miss), _limit(-miss / slope, LONGEST_CHANGE)
        at = plan.clip(at + change)
        if abs(change) <= NEAR or at == last[0]:
            break
    return at, point, slope


def _correct(target: Target, fit: Fit[State], base: Point[State], slope: float, plan: Plan) -> Point[State]:
    """Corrects `base`, a whole fit, until a result meets the target."""
    nearest, line = base, _Line(math.log(base.rate_weight), _miss(target, base), slope, target.slope)
    for number in range(plan.corrections):
        if target.met(nearest.size_bytes, nearest.quality):
            break
        at = plan.clip(line.next())
        if at == line.last:
            break
        point = fit(math.exp(at), base, Stage(f"correction {number + 1}", plan.correction, 0.0))
        miss = _miss(target, point)
        line.add(at, miss)
        if target.met(point.size_bytes, point.quality) or abs(miss) < abs(_miss(target, nearest)):
            nearest = point
        if line.stretched:
            base, line = point, _Line(at, miss, line.slope, target.slope)
    if target.met(nearest.size_bytes, nearest.quality):
        return nearest
    reached = target.shown(nearest.size_bytes, nearest.quality)
    message = f"{target} cannot be reached: the nearest that was is {reached}"
    raise TargetError(message, short=_miss(target, nearest) < 0)


class _Line:
    """The choice of the next lambda among corrections that all start from the same fit.

    Corrections from different fits could contradict each other: a correction is too short to become independent of its
    starting point.
    """

    def __init__(self, at: float, miss: float, slope: float, usual: float) -> None:
        """at, miss: ln lambda and miss of the common start. slope, usual: the slope as estimated so far, and the
        target's usual one."""
        self._base, self._point, self.slope, self._usual = at, (at, miss), slope, usual
        self._ends: dict[bool, tuple[float, float]] = {}  # True: too many bytes or dB, lambda is too small
        self.last = at

    def add(self, at: float, miss: float) -> None:
        """Adds a correction at ln lambda `at`. Where both ends of the bracket have come closer than CLOSED, the older
        one is dropped."""
        if self._point[0] != self._base:
            self.slope = _secant(self._point, (at, miss), self.slope, self._usual)
        self._point, self._ends[miss > 0], self.last = (at, miss), (at, miss), at
        if len(self._ends) == 2 and self._ends[False][0] - self._ends[True][0] < CLOSED:
            del self._ends[miss <= 0]

    def next(self) -> float:
        """The next ln lambda: by the secant where there are points on both sides of the target, kept away from both
        ends; else along the slope."""
        if len(self._ends) == 2:
            (low, over), (high, under) = self._ends[True], self._ends[False]
            return low + (high - low) * min(max(over / (over - under), 0.15), 0.85)
        at, miss = self._point
        return at + _limit(-miss / self.slope, LONGEST_CORRECTION)

    @property
    def stretched(self) -> bool:
        """True if all corrections lie on one side of the target and the last is far from the start."""
        return len(self._ends) == 1 and abs(self.last - self._base) > STRETCHED


def _limit(change: float, longest: float) -> float:
    return min(max(change, -longest), longest)


def _miss(target: Target, point: Point[State]) -> float:
    return target.miss(point.size_bytes, point.quality)


def _secant(first: tuple[float, float], second: tuple[float, float], slope: float, usual: float) -> float:
    """The slope between two points (ln lambda, miss), limited to SLOPES times the usual one; `slope` where the points
    are too near each other."""
    run = second[0] - first[0]
    if abs(run) < SHORTEST_SECANT:
        return slope
    found = (second[1] - first[1]) / run
    return min(max(found, SLOPES[1] * usual), SLOPES[0] * usual)
