"""`fourcodec generate evaluate`."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fourcodec.cli import options
from fourcodec.cli.help import Command

if TYPE_CHECKING:
    from fourcodec.generative.classifier import Classifier
    from fourcodec.generative.evaluation import Evaluation
    from fourcodec.generative.judging import Memorisation

_SCORES = ("frechet", "precision", "recall", "density", "coverage", "malformed_share")

data_option = click.option("--data", required=True, type=options.PATH, help="The data that the model was trained on.")
cache_option = click.option(
    "--cache",
    type=options.FOLDER,
    help="Folder of trained classifiers.  [default: $FOURCODEC_CACHE_DIR, or the user's cache folder]",
)


def progress_line(quiet: bool) -> Callable[[str], None]:
    """A function that prints lines of progress on stderr, or with `quiet` nothing."""
    return (lambda _: None) if quiet else functools.partial(options.say, err=True)


@click.command(
    cls=Command,
    examples="""
    fourcodec generate evaluate model --data data/mnist
    fourcodec generate evaluate model --data data/mnist --samples 1000 --json
    """,
)
@click.argument("model", type=options.PATH)
@data_option
@click.option(
    "--samples", type=click.IntRange(min=10), default=10_000, show_default=True, help="Number of images to sample."
)
@click.option(
    "--reconstructed",
    type=click.IntRange(min=1),
    default=2_000,
    show_default=True,
    metavar="N",
    help="The most test images to reconstruct.",
)
@options.seed_option("Seed of samples and classifier.")
@click.option(
    "--temperature",
    type=click.FloatRange(0, 10, min_open=True),
    help="Factor on the prior's deviations.  [default: the one chosen with the prior]",
)
@cache_option
@options.quiet_option
@options.json_option
@options.debug_option
def evaluate(
    model: Path,
    data: Path,
    samples: int,
    reconstructed: int,
    seed: int,
    temperature: float | None,
    cache: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Evaluate the generative model in the folder MODEL: reconstructions of test images, and samples against them.

    Samples are compared in the features of a classifier, which is trained on DATA the first time (this takes minutes)
    and kept.
    """
    from fourcodec.generative import classifier_cache, datasets, evaluation
    from fourcodec.generative.model import load_model

    progress = progress_line(quiet)
    trained, dataset = load_model(model), datasets.load_dataset(data)
    evaluation.check_sizes(trained, dataset)
    classifier = classifier_cache.cached_classifier(dataset, seed=seed, folder=cache, progress=progress)
    settings = evaluation.EvaluationSettings(samples, reconstructed, seed, temperature)
    result = evaluation.evaluate(trained, dataset, classifier, settings, progress=progress)
    click.echo(json.dumps(result.to_json()) if as_json else "\n".join(_lines(result)))


def _lines(result: "Evaluation") -> list[str]:
    """The results for people to read: a table of samples, then reconstructions, copies and the classifier."""
    from fourcodec.generative.evaluation import FLOOR, MODEL, PCA_GAUSSIAN, STANDARD_NORMAL

    rows = {
        f"{result.prior} at {result.temperature:g}": MODEL,
        "samples of N(0, I)": STANDARD_NORMAL,
        f"PCA-{result.latent_size}, Gaussian": PCA_GAUSSIAN,
        "training images": FLOOR,
    }
    lines = [" " * 24 + "".join(f"{name.removesuffix('_share'):>11}" for name in _SCORES)]
    for title, suffix in rows.items():
        scores = [getattr(result.samples[suffix], name) for name in _SCORES]
        lines.append(f"{title:24}" + "".join(f"{score:11.3f}" for score in scores))
    lines.append("")
    titles = {
        "": "test images",
        "refined": "test images, z refined",
        "train": "training images",
        "pca": f"test images, PCA-{result.latent_size}",
    }
    for name, title in titles.items():
        if found := result.reconstructions.get(name):
            lines.append(f"{title:24}{found.psnr_db:11.2f} dB  (mean of images {found.image_psnr_db:.2f})")
    return [*lines, "", _copies(result.memorisation), _judge(result.classifier)]


def _copies(found: "Memorisation") -> str:
    ratio = "unknown" if found.train_distance_ratio is None else f"{found.train_distance_ratio:.3f}"
    return (
        f"nearest image is a training image: {found.nearest_is_train_share:.3f} of the samples "
        f"(expected {found.nearest_is_train_expected:.3f}), distance ratio {ratio}"
    )


def _judge(classifier: "Classifier") -> str:
    return (
        f"judge: {classifier.task}, accuracy {classifier.accuracy:.4f}, weights {classifier.weights_hash[:12]}, "
        f"data {classifier.data_hash[:12]}"
    )
