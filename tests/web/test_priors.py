"""The trained starts as the decoder in JavaScript reads them."""

import numpy as np

from fourcodec.grid.trained_starts import trained_starts
from tests.support.node import PRIORS


def test_priors_bin_has_all_trained_starts_in_their_order() -> None:
    """python -m tools.web_priors writes it."""
    starts = trained_starts()
    stored = np.frombuffer(PRIORS.read_bytes(), "<i2").reshape(len(starts), -1)
    for number, start in starts.items():
        assert np.array_equal(stored[number - 1], start.entropy_model)
