"""Sheets of a generative model to look at, and scores of its samples by class.

    python -m benchmarks.generative_sheets MODEL DATA FOLDER NAME [--classes 1 7 8]

Writes NAME-samples.png (at twice the size), NAME-nearest.png (rows of three: samples, the training images that are
nearest in the features of the judging classifier, and those that are nearest in pixels, mirrored ones included),
NAME-reconstructions.png and NAME-interpolation.png into FOLDER, and for given classes NAME-classes.png, a row of
samples for each. Prints the scores of each class: the Fréchet distance of its samples, and of its training images, from
its test images, and the share of samples that the classifier takes for it.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fourcodec import images
from fourcodec.arrays import Images
from fourcodec.generative import sheets, uses
from fourcodec.generative.classifier import Classifier
from fourcodec.generative.classifier_cache import cached_classifier
from fourcodec.generative.datasets import Dataset, load_dataset
from fourcodec.generative.evaluation import decode_images
from fourcodec.generative.model import TrainedModel, load_model
from fourcodec.generative.scores import frechet_distance

COLUMNS = 16


def nearest(queries: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.int64]:
    """The number (N,) of the point of (M, D) that is nearest to each of the queries (N, D)."""
    squares = np.square(points).sum(1) - 2 * queries @ points.T
    return squares.argmin(1)


def nearest_sheet(samples: Images, data: Dataset, classifier: Classifier) -> NDArray[np.uint8]:
    """Samples above their nearest training images in features, above those in pixels."""
    known = np.concatenate([data.train, data.train[:, :, ::-1]])
    features = [classifier.judge(part).features for part in (samples, known)]
    pixels = [part.reshape(len(part), -1).astype(np.float32) for part in (samples, known)]
    rows = []
    by_features, by_pixels = nearest(*features), nearest(*pixels)
    for start in range(0, len(samples), COLUMNS):
        chosen = slice(start, start + COLUMNS)
        rows += [samples[chosen], known[by_features[chosen]], known[by_pixels[chosen]]]
    return sheets.sheet(np.concatenate(rows), COLUMNS)


def class_scores(
    model: TrainedModel, data: Dataset, classifier: Classifier, label: int, count: int
) -> dict[str, float]:
    """The scores of samples of one class; `taken` are the shares that the classifier takes for it."""
    assert data.train_labels is not None
    assert data.test_labels is not None
    samples = decode_images(model, model.sample(count, 0, None, label))
    parts = {"test": data.test[data.test_labels == label], "train": data.train[data.train_labels == label]}
    found = {name: classifier.judge(part) for name, part in {**parts, "samples": samples}.items()}
    number = int(np.flatnonzero(np.unique(data.train_labels) == label)[0])
    return {
        "frechet": frechet_distance(found["test"].features, found["samples"].features),
        "frechet_train": frechet_distance(found["test"].features, found["train"].features),
        "taken": float(np.mean(found["samples"].classes == number)),
        "taken_test": float(np.mean(found["test"].classes == number)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--classes", type=int, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=2000, help="samples of a class that are scored")
    arguments = parser.parse_args()
    model, data = load_model(arguments.model), load_dataset(arguments.data)
    classifier = cached_classifier(data)

    def write(kind: str, picture: NDArray[np.uint8]) -> None:
        (arguments.folder / f"{arguments.name}-{kind}.png").write_bytes(images.to_png(picture))

    twice = uses.longer_side(model, 2 * max(model.image_shape[:2]))
    write("samples", sheets.sheet(sheets.to_bytes(model.decode(model.sample(64, 0), twice)), COLUMNS))
    write("nearest", nearest_sheet(decode_images(model, model.sample(2 * COLUMNS, 1)), data, classifier))
    write("reconstructions", uses.reconstruction_sheet(model, data.test[: 2 * COLUMNS]))
    between = model.interpolate(model.embed(data.test[:4]), 10)
    write("interpolation", sheets.sheet(decode_images(model, between), 11))
    rows = [decode_images(model, model.sample(COLUMNS, 0, None, label)) for label in arguments.classes]
    if rows:
        write("classes", sheets.sheet(np.concatenate(rows), COLUMNS))
    for label in arguments.classes:
        scores = class_scores(model, data, classifier, label, arguments.count)
        print(f"class {label}: " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()), flush=True)


if __name__ == "__main__":
    main()
