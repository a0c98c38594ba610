"""Narrow cells, which are fitted one by one: the part of the picture that each sees, and their networks as one.

Each network is fitted to its cell and to the strips that it shares with its neighbours there, as if it were alone. The
blend of two networks that are both near the picture is near it too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.cells import Grid, patches
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.metrics import MOST_DB, psnr_of_mse_db
from fourcodec.optimisation.progress import Progress
from fourcodec.views import whole

# The iterations of a cell's fit as a share of those of a whole picture's: all cells together then take about as long as
# one network of as many bytes.
SHARE = 0.75


@dataclass(frozen=True)
class CellPart:
    """The part of a picture that a cell sees: planes (channels, H, W) float32 of its rectangle, the inputs (2, H * W)
    float32 of its network there, and which of the pixels count, (H, W), None for all."""

    planes: Floats
    inputs: Floats
    visible: NDArray[np.bool_] | None


def cell_parts(planes: Floats, cells: Grid, visible: NDArray[np.bool_] | None) -> list[CellPart | None]:
    """The parts of a picture (channels, H, W), cell by cell; None for a cell that no pixel is in, or none that is
    visible."""
    _, height, width = planes.shape
    parts: list[CellPart | None] = [None] * cells.count
    for patch in patches(whole(width, height), (height, width), cells, most=height * width):
        place = patch.rows, patch.columns
        seen = None if visible is None else visible[place]
        if seen is None or seen.any():
            # Where all pixels count, samples are two-dimensional, which is better than shares of a list.
            counted = None if seen is None or seen.all() else seen
            parts[patch.cell] = CellPart(np.ascontiguousarray(planes[:, *place]), patch.x, counted)
    return parts


def joined(config: FnetConfig, networks: Sequence[QuantizedFnet]) -> QuantizedFnet:
    """The network of a config with narrow cells, from the networks of its cells; `separated` is the inverse."""
    return QuantizedFnet(
        config,
        np.concatenate([network.step_indices for network in networks]),
        np.concatenate([network.symbols for network in networks]),
    )


def separated(network: QuantizedFnet) -> list[QuantizedFnet]:
    """The networks of the cells of a network with narrow cells."""
    return [QuantizedFnet(alone(network.config), *own) for own in network.by_cell()]


def alone(config: FnetConfig) -> FnetConfig:
    """The config of one of the cells."""
    return replace(config, cells=Grid())


class CellsReport:
    """Passes on the progress of fits of one cell after the other as that of one fit."""

    def __init__(self, report: Callable[[Progress], None], cells: int) -> None:
        self._report, self._cells = report, cells
        self._losses, self._pace = list[float](), 0.0  # seconds an iteration

    def begin_cell(self) -> None:
        """To be called before the fit of each cell."""
        self._losses.append(0.0)

    def __call__(self, progress: Progress) -> None:
        """Reports the progress in the cell that was begun last; the loss is the mean of the cells so far."""
        self._losses[-1] = progress.loss
        begun, loss = len(self._losses), float(np.mean(self._losses))
        left = progress.iterations - progress.iteration
        self._pace = progress.seconds_left / left if left else self._pace
        self._report(
            replace(
                progress,
                iteration=(begun - 1) * progress.iterations + progress.iteration,
                iterations=self._cells * progress.iterations,
                loss=loss,
                psnr_db=psnr_of_mse_db(loss, at_most=MOST_DB),
                seconds_left=progress.seconds_left + (self._cells - begun) * progress.iterations * self._pace,
            )
        )
