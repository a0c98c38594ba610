"""Fits of a network to each narrow cell of a picture."""

from dataclasses import replace

import numpy as np
import pytest

from fourcodec.cells import Grid
from fourcodec.fnet.config import FnetConfig, QuantizedFnet
from fourcodec.fnet.fit.cells import cell_parts, joined, separated
from fourcodec.fnet.fit.fit import fit
from fourcodec.fnet.fit.settings import FitSettings
from fourcodec.fnet.profile import pack, render
from fourcodec.optimisation.progress import Progress
from tests.support.planes import planes_of

CONFIG = FnetConfig(4, 3, 3, 2, cells=Grid(2, 2, narrow=True))
QUICK = FitSettings(60, batch_pixels=768, rate_weight=1.25e-3)


def fitted(
    planes: np.ndarray, config: FnetConfig = CONFIG, settings: FitSettings = QUICK, **others: object
) -> QuantizedFnet:
    arguments = {"seed": 0, "device": "cpu", "report": None, **others}
    return fit(planes, config, settings, **arguments)  # type: ignore[arg-type]


def error(planes: np.ndarray, network: QuantizedFnet) -> float:
    return float(np.square(render(network, planes.shape[1:], "cpu") - planes).mean())


def test_parts_have_the_colours_of_their_cells_and_overlap() -> None:
    planes = np.arange(3 * 32 * 48, dtype=np.float32).reshape(3, 32, 48)
    visible = np.zeros((32, 48), bool)
    visible[:16] = True
    above, below = cell_parts(planes, Grid(2, 1, narrow=True), visible)
    assert above is not None
    assert below is not None
    assert np.array_equal(above.planes, planes[:, :17])
    assert np.array_equal(below.planes, planes[:, 15:])
    assert above.inputs.shape == (2, 17 * 48)
    assert above.visible is not None
    assert above.visible.sum() == 16 * 48
    assert below.visible is not None
    assert below.visible.sum() == 48
    parts = cell_parts(planes, Grid(4, 1, narrow=True), visible)
    assert parts[0] is not None
    assert parts[0].visible is None  # all pixels count
    assert parts[3] is None


def test_cells_are_fitted_and_their_networks_joined(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    network = fitted(planes)
    flat = np.square(planes - planes.mean(axis=(1, 2), keepdims=True)).mean()
    assert error(planes, network) < flat / 2
    assert all(np.ptp(own.symbols) > 0 for own in separated(network))
    again = joined(CONFIG, separated(network))
    assert np.array_equal(again.symbols, network.symbols)
    assert np.array_equal(again.step_indices, network.step_indices)
    assert np.array_equal(fitted(planes).symbols, network.symbols)
    pack(network)


def test_a_warm_start_goes_on_from_each_cells_network(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    network = fitted(planes)
    later = fitted(planes, settings=replace(QUICK, iterations=20, begin=0.8), start=network)
    assert error(planes, later) < 1.1 * error(planes, network)


def test_progress_is_that_of_one_fit(photo: np.ndarray) -> None:
    reports = list[Progress]()
    fitted(planes_of(photo), report=reports.append)
    done = [progress.iteration for progress in reports]
    assert done == sorted(done)
    assert {progress.iterations for progress in reports} == {4 * 45}
    assert done[-1] == 4 * 45
    assert reports[-1].seconds_left == 0


def test_hidden_cells_are_flat(photo: np.ndarray) -> None:
    planes = planes_of(photo)
    visible = np.zeros(planes.shape[1:], bool)
    visible[:, : visible.shape[1] // 3] = True
    reports = list[Progress]()
    left, hidden = separated(
        fitted(planes, replace(CONFIG, cells=Grid(1, 2, narrow=True)), visible=visible, report=reports.append)
    )
    assert np.count_nonzero(left.symbols) > 100
    assert np.count_nonzero(hidden.symbols) <= 3
    assert (reports[-1].iteration, reports[-1].iterations) == (45, 45)


def test_cells_without_a_pixel_are_flat() -> None:
    planes = np.linspace(0, 1, 3 * 2 * 9, dtype=np.float32).reshape(3, 2, 9)
    config = FnetConfig(2, 1, 3, cells=Grid(5, 3, narrow=True))
    assert None in cell_parts(planes, config.cells, None)
    network = fitted(planes, config)
    pack(network)
    assert render(network, (2, 9), "cpu").shape == planes.shape


def test_wide_cells_are_refused(photo: np.ndarray) -> None:
    with pytest.raises(ValueError, match="wide cells are not fitted"):
        fitted(planes_of(photo), FnetConfig(4, 3, 3, cells=Grid(2, 2)))
