"""The search for a target, over stub fits with known curves of bytes and PSNR."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fourcodec.errors import TargetError
from fourcodec.optimisation.settings import Part
from fourcodec.optimisation.target_search import MOVE, Plan, Point, Stage, search
from fourcodec.optimisation.targets import QualityTarget, ScoreTarget, SizeTarget, Target, rate_target

PLAN = Plan(1e-6, 1.0, Part(0.1), Part(0.1, begin=0.7))
PIXELS = 65536


@dataclass
class StubFit:
    """ln bytes and PSNR fall with ln lambda; fits of few steps are worse, continued ones lag behind their lambda, all
    are noisy."""

    bytes_slope: float = 0.5
    db_slope: float = 2.0
    scale: float = 1.0
    noise: float = 0.0  # of ln bytes; PSNR has as much, in tenths of a dB
    lag: float = 0.0  # of the way back to the lambda that a continued fit started from
    wave: float = 0.0  # of ln bytes: not monotone
    step: int = 1  # files have a multiple of so many bytes
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    stages: list[Stage] = field(default_factory=list)

    def __call__(self, rate_weight: float, start: Point[float] | None, stage: Stage) -> Point[float]:
        assert PLAN.least * 0.999 <= rate_weight <= PLAN.most * 1.001
        assert (start is None) == stage.name.startswith("probe")
        self.stages.append(stage)
        at = math.log(rate_weight)
        if start is not None and stage.name != "fit":
            at += self.lag * (0.3 if stage.part == MOVE else 1.0) * (start.state - at)
        short = 1.0 if start is None else 0.0
        log_bytes = math.log(4000 * self.scale) - self.bytes_slope * (at - math.log(1e-3)) + 0.1 * short
        log_bytes += self.wave * math.sin(9 * at) + self.chance.uniform(-self.noise, self.noise)
        psnr_db = 30 - self.db_slope * (at - math.log(1e-3)) - 1.2 * short
        psnr_db += 10 * self.chance.uniform(-self.noise, self.noise)
        size_bytes = max(60, self.step * round(math.exp(log_bytes) / self.step))
        return Point(rate_weight, size_bytes, psnr_db, at)

    @property
    def whole_fits(self) -> float:
        return sum(stage.part.share for stage in self.stages)


def find(target: Target, fit: StubFit) -> Point[float]:
    found = search(target, fit, target.guess(PIXELS), PLAN)
    assert target.met(found.size_bytes, found.quality)
    return found


curves = st.builds(
    StubFit,
    bytes_slope=st.floats(0.15, 0.8),
    db_slope=st.floats(0.7, 3.5),
    scale=st.floats(0.5, 2.0),
    noise=st.floats(0, 0.004),
    lag=st.floats(0, 0.7),
    wave=st.floats(0, 0.01),
    chance=st.builds(random.Random, st.integers(0, 999)),
)


@given(curves, st.floats(math.log(2500), math.log(6500)))
def test_bytes_are_met_from_below_whatever_the_curve(fit: StubFit, log_bytes: float) -> None:
    size_bytes = round(math.exp(log_bytes))
    # The flattest curves reach neither the smallest nor the largest sizes before lambda's bounds; such are refused,
    # rightly.
    at_most, at_least = (
        math.log(4000 * fit.scale) - fit.bytes_slope * math.log(rate_weight / 1e-3)
        for rate_weight in (PLAN.most, PLAN.least)
    )
    assume(at_most + 0.1 < log_bytes < at_least - 0.1)
    found = find(SizeTarget(size_bytes), fit)
    assert 0.97 * size_bytes <= found.size_bytes <= size_bytes


@pytest.mark.parametrize("score", [10.0, 30.0, 60.0])
def test_a_score_is_met_from_above(score: float) -> None:
    found = find(ScoreTarget(score), StubFit(db_slope=9))
    assert score <= found.quality <= score + 1


@given(curves, st.floats(27, 33))
def test_psnr_is_met_from_above_whatever_the_curve(fit: StubFit, psnr_db: float) -> None:
    found = find(QualityTarget(psnr_db), fit)
    assert psnr_db <= found.quality <= psnr_db + 0.1


@pytest.mark.parametrize("target", [SizeTarget(4000), SizeTarget(2500), QualityTarget(31.0), QualityTarget(26.0)])
def test_an_ordinary_search_costs_less_than_two_fits(target: Target) -> None:
    fit = StubFit(noise=0.003, lag=0.4)
    find(target, fit)
    assert fit.whole_fits < 2


def test_coarse_sizes_are_met_where_one_is_within() -> None:
    assert find(SizeTarget(4010), StubFit(step=100)).size_bytes == 4000


@pytest.mark.parametrize(
    ("target", "nearest"),
    [
        (SizeTarget(20), r"20 bytes .* nearest that was is 126 bytes"),
        (SizeTarget(10**6), r"1000000 bytes .* nearest that was is 126491 bytes"),
        (QualityTarget(60.0), r"60 dB .* nearest that was is 43\.8\d dB"),
        (QualityTarget(5.0), r"5 dB .* nearest that was is 16\.1\d dB"),
    ],
)
def test_what_is_out_of_reach_is_refused_with_the_nearest(target: Target, nearest: str) -> None:
    fit = StubFit()
    with pytest.raises(TargetError, match=nearest):
        search(target, fit, target.guess(PIXELS), PLAN)
    assert fit.whole_fits < 3


def test_a_gap_in_the_sizes_ends_in_a_refusal() -> None:
    with pytest.raises(TargetError, match=r"nearest that was is (3000|6000) bytes"):
        search(SizeTarget(4500), StubFit(step=3000), 1e-3, PLAN)


def test_a_copy_that_is_always_exact_is_too_good_for_a_target_in_db() -> None:
    def fit(rate_weight: float, start: Point[None] | None, stage: Stage) -> Point[None]:
        return Point(rate_weight, 70, math.inf, None)

    with pytest.raises(TargetError, match="nearest that was is an exact copy"):
        search(QualityTarget(40.0), fit, 1e-3, PLAN)


@pytest.mark.parametrize(
    ("target", "within", "outside"),
    [
        (SizeTarget(1000), [(970, 0), (1000, 0)], [(969, 0), (1001, 0)]),
        (SizeTarget(10), [(10, 0)], [(9, 0), (11, 0)]),
        (rate_target(0.5, 100, 80), [(500, 0), (485, 0)], [(501, 0), (484, 0)]),
        (rate_target(1e-9, 100, 80), [(1, 0)], [(2, 0)]),
        (QualityTarget(30.0), [(0, 30.0), (0, 30.1)], [(0, 29.99), (0, 30.11), (0, math.inf)]),
    ],
)
def test_the_tolerances(target: Target, within: list[tuple[int, float]], outside: list[tuple[int, float]]) -> None:
    assert all(target.met(*point) and abs(target.miss(*point)) <= 1 + 1e-9 for point in within if point[0] != 10)
    assert not any(target.met(*point) for point in outside)


@pytest.mark.parametrize("guess_of", [SizeTarget(3000).guess, QualityTarget(30.0).guess])
def test_guesses_are_ordinary_lambdas(guess_of: Callable[[int], float]) -> None:
    assert all(1e-5 < guess_of(pixels) < 1 for pixels in (1 << 16, 1 << 19))
