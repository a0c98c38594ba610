"""Trains the starts of the grid's entropy model (the header's priors): one model for many images, at five qualities.

    python -m tools.trained_starts DATA OUT.npz     (OUT: src/fourcodec/grid/grid_priors.npz)

DATA has the folders camera, graphics, imagenet and photos. Every image is fitted as usual, with latents and a synthesis
of its own; the entropy model is shared, and each of its updates uses a few images. Images are cropped; photographs are
reduced before, which removes artefacts of JPEG. No published result uses any of them. A quality that OUT has already is
left out, so a run that was stopped goes on with the next one. A quality takes about eight minutes of processor time.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from fourcodec.grid.config import MAX_HIDDEN, ORDER, GridConfig
from fourcodec.grid.fit import fit as fitting
from fourcodec.grid.fit.latents import proxy_at
from fourcodec.grid.fit.settings import GridSettings
from fourcodec.grid.fit.start import phase_index
from fourcodec.grid.kernels.layout import PASSES
from fourcodec.grid.pyramid import FEATURED
from fourcodec.grid.trained_starts import FRACTION
from fourcodec.images import pixels
from fourcodec.optimisation.settings import rate_weight_of

Floats = NDArray[np.float32]
LEVELS = 7
QUALITIES = (10, 30, 50, 70, 90)
CROP = (288, 192)  # width, height
# The places of crops, as shares of width and height, and the factor by which the images of a folder are reduced.
TWO, FOUR = ((0.25, 0.3), (0.75, 0.6)), ((0.2, 0.3), (0.4, 0.7), (0.6, 0.3), (0.8, 0.7))
FOLDERS = {"photos": (FOUR, 2), "camera": (FOUR, 4), "graphics": (TWO, 1)}
OF_IMAGENET = 40
UPDATES, BATCH = 200, 4  # of each image; images an update of the entropy model
EXAMPLE_PIXELS = 1e5  # gradients are scaled to an image of so many
MODEL_MATRICES = 3 * PASSES + FEATURED + 1  # a fit's first matrices: those of the entropy model


def pictures(data: Path) -> list[Floats]:
    """Planes (3, H, W) of all crops."""
    width, height = CROP
    crops = []
    for folder, (places, reduction) in FOLDERS.items():
        for path in sorted((data / folder).iterdir()):
            image = Image.open(path).convert("RGB")
            if reduction > 1:
                size = image.width // reduction, image.height // reduction
                image = image.resize(size, Image.Resampling.LANCZOS)
            for across, down in places:
                left = min(max(int(across * image.width) - width // 2, 0), image.width - width)
                top = min(max(int(down * image.height) - height // 2, 0), image.height - height)
                crops.append(image.crop((left, top, left + width, top + height)))
    most = len(crops) + OF_IMAGENET
    for path in sorted((data / "imagenet").iterdir()):
        image = Image.open(path).convert("RGB")
        factor = 1.6 if min(image.size) < 512 else 2.5
        image = image.resize((int(image.width / factor), int(image.height / factor)), Image.Resampling.LANCZOS)
        if image.width >= 216 and image.height >= height and len(crops) < most:
            wide = min(image.width, width)
            left, top = (image.width - wide) // 2, (image.height - height) // 2
            crops.append(image.crop((left, top, left + wide, top + height)))
    return [pixels.to_planes(np.array(crop)) for crop in crops]


def train(planes: list[Floats], quality: float) -> Floats:
    """The entropy model's parameters (SIZE,), trained for one quality."""
    rate_weight = rate_weight_of(quality)
    phase = phase_index(rate_weight)
    settings = GridSettings(1, rate_weight)
    configs = [GridConfig(p.shape[1], p.shape[2], 3, LEVELS, ORDER, MAX_HIDDEN, phase) for p in planes]
    fits = [fitting._Fit(p, config, settings, 0) for p, config in zip(planes, configs, strict=True)]
    context, shape = fits[0].weights.entropy_model, fits[0]._shape
    for fit in fits:
        fit.weights.entropy_model = context
    shared = fits[0]._optimisers[:MODEL_MATRICES]
    random, order, iterations = np.random.default_rng(1), list[int](), UPDATES * len(fits) // BATCH
    costs, started = np.zeros(len(fits)), time.perf_counter()
    for iteration in range(iterations):
        share = iteration / iterations
        rate = fitting.LAST_RATE + (1 - fitting.LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))
        rate *= min(1.0, (iteration + 1) * BATCH / (fitting.WARM_UP * len(fits)))
        if len(order) < BATCH:
            order += list(random.permutation(len(fits)))
        chosen, order = order[:BATCH], order[BATCH:]
        total = fits[0].weights.zeros()
        for n in chosen:
            fit = fits[n]
            pyramid, size = fit._pyramids[0], planes[n][0].size
            noisy = pyramid.noisy()
            noisy.perturb(proxy_at(share, fit._coarse, iteration, n))
            squares, bits, gradients = noisy.gradient(fit.weights, fit._weight)
            total.entropy_model += gradients.entropy_model * np.float32(EXAMPLE_PIXELS / size / BATCH)
            fit._weight_rate.add_gradient(fit.weights, gradients)
            noisy.move(fit._latent_rates(rate))
            own, found = fitting._matrices(fit.weights, shape), fitting._matrices(gradients, shape)
            for optimiser, matrix, gradient in list(zip(fit._optimisers, own, found, strict=True))[MODEL_MATRICES:]:
                optimiser.update(matrix, gradient, rate)
            costs[n] = squares / planes[n].size + fit._lambda * bits.sum() / size
        common, found = fitting._matrices(fits[0].weights, shape), fitting._matrices(total, shape)
        for optimiser, matrix, gradient in zip(shared, common, found, strict=False):
            optimiser.update(matrix, gradient, rate)
        context[fits[0]._unused] = 0
        if iteration % 200 == 0 or iteration == iterations - 1:
            seconds = time.perf_counter() - started
            print(
                f"quality {quality}, iteration {iteration} of {iterations}, J {costs.mean():.5f}, {seconds:.0f} s",
                flush=True,
            )
    return context


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    planes = pictures(arguments.data)
    models: dict[float, NDArray[np.int16]] = {}
    if arguments.out.exists():
        with np.load(arguments.out) as stored:
            models = dict(zip(stored["rate_weights"].tolist(), stored["entropy_models"], strict=True))
    with threadpool_limits(1):
        for quality in QUALITIES:
            rate_weight = rate_weight_of(quality)
            if rate_weight not in models:
                models[rate_weight] = np.rint(train(planes, quality) * 2**FRACTION).astype(np.int16)
                found = np.array(list(models)), np.array(list(models.values()))
                np.savez_compressed(arguments.out, rate_weights=found[0], entropy_models=found[1])


if __name__ == "__main__":
    main()
