"""Quality and lambda are each other's inverse."""

import pytest

from fourcodec.quality import quality_of, rate_weight_of


@pytest.mark.parametrize("quality", [0, 20, 54.4, 100])
def test_a_quality_comes_back_from_its_lambda(quality: float) -> None:
    assert quality_of(rate_weight_of(quality)) == pytest.approx(quality, abs=1e-9)
    assert rate_weight_of(quality + 35) == pytest.approx(rate_weight_of(quality) / 10)
