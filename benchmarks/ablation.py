"""What each part of the grid profile is worth: the same fit with one thing changed, on crops of photographs.

    python benchmarks/ablation.py [--steps N] [--crop SIDE] VARIANT,... IMAGE... >> benchmarks/results/grid-ablation.tsv

Printed per image and variant: PSNR, bytes of the networks (coded) and of the latents (the float context model's bits),
and J = 1000 (MSE + lambda bpp) of both. Rounding is real: latents are integers, weights quantised.
"""

import argparse
import functools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from PIL import Image

from crops import centre
from fourcodec.fourier.layout import BLOCK
from fourcodec.fourier.simd import accumulate_outputs, accumulate_weight_gradients
from fourcodec.grid import pyramid
from fourcodec.grid.config import GridConfig, config_for
from fourcodec.grid.fit import fit as fitting_grid
from fourcodec.grid.fit.fit import phase_index
from fourcodec.grid.fit.settings import grid_settings_for
from fourcodec.grid.fit.weights import _Search
from fourcodec.grid.trained_starts import nearest_trained_start
from fourcodec.grid.weights import GridShape
from fourcodec.images import pixels

RELU_UNITS = (
    80  # about the multiplications of the two Fourier layers: 8 x 80 + 80 x 3 + 21, against 601 + 168 + 14 sin, cos
)
RELU_SCALE = 0.25
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


@dataclass(frozen=True)
class ReluShape(GridShape):
    """One hidden layer of RELU_UNITS: `first` (units, levels + 1, the last column a bias), `last` as for Fourier; unit
    0 is the constant 1, unit 1 nothing."""

    @property
    def feature_count(self) -> int:
        return RELU_UNITS // 2

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        context, _, _, *filters = super().shapes
        last = self.rows + self.linear_rows, self.channels
        return context, (self.rows, self.levels + 1), last, *filters


class ReluConfig(GridConfig):
    @property
    def shape(self) -> GridShape:
        return ReluShape(self.levels, self.order, self.hidden, self.channels, smooth=self.smooth)

    @property
    def phase_scale(self) -> float:
        return RELU_SCALE


