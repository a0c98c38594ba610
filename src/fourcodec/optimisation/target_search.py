"""Looking for the lambda at which a file meets a target, over fits of any kind.

    probe:    short fits from nothing: where about the target lies, and how steeply bytes or PSNR fall with lambda
    fit:      the rest of a whole fit there, on from the last probe
    move:     a third of a fit, on from there, while the target is far: as good as a whole one at the new lambda
    correct:  short ones, all on from the last of these, until one is within the target

Nothing is assumed of a fit but that bytes and PSNR fall as lambda rises, roughly: fits are noisy, the same lambda gives
more PSNR after more steps, and a correction is too short to go all the way to where its lambda leads. Corrections
therefore all go on from the same fit and are compared with each other only.
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
NEAR = 0.3  # ln lambda: a probe that is so near the target is near enough for the whole fit
FAR = 0.8  # ln lambda: what is farther is no correction
LONGEST_STEP, LONGEST_CORRECTION = 2.5, 1.2  # ln lambda between two fits
STRETCHED = 2.0  # ln lambda from the first: a correction beyond it becomes what others start from
SLOPES = (0.1, 3.0)  # of the target's own slope: what a secant may say
SHORTEST_SECANT = 0.05  # ln lambda; noise decides below
WEAK = 0.3  # of the usual slope: fits of so few steps no longer tell lambdas apart
CLOSED = 0.01  # ln lambda: a bracket that is smaller and holds nothing was closed by noise


@dataclass(frozen=True)
class Point(Generic[State]):
    """A fit and the file that it gave."""

    rate_weight: float
    size_bytes: int
    psnr_db: float  # of the decoded pixels; infinite for an exact copy
    state: State


@dataclass(frozen=True)
class Stage:
    """Which part of the search a fit is: its name for people, its steps, and about how many are still to come after it,
    as a share of its own."""

    name: str
    part: Part
    later: float


class Fit(Protocol[State]):
    """Fits at lambda `rate_weight`: from nothing, or on from `start`."""

    def __call__(self, rate_weight: float, start: Point[State] | None, stage: Stage) -> Point[State]: ...


@dataclass(frozen=True)
class Plan:
    """least, most: bounds of lambda; probe, correction: how long these fits are; probes, moves, corrections: how many
    there are at most."""

    least: float
    most: float
    probe: Part
    correction: Part
    probes: int = 4
    moves: int = 4
    corrections: int = 12

    def clip(self, log_weight: float) -> float:
        return min(max(log_weight, math.log(self.least)), math.log(self.most))


def search(target: Target, fit: Fit[State], guess: float, plan: Plan) -> Point[State]:
    """A fit that meets the target, beginning at lambda `guess`.

    Raises TargetError, with the nearest that was reached, where there is none between the bounds of lambda, or where
    the corrections do not find it.
    """
    at, probe, slope = _probe(target, fit, guess, plan)
    later = USUAL_CORRECTIONS * plan.correction.share
    rest = Part(1 - plan.probe.share, begin=plan.probe.share)
    point = fit(math.exp(at), probe, Stage("fit", rest, later / rest.share))
    for number in range(plan.moves):
        step = -_miss(target, point) / slope
        wanted = plan.clip(at + _limit(step, LONGEST_STEP))
        if abs(step) <= FAR or wanted == at:
            break
        moved = fit(math.exp(wanted), point, Stage(f"move {number + 1}", MOVE, later / MOVE.share))
        slope = _secant((at, _miss(target, point)), (wanted, _miss(target, moved)), slope, target.slope)
        at, point = wanted, moved
    return _correct(target, fit, point, slope, plan)


def _probe(target: Target, fit: Fit[State], guess: float, plan: Plan) -> tuple[float, Point[State], float]:
    """Where the whole fit should be (ln lambda), the last probe, and the slope."""
    at, slope, last = plan.clip(math.log(guess)), target.slope, None
    later = (1 + USUAL_CORRECTIONS * plan.correction.share) / plan.probe.share
    for number in range(plan.probes):
        point = fit(math.exp(at), None, Stage(f"probe {number + 1}", plan.probe, later))
        miss = _miss(target, point) + target.short_of(plan.probe.share)
        if last is not None:
            slope = _secant(last, (at, miss), slope, target.slope)
            if slope > WEAK * target.slope:
                return last[0] + _limit(-last[1] / target.slope, LONGEST_CORRECTION), point, target.slope
        last, step = (at, miss), _limit(-miss / slope, LONGEST_STEP)
        at = plan.clip(at + step)
        if abs(step) <= NEAR or at == last[0]:
            break
    return at, point, slope


def _correct(target: Target, fit: Fit[State], base: Point[State], slope: float, plan: Plan) -> Point[State]:
    """Fits on from a whole fit, until that meets the target."""
    nearest, line = base, _Line(math.log(base.rate_weight), _miss(target, base), slope, target.slope)
    for number in range(plan.corrections):
        if target.met(nearest.size_bytes, nearest.psnr_db):
            break
        at = plan.clip(line.next())
        if at == line.last:
            break
        point = fit(math.exp(at), base, Stage(f"correction {number + 1}", plan.correction, 0.0))
        miss = _miss(target, point)
        line.add(at, miss)
        if target.met(point.size_bytes, point.psnr_db) or abs(miss) < abs(_miss(target, nearest)):
            nearest = point
        if line.stretched:
            base, line = point, _Line(at, miss, line.slope, target.slope)
    if target.met(nearest.size_bytes, nearest.psnr_db):
        return nearest
    reached = target.shown(nearest.size_bytes, nearest.psnr_db)
    message = f"{target} cannot be reached: the nearest that was is {reached}"
    raise TargetError(message, short=_miss(target, nearest) < 0)


class _Line:
    """Where to look next, among fits that all go on from one and the same: from different ones they would contradict
    each other, since none is long enough to forget where it began."""

    def __init__(self, at: float, miss: float, slope: float, usual: float) -> None:
        """ln lambda and miss of the fit that the others start from, and the slope as far as it is known."""
        self._base, self._point, self.slope, self._usual = at, (at, miss), slope, usual
        self._ends: dict[bool, tuple[float, float]] = {}  # True: too many bytes or dB, lambda is too small
        self.last = at

    def add(self, at: float, miss: float) -> None:
        if self._point[0] != self._base:
            self.slope = _secant(self._point, (at, miss), self.slope, self._usual)
        self._point, self._ends[miss > 0], self.last = (at, miss), (at, miss), at
        if len(self._ends) == 2 and self._ends[False][0] - self._ends[True][0] < CLOSED:
            del self._ends[miss <= 0]

    def next(self) -> float:
        """By the secant between both sides of the target, not too near to either; else along the slope."""
        if len(self._ends) == 2:
            (low, over), (high, under) = self._ends[True], self._ends[False]
            return low + (high - low) * min(max(over / (over - under), 0.15), 0.85)
        at, miss = self._point
        return at + _limit(-miss / self.slope, LONGEST_CORRECTION)

    @property
    def stretched(self) -> bool:
        """Whether the target is on one side of all and the last is far from the first."""
        return len(self._ends) == 1 and abs(self.last - self._base) > STRETCHED


def _limit(step: float, longest: float) -> float:
    return min(max(step, -longest), longest)


def _miss(target: Target, point: Point[State]) -> float:
    return target.miss(point.size_bytes, point.psnr_db)


def _secant(first: tuple[float, float], second: tuple[float, float], slope: float, usual: float) -> float:
    """The slope between two points (ln lambda, miss), within what is likely; `slope` where they are too near."""
    run = second[0] - first[0]
    if abs(run) < SHORTEST_SECANT:
        return slope
    found = (second[1] - first[1]) / run
    return min(max(found, SLOPES[1] * usual), SLOPES[0] * usual)
