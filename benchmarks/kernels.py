"""The kernels of the Fourier layer beside plain torch and the processor's peak.

    python -m benchmarks.kernels            (or: make kernels)

One line for each case: direction, layer, threads, Mpixel/s and GFLOP/s of the kernels (matrix products alone), their
share of the peak, and the speed relative to the fastest of three torch versions of the layer.
"""

from collections.abc import Callable

import numpy as np
import torch
from numba import njit

from benchmarks.timing import best_seconds
from fourcodec.fourier import simd
from fourcodec.fourier.layer import layer_kernels
from fourcodec.threads import map_threads, thread_count

PIXELS = 96 * 768
PIECE = 768
CASES = [(8, 8), (6, 6), (7, 3), (2, 8)]
TILE = 2048  # pixels a tile in the tiled torch versions, whose features then stay in the L2 cache
LEAST_SECONDS = 0.4  # of repeated runs of a case, of which the best counts


def peak_gflops(threads: int) -> float:
    """GFLOP/s of fused multiply-adds on registers alone, all threads together."""

    @njit(nogil=True)
    def spin(values, steps):  # type: ignore[no-untyped-def]
        simd.peak_loop(values, steps)

    steps = 200_000
    buffers = [np.full(2 * simd.VECTOR, 0.5, np.float32) for _ in range(threads)]
    seconds = best_seconds(lambda: map_threads(lambda buffer: spin(buffer, steps), buffers, threads), LEAST_SECONDS)
    return threads * steps * simd._REGISTERS * simd.VECTOR * 2 / seconds / 1e9


def ours(inputs: int, outputs: int, backward: bool, threads: int) -> Callable[[], object]:
    """A run of the kernels on random data, called as by fnet/network.py: pieces of pixels shared over threads."""
    random = np.random.default_rng(0)
    x = random.random((inputs, PIXELS), np.float32)
    w = random.random(2**inputs * 2 * outputs, np.float32)
    residual = inputs == outputs
    kernels = layer_kernels(outputs)
    y, dy, dx = np.empty((outputs, PIXELS), np.float32), np.ones((outputs, PIXELS), np.float32), np.empty_like(x)
    dw = np.zeros((PIXELS // PIECE, w.size), np.float32)

    def piece(number: int) -> None:
        start, stop = number * PIECE, (number + 1) * PIECE
        kernels.forward(x, w, residual, start, stop, y)
        if backward:
            kernels.backward(x, w, residual, start, stop, dy, dx, dw[number])

    return lambda: map_threads(piece, range(PIXELS // PIECE), threads)


def plain_torch(inputs: int, outputs: int, backward: bool) -> dict[str, Callable[[], object]]:
    """Runs of three torch versions of the layer. Pixels are rows, the faster order for torch's matrix products."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand((PIXELS, inputs), generator=generator)
    a = torch.rand((2**inputs, outputs), generator=generator)
    b = torch.rand((2**inputs, outputs), generator=generator)
    k = torch.tensor([[number >> j & 1 for j in range(inputs)] for number in range(2**inputs)], dtype=torch.float32)
    residual = inputs == outputs

    def direct(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        angle = 2 * torch.pi * (x @ k.T)
        y = angle.cos() @ a + angle.sin() @ b
        return y + x if residual else y

    def phasor(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        angle = 2 * torch.pi * x
        cosine, sine = torch.ones_like(x[:, :1]), torch.zeros_like(x[:, :1])
        for j in range(inputs):
            c, s = angle[:, j : j + 1].cos(), angle[:, j : j + 1].sin()
            cosine, sine = (
                torch.cat([cosine, cosine * c - sine * s], dim=1),
                torch.cat([sine, cosine * s + sine * c], dim=1),
            )
        y = cosine @ a + sine @ b
        return y + x if residual else y

    Layer = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]

    def run(layer: Layer, tile: int) -> Callable[[], object]:
        def step() -> None:
            inner = [tensor.clone().requires_grad_(backward) for tensor in (x, a, b)]
            with torch.set_grad_enabled(backward):
                for part in inner[0].split(tile):
                    y = layer(part, inner[1], inner[2])
                    if backward:
                        y.sum().backward()

        return step

    return {
        "direct": run(direct, PIXELS),
        "tiled": run(direct, TILE),
        "tiled phasors": run(phasor, TILE),
    }


def main() -> None:
    print(f"{PIXELS} pixels, vectors of {simd.VECTOR} floats, best run of {LEAST_SECONDS} s each")
    for threads in sorted({1, thread_count()}):
        torch.set_num_threads(threads)
        peak = peak_gflops(threads)
        print(f"peak of fused multiply-adds on registers, {threads} thread(s): {peak:.0f} GFLOP/s")
        for backward in (False, True):
            for inputs, outputs in CASES:
                seconds = best_seconds(ours(inputs, outputs, backward, threads), LEAST_SECONDS)
                versions = plain_torch(inputs, outputs, backward)
                timed = ((n, best_seconds(run, LEAST_SECONDS)) for n, run in versions.items())
                name, other = min(timed, key=lambda pair: pair[1])
                gflops = (3 if backward else 1) * 2 * 2 ** (inputs + 1) * outputs * PIXELS / seconds / 1e9
                print(
                    f"{'forward+backward' if backward else 'forward':16} {inputs}->{outputs} {threads} thread(s): "
                    f"{PIXELS / seconds / 1e6:6.2f} Mpixel/s, {gflops:5.1f} GFLOP/s ({gflops / peak:.0%} of peak), "
                    f"torch ({name}) {PIXELS / other / 1e6:.2f} Mpixel/s: {other / seconds:.1f}x",
                    flush=True,
                )


if __name__ == "__main__":
    main()
