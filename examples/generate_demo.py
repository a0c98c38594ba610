"""A small generative model, trained in a minute and a half, and images sampled from it.

    python -m examples.generate_demo FOLDER [DATA]     (or: make generate-demo [DATA=path])

Learns the 8 x 8 digits that ship with scikit-learn, enlarged to 24 x 24 pixels, or the images in DATA. Writes into
FOLDER the model, samples.png, samples of ten times the size as .fnc files, and between.png, an interpolation through
five test images.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.datasets import load_digits

from fourcodec import files, images
from fourcodec.generative import fnc, model_prior, sheets, uses
from fourcodec.generative.config import load_config
from fourcodec.generative.datasets import Dataset, load_dataset
from fourcodec.generative.model import load_model
from fourcodec.generative.schedules import Budget
from fourcodec.generative.training import Training, TrainingProgress

MINUTES = 1.5
SIDE = 24  # pixels that the digits are enlarged to
LARGE = 240  # pixels of the longer side of coded samples
CODED = 4  # samples that become files


def main(folder: Path, source: Path | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data = load_dataset(source or write_digits(folder / "digits.npz"))
    directory = folder / "model"
    shutil.rmtree(directory, ignore_errors=True)
    print(f"{len(data.train)} images to learn from, {MINUTES} minutes")
    train(data, directory)
    choice = model_prior.choose_and_store(directory, data, seed=0, cache=folder)
    print(f"samples are drawn from {choice.chosen.prior.name} at temperature {choice.chosen.temperature}")
    model = load_model(directory)

    z = model.sample(64, seed=0)
    write(folder / "samples.png", sheets.sheet(sheets.to_bytes(model.decode(z))))
    for number, coded in enumerate(fnc.to_fnc(model.core, z[:CODED], uses.longer_side(model, LARGE))):
        files.write(folder / f"sample-{number}.fnc", coded, overwrite=True)
    stops = data.test[:5]
    latents = model.embed(stops)
    write(folder / "between.png", sheets.sheet(sheets.to_bytes(model.decode(model.interpolate(latents, 8))), 8))
    print(f"{len(stops)} images that it was not trained on: {uses.psnr_db(model, latents, stops):.2f} dB")
    print(f"see {folder / 'samples.png'}; fourcodec decode {folder / 'sample-0.fnc'} shows one of them large")


def write_digits(path: Path) -> Path:
    """Writes the bundled digits (1,797 of 8 x 8 pixels, 17 grey levels) and their labels as a data set."""
    digits = load_digits()
    small = np.asarray(digits.images * (255 / 16), np.uint8)
    large = [np.asarray(Image.fromarray(digit).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for digit in small]
    np.savez(path, images=np.stack(large), labels=digits.target)
    return path


def train(data: Dataset, directory: Path) -> None:
    settings = load_config(str(Path(__file__).with_suffix(".toml")))
    shown = 0

    def report(progress: TrainingProgress) -> None:
        nonlocal shown
        if progress.fraction * 10 >= shown + 1:
            shown = int(progress.fraction * 10)
            print(f"{progress.fraction:.0%}, epoch {progress.epoch}: {progress.psnr_db:.2f} dB", flush=True)

    with Training.begin(data, settings, directory, device="cpu", seed=0) as training:
        training.run(Budget(minutes=MINUTES), report)


def write(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    files.write(path, images.to_png(picture), overwrite=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
