"""The trained starts as the decoder in JavaScript reads them."""

import numpy as np

from fourcodec.fnet import trained_starts as fnet
from fourcodec.grid.trained_starts import trained_starts
from tests.support.node import PRIORS


def test_priors_bin_has_all_trained_starts_in_their_order() -> None:
    """python -m tools.web_priors writes it."""
    stored, at = np.frombuffer(PRIORS.read_bytes(), "<i2"), 0
    of_grid = [start.entropy_model for _, start in sorted(trained_starts().items())]
    of_fnet = [start.coefficients for _, start in sorted(fnet.trained_starts().items())]
    for integers in [*of_grid, *of_fnet]:
        assert np.array_equal(stored[at : at + len(integers)], integers)
        at += len(integers)
    assert at == len(stored)
