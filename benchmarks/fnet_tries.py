"""Variants of the fit of the pure network at equal processor seconds: batches, importance sampling, blurred targets.

    python -m benchmarks.fnet_tries IMAGE LABEL ITERATIONS [--batch 9216] [--importance 0.3] [--blur 0.25:2,0.6:1,0.85:0.6]
        [--start START.npy [--counted-from-start]] > ROW.tsv

8 x 6, lambda 1.25e-3, seed 0. --importance: pixels are drawn from cells of 8 x 8 in proportion to f m + (1 - f) r, r being
a cell's running root mean square error and m the mean of r, and weighted by the inverse. --blur: until each share of the
iterations, the target is blurred by a Gaussian of that standard deviation in pixels (scipy). --start: coefficients to
begin from, relative to the mean colour.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np

from benchmarks.tables import show
from fourcodec import images, metrics
from fourcodec.bitstream import container
from fourcodec.fnet import network as fourier
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.backends import backend_of
from fourcodec.fnet.fit import fit as fitting
from fourcodec.fnet.fit.settings import FitSettings
from fourcodec.images import pixels

CELL, LAMBDA = 8, 1.25e-3


def importance(fit, floor, batch):
    (height, width), random = fit._size, fit._random
    rows, columns = -(-height // CELL), -(-width // CELL)
    area = np.outer(np.minimum(CELL, height - CELL * np.arange(rows)), np.minimum(CELL, width - CELL * np.arange(columns)))
    area = area.ravel().astype(float)
    cell_of = ((np.arange(height) // CELL)[:, None] * columns + np.arange(width) // CELL).ravel()
    squares = np.bincount(cell_of, ((fit._target - fit._mean[:, None]) ** 2).mean(axis=0)) / area
    order = np.arange(rows * columns).reshape(rows, columns)
    order[1::2] = order[1::2, ::-1]
    order = order.ravel()

    def iterate(phase, iteration):
        root = np.sqrt(squares)
        density = floor * root.dot(area) / area.sum() + (1 - floor) * root
        edges = np.cumsum((density * area)[order])
        places = (np.arange(batch) + random.random(batch)) * (edges[-1] / batch)
        cells = random.permutation(order[np.minimum(np.searchsorted(edges, places, side="right"), len(order) - 1)])
        top, left = (cells // columns) * CELL, (cells % columns) * CELL
        y = top + (random.random(batch) * np.minimum(CELL, height - top)).astype(int)
        x = left + (random.random(batch) * np.minimum(CELL, width - left)).astype(int)
        weights = (edges[-1] / area.sum() / density[cells]).astype(np.float32)
        positions, target = fit._colours_at(y * width + x)
        own, errors, noisy = fit.coefficients, np.empty(batch), phase.noisy and fit._steps is not None
        if noisy:
            noise = fit._steps * (random.random(own.size, np.float32) - np.float32(0.5))
            noise[: fit._frozen_size] = 0
            own = own + noise

        def gradient_of(part, values):
            error = values - target[:, part]
            errors[part] = np.square(error, dtype=np.float64).mean(axis=0)
            return error * (weights[part] * np.float32(2 / target.size))

        gradient = fourier._backward(fit._shape, own, positions, gradient_of, 0).sum(axis=0)
        counts, sums = np.bincount(cells, minlength=len(squares)), np.bincount(cells, errors, len(squares))
        seen = counts > 0
        squares[seen] += (1 - 0.95 ** counts[seen]) * (sums[seen] / counts[seen] - squares[seen])
        if noisy:
            gradient += np.float32(fit._bit_price) * fit._coefficient_rate.gradient(fit.coefficients, fit._steps)
        fit._move(gradient, np.ascontiguousarray(positions[:, :768]), fit._rate_at(iteration))
        return float((errors * weights).mean())

    fit._iterate = iterate


def blurred(fit, text, iterations):
    from scipy.ndimage import gaussian_filter

    schedule = [tuple(float(number) for number in part.split(":")) for part in text.split(",")]
    raw, iterate = fit._target, fit._iterate
    planes = raw.reshape(-1, *fit._size)
    targets = {
        sigma: np.stack([gaussian_filter(plane, sigma, mode="nearest") for plane in planes]).reshape(raw.shape)
        for _, sigma in schedule
    }

    def with_target(phase, iteration):
        sigma = next((sigma for share, sigma in schedule if iteration / iterations < share), None)
        fit._target = raw if sigma is None else targets[sigma]
        loss = iterate(phase, iteration)
        fit._target = raw
        return loss

    fit._iterate = with_target


class CountedFrom:
    """A rate whose bits are those of the difference from a start."""

    def __init__(self, rate, start):
        self._rate, self._start = rate, start

    def bits(self, coefficients, steps):
        return self._rate.bits(coefficients - self._start, steps)

    def gradient(self, coefficients, steps):
        return self._rate.gradient(coefficients - self._start, steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path)
    parser.add_argument("label")
    parser.add_argument("iterations", type=int)
    parser.add_argument("--batch", type=int, default=9216)
    parser.add_argument("--importance", type=float)
    parser.add_argument("--blur")
    parser.add_argument("--start", type=Path)
    parser.add_argument("--counted-from-start", action="store_true")
    options = parser.parse_args()
    picture = images.load(options.image).pixels
    config = fnet.FnetConfig(8, 6, 3)
    settings = FitSettings(options.iterations, batch_pixels=options.batch, rate_weight=LAMBDA)
    fit = fitting._Fit(pixels.to_planes(picture), config, settings, 0, backend_of("cpu"))
    if options.start:
        start = np.load(options.start)
        start[config.shape.layers[-1].span].reshape(-1, 2, 3)[0, 0] += fit._mean
        fit.coefficients = start.copy()
        if options.counted_from_start:
            fit._coefficient_rate = CountedFrom(fit._coefficient_rate, start)
    if options.blur:
        blurred(fit, options.blur, options.iterations)
    if options.importance is not None:
        importance(fit, options.importance, options.batch)
    began = time.process_time()
    fit.run(None)
    network, seconds = fit.integers(), time.process_time() - began
    height, width, _ = picture.shape
    coded = network
    if options.counted_from_start:
        base = np.rint(start / fnet.spread_steps(config.shape, fnet.step_size(network.step_indices)))
        coded = dataclasses.replace(network, symbols=(network.symbols - base).astype(np.int32))
    fields, sections = fnet.pack(coded)
    size_bytes = len(container.write(container.Header(width, height, 3, fnet.PROFILE_ID, **fields), sections))
    psnr_db = metrics.psnr_db(picture, pixels.from_planes(fnet.render(network, (height, width), "cpu")))
    bpp = metrics.bpp(size_bytes, width, height)
    cost = 10 ** (-psnr_db / 10) + LAMBDA * bpp
    row = (options.image.name, "8x6", options.iterations, f"{LAMBDA:g}", options.label, size_bytes, f"{bpp:.4f}")
    show(*row, f"{psnr_db:.3f}", f"{cost:.5e}", f"{seconds:.0f}")


if __name__ == "__main__":
    main()
