"""The search for a target over sizes of the pure network, on stub fits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fourcodec import encoder, fitting
from fourcodec.errors import TargetError
from fourcodec.fitting import FitSettings
from fourcodec.fitting.sizes import coefficient_count, rows
from fourcodec.profiles.fnet import FnetConfig
from fourcodec.request import Request
from tests.stubs import StubNetwork

SIDE = 627  # pixels: about as many as Kodak's pictures have
SIZES = sorted({row.size for row in rows()}, key=coefficient_count)


def encoder_of(
    monkeypatch: pytest.MonkeyPatch, request: Request, bytes_of: Callable[[FnetConfig, float], float]
) -> Any:
    """An Encoder whose files of a size and lambda have bytes_of(config, lambda) bytes, and the sizes that it fits."""
    fitted: list[tuple[int, ...]] = []

    def fit(planes: Any, config: FnetConfig, settings: FitSettings, **others: Any) -> StubNetwork:
        fitted.append(config.size)
        return StubNetwork(config, np.zeros(max(1, round(bytes_of(config, settings.rate_weight))), np.uint8))

    monkeypatch.setattr(fitting, "fit", fit)
    monkeypatch.setattr(encoder.Encoder, "_write", lambda self, network: network.samples.tobytes())
    subject = encoder.Subject(np.zeros((3, SIDE, SIDE), np.float32), None, 3, 8, [])
    made = encoder.Encoder(subject, encoder.FnetFits(subject, request, 5, None, 0, "cpu"))
    return made, fitted


def saturating(config: FnetConfig, rate_weight: float) -> float:
    """Bytes of a network: at most all that its coefficients can use."""
    return config.coefficient_count / (1 + (rate_weight / 1e-2) ** 0.7)


def test_a_target_between_two_sizes_is_met_by_the_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    least = coefficient_count(SIZES[0])
    target = round(1.2 * least)  # more than it can use; others have more where the table has them
    made, fitted = encoder_of(monkeypatch, Request(profile="fnet", target_bytes=target), saturating)
    data, _ = made.encode(Request(profile="fnet", target_bytes=target), lambda data: 30.0, None)
    assert 0.97 * target <= len(data) <= target
    assert SIZES[0] in fitted
    assert coefficient_count(fitted[-1]) > least


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
    assert set(fitted) == {(6, 5)}
