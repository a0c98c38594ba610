"""What a fit tells those who watch it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a fit stands. loss is the MSE of the last batch or picture, with its quantisation noise."""

    step: int
    steps: int
    loss: float
    psnr_db: float
    seconds_left: float
