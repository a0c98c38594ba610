"""The search for a target over sizes of the pure network, on stub fits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fourcodec import encoder
from fourcodec.errors import LimitError, TargetError
from fourcodec.fnet.config import FnetConfig
from fourcodec.fnet.fit import fit as fnet_fit
from fourcodec.fnet.fit.settings import MOST_FROM_START, FitSettings
from fourcodec.fnet.fit.sizes import LIMIT, SIDE_BY_SIDE, coefficient_count, rows, size_for_bytes
from fourcodec.fnet.trained_starts import number_for
from fourcodec.request import Request
from tests.support.stubs import StubNetwork

SIDE = 627  # pixels: about as many as Kodak's pictures have
SIZES = sorted({*(row.size for row in rows()), *SIDE_BY_SIDE}, key=coefficient_count)


def encoder_of(
    monkeypatch: pytest.MonkeyPatch,
    request: Request,
    bytes_of: Callable[[FnetConfig, float], float],
    picture: tuple[int, int] = (SIDE, SIDE),
) -> Any:
    """An Encoder whose files of a size and lambda have bytes_of(config, lambda) bytes, and the sizes that it fits."""
    fitted: list[tuple[int, ...]] = []

    def fit(planes: Any, config: FnetConfig, settings: FitSettings, **others: Any) -> StubNetwork:
        fitted.append(config.size)
        return StubNetwork(config, np.zeros(max(1, round(bytes_of(config, settings.rate_weight))), np.uint8))

    monkeypatch.setattr(fnet_fit, "fit", fit)
    monkeypatch.setattr(encoder.Encoder, "_write", lambda self, network: network.samples.tobytes())
    subject = encoder.Subject(np.zeros((3, *picture), np.float32), None, 3, 8, [])
    made = encoder.Encoder(subject, encoder.FnetFits(subject, request, 5, None, 0, "cpu"))
    return made, fitted


def saturating(config: FnetConfig, rate_weight: float) -> float:
    """Bytes of a network: at most 5 bits for each of its coefficients."""
    return config.coefficient_count * 5 / 8 / (1 + (rate_weight / 1e-2) ** 0.7)


def test_a_target_beyond_the_size_that_is_best_for_it_is_met_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    target = 6000
    best = size_for_bytes(target, SIDE * SIDE, 5000)
    assert saturating(FnetConfig.of_size(best, 3), 0) < target
    made, fitted = encoder_of(monkeypatch, Request(profile="fnet", target_bytes=target), saturating)
    data, _ = made.encode(Request(profile="fnet", target_bytes=target), lambda data: 30.0, None)
    assert 0.97 * target <= len(data) <= target
    assert fitted[0] == best
    assert coefficient_count(fitted[-1]) > coefficient_count(best)


@pytest.mark.parametrize(("picture", "cells"), [((500, 780), (2, 3)), ((780, 500), (3, 2))])
def test_cells_are_laid_out_for_the_picture(
    picture: tuple[int, int], cells: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request(profile="fnet", target_bytes=25_000)
    made, fitted = encoder_of(monkeypatch, request, saturating, picture)
    made.encode(request, lambda data: 30.0, None)
    assert fitted[-1][3:] == cells
    assert len(set(fitted)) == 1


def test_what_no_size_can_have_is_refused_after_each_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(profile="fnet", target_bytes=10**6)
    made, fitted = encoder_of(monkeypatch, request, saturating)
    with pytest.raises(TargetError, match="1000000 bytes cannot be reached"):
        made.encode(request, lambda data: 30.0, None)
    assert fitted[-1] == SIZES[-1]


def test_a_size_that_was_asked_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(width=6, depth=5, target_bytes=30_000)
    made, fitted = encoder_of(monkeypatch, request, saturating)
    with pytest.raises(TargetError):
        made.encode(request, lambda data: 30.0, None)
    assert {size[:2] for size in fitted} == {(6, 5)}


@pytest.mark.parametrize("from_start", [True, False])
def test_only_short_fits_begin_at_a_trained_start(from_start: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    iterations = MOST_FROM_START if from_start else MOST_FROM_START + 1
    seen: set[tuple[int, ...]] = set()

    def fit(planes: Any, config: FnetConfig, settings: FitSettings, **others: Any) -> StubNetwork:
        seen.add((config.prior, *config.size))
        return StubNetwork(config, np.zeros(10, np.uint8))

    monkeypatch.setattr(fnet_fit, "fit", fit)
    subject = encoder.Subject(np.zeros((3, SIDE, SIDE), np.float32), None, 3, 8, [])
    for request in (Request(width=8, depth=6), Request(width=8, depth=6, quality=99)):
        encoder.FnetFits(subject, request, 5, iterations, 0, "cpu").whole(None)
    limited, whole = (8, 6, LIMIT), (8, 6)
    assert seen == {(number_for(size) if from_start else 0, *size) for size in (limited, whole)}
    assert number_for(limited) != 0 != number_for(whole)


def test_a_hopeless_time_limit_is_refused_before_any_work() -> None:
    subject = encoder.Subject(np.broadcast_to(np.zeros((), np.float32), (3, 3000, 3000)), None, 3, 8, [])
    with pytest.raises(LimitError, match=r"too little time for this picture: the fit takes \d+ seconds or more"):
        encoder.GridFits(subject, Request(max_seconds=0.1), 5, None, 0, "cpu")
    encoder.GridFits(subject, Request(max_seconds=100), 5, None, 0, "cpu")
    encoder.GridFits(subject, Request(max_seconds=0.1), 5, None, 0, "cuda")
