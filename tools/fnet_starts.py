"""Trains the starts of the pure network (the priors of profile fnet): coefficients from which few iterations lead to
any picture, by Reptile (Nichol et al., "On First-Order Meta-Learning Algorithms", 2018).

    python -m tools.fnet_starts DATA WORK OUT.npz [--sizes 8x6] [--tasks 160]
        (OUT: src/fourcodec/fnet/fnet_priors.npz)

DATA has the folders camera, imagenet and photos. A task is a picture, mirrored or not, that is fitted from the start
for 100 iterations by the encoder's optimiser, with its learning rate and bounds; then the start moves towards where
the fit has ended, at first by a third of the way, at last by a thirtieth. SOAP's state goes on from task to task, since
pictures share much of it. The last layer's constants are relative to the mean colour of a picture. The 24 pictures that
`fourcodec bench --limit 24` takes of imagenet, and those of HELD_OUT, on which choices were made, are not used.

The state is kept in WORK after every tenth task, and a run that was stopped goes on from there with the same numbers. A
size whose tasks are all done goes into OUT, behind those that are there; one that OUT has is left out. A task of 8 x 6
takes 2.6 seconds of processor time.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from fourcodec.bench import sources
from fourcodec.fnet.backends import backend_of
from fourcodec.fnet.config import FnetConfig
from fourcodec.fnet.fit import fit as fitting
from fourcodec.fnet.fit.settings import FLOAT_SCHEDULE, FitSettings
from fourcodec.fnet.fit.sizes import size_named
from fourcodec.fnet.fit.start import initial_coefficients
from fourcodec.fnet.trained_starts import FRACTION, MIDDLE
from fourcodec.images import pixels
from fourcodec.optimisation.soap import SoapState

BENCH_PICTURES = 24
HELD_OUT = (
    "n02100735_English_setter.JPEG",
    "n02486410_baboon.JPEG",
    "n03535780_horizontal_bar.JPEG",
    "n04346328_stupa.JPEG",
    "n04371430_swimming_trunks.JPEG",
    "n07753113_fig.JPEG",
)
LEAST_SIDE = 380  # of the longer side, in pixels
LONGEST, LONGEST_OF_PHOTOS = 512, 640  # larger pictures are reduced to these
ITERATIONS, BATCH_PIXELS = 100, 4 * 768
RISE, FALL = 10, 30  # iterations at the beginning and end of a task over which the learning rate rises and falls
# Of the way to where a fit has ended: the last step, what the first one has beyond it, the tasks in which that would
# fall to nothing, and those at the end in which it does.
LAST_STEP, MORE, LONG_FALL, LAST_FALL = 0.03, 0.3, 400, 60
KEPT_EVERY = 10  # tasks
SOAP_ARRAYS = ("first", "second", "left", "left_basis", "right", "right_basis")
Pixels = NDArray[np.uint8]


def pictures(data: Path) -> list[Pixels]:
    """The pictures to learn from, (H, W, 3) uint8 each."""
    folder = data / "imagenet"
    names = sources.discover(folder)
    left_out = {*sources.sample(names, BENCH_PICTURES, seed=0), *HELD_OUT}
    found = [Image.open(folder / name).convert("RGB") for name in names if name not in left_out]
    result = [reduced(image, LONGEST) for image in found if max(image.size) >= LEAST_SIDE]
    for path in [*sorted((data / "photos").iterdir()), *sorted((data / "camera").iterdir())]:
        image = Image.open(path).convert("RGB")
        width, height = image.width // 2, image.height // 2
        result.append(reduced(image, LONGEST_OF_PHOTOS))
        for left, top in ((0, 0), (width, height)):
            result.append(reduced(image.crop((left, top, left + width, top + height)), LONGEST_OF_PHOTOS))
    return result


def reduced(image: Image.Image, longest: int) -> Pixels:
    """The pixels of an image whose longer side is at most `longest`."""
    scale = min(1.0, longest / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS) if scale < 1 else image)


class Training:
    """The state of the training of one size: the start, relative to the mean colour, SOAP's states, tasks done."""

    def __init__(self, size: tuple[int, ...]) -> None:
        self.config, self.done = FnetConfig.of_size(size, 3), 0
        shape = self.config.shape
        self.start = initial_coefficients(shape, np.zeros(3, np.float32), np.random.default_rng(0))
        self.soap = [SoapState(layer.size // layer.outputs, layer.outputs) for layer in shape.layers]

    def learn(self, picture: Pixels, tasks: int) -> float:
        """Does the next of so many tasks. Returns the PSNR of its last iterations, in dB above the mean colour's."""
        settings = FitSettings(ITERATIONS, batch_pixels=BATCH_PIXELS, phases=FLOAT_SCHEDULE)
        planes = pixels.to_planes(picture)
        fit = fitting._Fit(planes, self.config, settings, self.done, backend_of("cpu"))
        fit.coefficients, fit._soap = self.start.copy(), self.soap
        constants = fit.coefficients[self.config.shape.layers[-1].span].reshape(-1, 2, 3)[0, 0]
        constants += fit._mean
        full, errors = fit._rate, []
        for iteration in range(ITERATIONS):
            rate = full * min(1.0, (iteration + 1) / RISE, (ITERATIONS - iteration) / FALL)
            fit._rate_at = lambda _, rate=rate: rate  # type: ignore[method-assign, misc]
            errors.append(fit._iterate(FLOAT_SCHEDULE[0], iteration))
        constants -= fit._mean
        step = MORE * max(0.0, min(1 - self.done / LONG_FALL, (tasks - self.done) / LAST_FALL)) + LAST_STEP
        if np.isfinite(fit.coefficients).all():
            self.start += np.float32(step) * (fit.coefficients - self.start)
        self.done += 1
        return 10 * math.log10(float(planes.reshape(3, -1).var(axis=1).mean()) / float(np.mean(errors[-RISE:])))

    def save(self, path: Path) -> None:
        """Keeps the state in `path`; `load` is the inverse."""
        arrays = {f"{name}_{n}": getattr(soap, name) for n, soap in enumerate(self.soap) for name in SOAP_ARRAYS}
        arrays = {name: array for name, array in arrays.items() if array is not None}
        arrays |= {f"recent_{n}": np.array(soap.recent) for n, soap in enumerate(self.soap)}
        new = path.with_suffix(".new.npz")
        np.savez(new, start=self.start, done=self.done, iteration=self.soap[0].iteration, **arrays)
        new.replace(path)

    def load(self, path: Path) -> None:
        """Takes the state that `save` has kept in `path`."""
        with np.load(path) as stored:
            self.start, self.done = stored["start"], int(stored["done"])
            for n, soap in enumerate(self.soap):
                soap.iteration, soap.recent = int(stored["iteration"]), list(stored[f"recent_{n}"])
                for name in SOAP_ARRAYS:
                    if f"{name}_{n}" in stored:
                        setattr(soap, name, stored[f"{name}_{n}"])

    def integers(self) -> NDArray[np.int16]:
        """The start as it is shipped, in units of 2^-FRACTION, for a picture whose mean colour is MIDDLE."""
        start = self.start.astype(np.float64)
        start[self.config.shape.layers[-1].span].reshape(-1, 2, 3)[0, 0] += MIDDLE
        return np.clip(np.rint(start * 2**FRACTION), -32767, 32767).astype(np.int16)


def train(size: tuple[int, ...], images: list[Pixels], work: Path, tasks: int) -> NDArray[np.int16]:
    """The integers of the start of one size, trained in so many tasks."""
    training, path = Training(size), work / ("x".join(map(str, size)) + ".npz")
    if path.exists():
        training.load(path)
    gains = []
    while training.done < tasks:
        random = np.random.default_rng((1, training.done))
        picture = images[random.integers(len(images))]
        gains.append(training.learn(picture[:, ::-1] if random.random() < 0.5 else picture, tasks))
        if training.done % KEPT_EVERY == 0 or training.done == tasks:
            training.save(path)
            print(f"{path.stem}: {training.done} of {tasks}, {np.mean(gains[-30:]):.2f} dB", flush=True)
    return training.integers()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "work", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--sizes", default="8x6")
    parser.add_argument("--tasks", type=int, default=160)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    images, arrays = pictures(options.data), {}
    if options.out.exists():
        with np.load(options.out) as stored:
            arrays = dict(stored)
    with threadpool_limits(1):
        for name in options.sizes.split(","):
            size = size_named(name)
            if any(key.startswith("size_") and tuple(own) == size for key, own in arrays.items()):
                continue
            number = sum(key.startswith("size_") for key in arrays) + 1
            arrays[f"start_{number}"] = train(size, images, options.work, options.tasks)
            arrays[f"size_{number}"] = np.array(size)
            new = options.out.with_suffix(".new.npz")
            np.savez_compressed(new, **arrays)
            new.replace(options.out)


if __name__ == "__main__":
    main()
