"""The batch kernel of the generative model beside plain torch.

    python -m benchmarks.generative_kernel [RESULT.txt]

Computes the squared errors of a batch of images, each with coefficients of its own, and their gradients. One line for
each network and number of threads: images a second by the kernel and by the fastest of three versions in torch, GFLOP/s
of the kernel's matrix products alone, and the ratio of the two speeds. Each time is the best of several runs.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import best_seconds
from fourcodec.cells import Grid
from fourcodec.fourier.batch import FourierImages
from fourcodec.fourier.layout import SIGMOID
from fourcodec.fourier.shape import NetworkShape
from fourcodec.threads import thread_count

CASES = [
    ("MNIST", NetworkShape(5, 6, 1), 28, Grid()),
    ("CIFAR-10, thesis", NetworkShape(6, 10, 3), 32, Grid()),
    ("CIFAR-10, 4 x 4 cells", NetworkShape(6, 2, 3), 32, Grid(4, 4)),
]
BATCH = 256
TILE = 16  # images at a time in the tiled torch versions, whose features then stay in the L2 or L3 cache
LEAST_SECONDS = 4.0


def layer_by_phasors(layer, w, x):  # type: ignore[no-untyped-def]
    """A layer for x (B, inputs, N) in turns; its cosines and sines are products of the phasors of x."""
    angle = 2 * torch.pi * x
    features = torch.polar(torch.ones_like(x[:, :1]), torch.zeros_like(x[:, :1]))
    for j in range(layer.inputs):
        phasor = torch.polar(torch.ones_like(angle[:, j : j + 1]), angle[:, j : j + 1])
        features = torch.cat([features, features * phasor], dim=1)
    y = w[:, :, 0].transpose(1, 2) @ features.real + w[:, :, 1].transpose(1, 2) @ features.imag
    return y + x if layer.residual else y


def phasor_errors(fourier: FourierImages, coefficients: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The result of FourierImages.squared_errors_by_formula, by products of phasors."""
    count, y = fourier.shape.coefficient_count, torch.zeros(targets.shape)
    for piece in fourier.pieces:
        x, own = torch.from_numpy(piece.x).expand(len(coefficients), -1, -1), coefficients[:, piece.cell * count :]
        for layer in fourier.shape.layers:
            w = own[:, layer.span].reshape(-1, 2**layer.inputs, 2, layer.outputs)
            x = layer_by_phasors(layer, w, x)
        y = y.index_add(2, torch.from_numpy(piece.pixels), torch.from_numpy(piece.weights) * x)
    return (torch.tanh(y / 2) - (targets * (2 / 255) - 1)).square().sum(dim=(1, 2))


def versions(
    fourier: FourierImages, coefficients: torch.Tensor, targets: torch.Tensor
) -> dict[str, Callable[[], object]]:
    """The kernel, and torch on the whole batch, in tiles, and in tiles with products of phasors."""
    direct = fourier.squared_errors_by_formula

    def run(errors_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], tile: int) -> Callable[[], object]:
        def step() -> None:
            for part, wanted in zip(coefficients.split(tile), targets.split(tile), strict=True):
                inner = part.clone().requires_grad_()
                errors_of(inner, wanted).sum().backward()  # type: ignore[no-untyped-call]

        return step

    return {
        "kernel": run(fourier.squared_errors, BATCH),
        "direct": run(direct, BATCH),
        "tiled": run(direct, TILE),
        "tiled phasors": run(lambda part, wanted: phasor_errors(fourier, part, wanted), TILE),
    }


def measure(name: str, shape: NetworkShape, side: int, grid: Grid, threads: int) -> str:
    """A line of the result."""
    random = np.random.default_rng(0)
    fourier, count = FourierImages.of_cells(shape, (side, side), grid, SIGMOID), grid.count * shape.coefficient_count
    coefficients = torch.from_numpy(random.normal(0, 0.02, (BATCH, count)).astype(np.float32))
    targets = torch.from_numpy(random.integers(0, 256, (BATCH, shape.channels, side**2), dtype=np.uint8))
    runs = versions(fourier, coefficients, targets)
    seconds = {version: best_seconds(step, LEAST_SECONDS) for version, step in runs.items()}
    ours = seconds.pop("kernel")
    fastest = min(seconds, key=lambda version: seconds[version])
    evaluated = sum(piece.x.shape[1] for piece in fourier.pieces)
    gflops = 3 * 2 * shape.coefficient_count * evaluated * BATCH / ours / 1e9
    return (
        f"{name}, width {shape.width}, depth {shape.depth}, {evaluated} positions, batch {BATCH}, {threads} thread(s): "
        f"{BATCH / ours:.0f} images/s, {gflops:.0f} GFLOP/s; "
        f"torch ({fastest}) {BATCH / seconds[fastest]:.0f} images/s: {seconds[fastest] / ours:.1f}x"
    )


def main() -> None:
    lines = ["forward and backward, best run each; torch by the fastest of direct, tiled, tiled phasors"]
    for threads in sorted({1, thread_count()}):
        torch.set_num_threads(threads)
        os.environ["FOURCODEC_THREADS"] = str(threads)
        for case in CASES:
            lines.append(measure(*case, threads))
            print(lines[-1], flush=True)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