@functools.cache
def relu_kernels(levels: int, channels: int, rows: int) -> Any:
    """forward and backward with the signatures of grid/kernels/synthesis.py."""
    inputs, outputs, units, both = levels, channels, rows, rows + -(-levels // 4) * 4
    padded = -(-(levels + 1) // 4) * 4

    @njit(nogil=True, fastmath=True)
    def load(x: Any, at: int, size: int, scale: Any, taps: Any) -> None:
        taps[:] = _ZERO
        for j in range(inputs):
            row = x[j, at : at + size]
            for i in range(size):
                taps[j, i] = row[i] * scale
        taps[inputs] = _ONE

    @njit(nogil=True, fastmath=True)
    def hide(taps: Any, w1: Any, rows: Any) -> None:
        rows[:] = _ZERO
        accumulate_outputs(rows, taps, w1, 0, padded, units)
        for k in range(2, units):
            for i in range(BLOCK):
                rows[k, i] = max(rows[k, i], _ZERO)
        rows[0] = _ONE
        rows[1] = _ZERO

    @njit(nogil=True, fastmath=True)
    def forward(x: Any, w1: Any, w2: Any, scale: Any, start: int, stop: int, y: Any) -> None:
        taps, rows = np.empty((padded, BLOCK), np.float32), np.zeros((both, BLOCK), np.float32)
        out = np.empty((outputs, BLOCK), np.float32)
        for at in range(start, stop, BLOCK):
            size = min(BLOCK, stop - at)
            load(x, at, size, scale, taps)
            hide(taps, w1, rows[:units])
            for j in range(inputs):
                for i in range(size):
                    rows[units + j, i] = x[j, at + i]
            out[:] = _ZERO
            accumulate_outputs(out, rows, w2, 0, both, outputs)
            for o in range(outputs):
                for i in range(size):
                    y[o, at + i] = out[o, i]

    @njit(nogil=True, fastmath=True)
    def backward(
        x: Any, w1: Any, w1t: Any, w2t: Any, scale: Any, start: int, stop: int, dy: Any, dx: Any, dw1: Any, dw2: Any
    ) -> None:
        taps, rows = np.empty((padded, BLOCK), np.float32), np.zeros((both, BLOCK), np.float32)
        slope, drows = np.empty((outputs, BLOCK), np.float32), np.empty((both, BLOCK), np.float32)
        back = np.empty((padded, BLOCK), np.float32)
        for at in range(start, stop, BLOCK):
            size = min(BLOCK, stop - at)
            load(x, at, size, scale, taps)
            hide(taps, w1, rows[:units])
            for j in range(inputs):
                for i in range(size):
                    rows[units + j, i] = x[j, at + i]
            slope[:] = _ZERO
            for o in range(outputs):
                for i in range(size):
                    slope[o, i] = dy[o, at + i]
            accumulate_weight_gradients(dw2, 0, slope, rows, both, outputs)
            drows[:] = _ZERO
            accumulate_outputs(drows, slope, w2t, 0, outputs, both)
            for k in range(units):
                for i in range(BLOCK):
                    if k < 2 or rows[k, i] <= _ZERO:
                        drows[k, i] = _ZERO
            accumulate_weight_gradients(dw1, 0, drows[:units], taps, padded, units)
            back[:] = _ZERO
            accumulate_outputs(back, drows[:units], w1t, 0, units, padded)
            for j in range(inputs):
                for i in range(size):
                    dx[j, at + i] = scale * back[j, i] + drows[units + j, i]

    class Kernels:
        """`first` comes as (units, levels + 1); the micro-kernels want (padded inputs, units)."""

        @staticmethod
        def _wide(first: np.ndarray) -> np.ndarray:
            wide = np.zeros((padded, units), np.float32)
            wide[: inputs + 1] = first.reshape(units, inputs + 1).T
            return wide

        def forward(self, x: Any, first: Any, last: Any, scale: Any, start: int, stop: int, y: Any) -> None:
            forward(x, self._wide(first).ravel(), last, scale, start, stop, y)

        def backward(
            self, x: Any, first: Any, last: Any, scale: Any, start: int, stop: int, dy: Any, dx: Any, dfirst: Any,
            dlast: Any,
        ) -> None:  # fmt: skip
            wide, found = self._wide(first), np.zeros(padded * units, np.float32)
            last_t = last.reshape(-1, outputs).T.ravel()
            backward(x, wide.ravel(), wide.T.ravel(), last_t, scale, start, stop, dy, dx, found, dlast)
            dfirst += found.reshape(padded, units)[: inputs + 1].T.ravel()

    return Kernels()


def relu_fit(planes: np.ndarray, config: GridConfig, settings: Any, rate: float) -> Any:
    """A fit whose synthesis is ReLU: He's start, its own learning rate."""
    changed = ReluConfig(**asdict(config))
    with replaced(fitting_grid, "FOURIER_RATE", rate):
        fit = fitting_grid._Fit(planes, changed, settings, 0)
    network: Any = fit._pyramids[0].network
    network._kernels = relu_kernels(config.levels, config.channels, changed.shape.rows)
    random, weights = np.random.default_rng(0), fit.weights
    weights.first[2:] = random.normal(0, math.sqrt(2 / config.levels), weights.first[2:].shape)
    return fit


@contextmanager
def replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


@contextmanager
def passes(count: int) -> Iterator[None]:
    """1: no latent of a level knows another; 2: a checkerboard; 4: as it is."""
    own = {
        1: ([], [], [], []),
        2: ([], [], pyramid.OWN_TAPS[2], [at for at in pyramid.OWN_TAPS[3] if sum(at) % 2]),
        4: pyramid.OWN_TAPS,
    }[count]
    parents = {1: (pyramid.PARENT_TAPS[0],) * 4, 2: (pyramid.PARENT_TAPS[0],) * 2 + pyramid.PARENT_TAPS[2:]}
    with replaced(pyramid, "OWN_TAPS", own), replaced(pyramid, "PARENT_TAPS", parents.get(count, pyramid.PARENT_TAPS)):
        pyramid.pass_taps.cache_clear()
        try:
            yield
        finally:
            pyramid.pass_taps.cache_clear()


def measure(planes: np.ndarray, quality: float, steps: int, variant: str) -> tuple[float, float, float, float]:
    """PSNR, bytes of networks and latents, J."""
    settings = grid_settings_for(quality, 5, steps, None)
    phase = phase_index(settings.rate_weight)  # and no prior: it was trained for one of the variants
    config = config_for(planes.shape[1], planes.shape[2], planes.shape[0], phase, 0)
    name, _, value = variant.partition("=")
    if name == "prior":
        config = replace(config, trained_start=nearest_trained_start(settings.rate_weight))
    if name == "order":
        config = replace(config, order=int(value))
    if name == "relu":
        return finish(relu_fit(planes, config, settings, float(value)), planes, config, settings)
    if name == "passes":
        with passes(int(value)):
            return finish(fitting_grid._Fit(planes, config, settings, 0), planes, config, settings)
    changes: dict[str, tuple[str, float]] = {"kernel": ("KERNEL_RATE", 0.0), "filters": ("FILTER_RATE", 0.0)}
    changes["rate"] = ("FOURIER_RATE", float(value or 0))
    if name in changes:
        with replaced(fitting_grid, *changes[name]):
            return finish(fitting_grid._Fit(planes, config, settings, 0), planes, config, settings)
    assert name in ("base", "order"), f"unknown variant {variant!r}"
    return finish(fitting_grid._Fit(planes, config, settings, 0), planes, config, settings)


def finish(fit: Any, planes: np.ndarray, config: GridConfig, settings: Any) -> tuple[float, float, float, float]:
    fit.run(None)
    search = _Search(fit._pyramids[0], fit._config, fit.weights, fit._weight)
    for _ in range(2):
        for group in range(fit._config.shape.group_count):
            search.improve(group)
    mse = search._distortion / fit._weight / planes.size
    j = 1000 * settings.rate_weight * search._cost / (planes.shape[1] * planes.shape[2])
    return -10 * math.log10(mse), search._own_bits() / 8, search._rate / 8, j


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--quality", type=float, default=60)
    parser.add_argument("variants")
    parser.add_argument("images", type=Path, nargs="+")
    arguments = parser.parse_args()
    found: dict[str, list[float]] = {}
    print(f"# quality {arguments.quality:g}, {arguments.steps} steps, centre crops of {arguments.crop}")
    print("image\tvariant\tPSNR dB\tnetworks B\tlatents B\tJ")
    for path in arguments.images:
        planes = pixels.to_planes(centre(np.asarray(Image.open(path).convert("RGB")), arguments.crop))
        for variant in arguments.variants.split(","):
            psnr, own, latents, j = measure(planes, arguments.quality, arguments.steps, variant)
            found.setdefault(variant, []).append(j)
            print(f"{path.stem}\t{variant}\t{psnr:.2f}\t{own:.0f}\t{latents:.0f}\t{j:.4f}", flush=True)
    for variant, values in found.items():
        first = next(iter(found.values()))
        change = 100 * (math.exp(np.mean(np.log(np.array(values) / np.array(first)))) - 1)
        print(f"# {variant}: J {change:+.1f}% against the first, geometric mean of {len(values)}", flush=True)


if __name__ == "__main__":
    main()
