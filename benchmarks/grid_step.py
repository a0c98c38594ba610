"""One iteration of a grid fit: its time beside plain torch, by parts, and by size of the image.

python -m benchmarks.grid_step step > benchmarks/results/grid-step.txt
python -m benchmarks.grid_step sizes >> benchmarks/results/grid-step.txt
"""

import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import skimage.data
import torch
from PIL import Image

from benchmarks.tables import show
from benchmarks.timing import median_seconds
from fourcodec import codec
from fourcodec.grid.gradient import GridGradient
from fourcodec.grid.kernels.layout import PASSES
from fourcodec.grid.pyramid import Pyramid
from fourcodec.grid.weights import GridShape, GridWeights
from tests.support import reference_grid

HEIGHT, WIDTH, LEVELS, ORDER, CHANNELS, PHASE_SCALE = 512, 768, 7, 2, 3, 1 / 25
RUNS = 7
MEGAPIXELS = (0.1, 0.4, 1.6, 6.0, 20.0)


def median_ms(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median time of `runs` calls, after one that compiles."""
    return 1000 * median_seconds(work, runs)


def problem(threads: int) -> tuple[GridGradient, GridWeights, np.ndarray]:
    """Random latents and weights, and a target of (CHANNELS, HEIGHT, WIDTH) float32."""
    random = np.random.default_rng(0)
    pyramid, shape = Pyramid(HEIGHT, WIDTH, LEVELS), GridShape(LEVELS, ORDER, 16, CHANNELS, smooth=True)
    network = GridGradient(pyramid, shape, PHASE_SCALE, threads)
    for level in pyramid.levels:
        for p in range(PASSES):
            pyramid.view(network.planes[p], level)[:] = random.standard_normal((level.half_rows, level.half_columns))
    weights = GridWeights(*(0.04 * random.standard_normal(part).astype(np.float32) for part in shape.shapes))
    return network, weights, random.random((CHANNELS, HEIGHT, WIDTH), np.float32)


def torch_step(network: GridGradient, weights: GridWeights, target: np.ndarray) -> Callable[[], None]:
    """Forward and backward pass of the same objective in torch, operation by operation, float32."""
    network.spread(weights)
    levels = [torch.tensor(latents.copy(), requires_grad=True) for latents in network.latents]
    parts = [torch.tensor(part.copy(), requires_grad=True) for part in weights.parts()]
    wanted = torch.tensor(target)

    def step() -> None:
        for tensor in (*levels, *parts):
            tensor.grad = None
        context, first, last, filters, kernel, smoothing = parts
        features = reference_grid.features_of(levels, filters, smoothing)
        colours = reference_grid.colours_of(features, first, last, kernel, PHASE_SCALE, ORDER, (HEIGHT, WIDTH))
        (((colours - wanted) ** 2).sum() + reference_grid.bits_of(levels, context).sum()).backward()

    return step


def step() -> None:
    print(
        f"# one iteration (values and all gradients) of {WIDTH} x {HEIGHT} RGB, {LEVELS} levels; median of {RUNS}, ms"
    )
    print("threads\tours\ttorch\tratio\tparts of ours")
    for threads in (1, 2):
        step_with(threads)


def step_with(threads: int) -> None:
    torch.set_num_threads(threads)
    network, weights, target = problem(threads)
    gradients = weights.zeros()
    ours = median_ms(lambda: network.gradient(weights, target, 1.0))
    plain = median_ms(torch_step(network, weights, target), 3)
    parts = {
        "smoothing and upsampling": median_ms(lambda: network.spread(weights)),
        "synthesis, forward": median_ms(lambda: network.synthesise(weights)),
        "synthesis, both": median_ms(lambda: network._distortion_gradient(weights, target, 1.0, gradients, None)),
        "upsampling, adjoint": median_ms(lambda: network._pull_back(weights.filters, gradients.filters)),
        "smoothing, adjoint": median_ms(lambda: network._unsmooth(weights.smoothing, gradients.smoothing)),
        "entropy model": median_ms(
            lambda: network._rate_gradient(weights.entropy_model, gradients.entropy_model, None)
        ),
    }
    shown = ", ".join(f"{name} {value:.1f}" for name, value in parts.items())
    show(threads, f"{ours:.1f}", f"{plain:.0f}", f"{plain / ours:.1f}x", shown)


def one_size(megapixels: float) -> None:
    """Prints time an iteration and peak memory of a short fit; for a process of its own, whose peak this is."""
    photo = Image.fromarray(skimage.data.chelsea())
    scale = math.sqrt(megapixels * 1e6 / (photo.width * photo.height))
    size = round(photo.width * scale), round(photo.height * scale)
    picture = np.asarray(photo.resize(size, Image.Resampling.LANCZOS))
    seen: list[tuple[int, float]] = []
    iterations = max(8, min(60, round(12 / megapixels)))
    encoded = codec.encode(
        picture, iterations=iterations, progress=lambda progress: seen.append((progress.iteration, time.perf_counter()))
    )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pixels = picture.shape[0] * picture.shape[1]
    (first, started), (last, ended) = seen[0], seen[-1]
    iteration_ns = 1e9 * (ended - started) / (last - first) / pixels
    decode_ns = 1e9 * encoded.decode_seconds / pixels
    numbers = (iteration_ns, peak_mb, decode_ns, encoded.encode_seconds)
    show(f"{pixels / 1e6:.2f}", *(f"{number:.0f}" for number in numbers))


def sizes() -> None:
    print(
        "# encodes of 8 to 60 iterations by size of the image (a bundled photograph, scaled); seconds with everything"
    )
    print("megapixels\tns per pixel and iteration\tpeak MB\tdecode, ns per pixel\tencode, seconds", flush=True)
    for megapixels in MEGAPIXELS:
        subprocess.run([sys.executable, "-m", "benchmarks.grid_step", "size", str(megapixels)], check=True)


if __name__ == "__main__":
    if sys.argv[1] == "size":
        one_size(float(sys.argv[2]))
    else:
        {"step": step, "sizes": sizes}[sys.argv[1]]()
