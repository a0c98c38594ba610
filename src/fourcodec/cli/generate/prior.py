"""`fourcodec generate prior`."""

from pathlib import Path

import click

from fourcodec.cli import options
from fourcodec.cli.generate.evaluate import cache_option, data_option, progress_line
from fourcodec.cli.help import Command


@click.command(
    cls=Command,
    examples="""
    fourcodec generate prior model --data data/mnist
    """,
)
@click.argument("model", type=click.Path(path_type=Path))
@data_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of samples and classifier.")
@cache_option
@options.quiet_option
@options.debug_option
def prior(model: Path, data: Path, seed: int, cache: Path | None, quiet: bool) -> None:
    """Choose the distribution that the model in the folder MODEL is sampled from, and store it there.

    Each kind is fitted to the latents of four fifths of the training images and judged on the others, in the features
    of the classifier that `evaluate` uses; no test image is looked at. Replaces the prior that was chosen before.
    """
    from fourcodec.generative import classifier_cache, datasets, prior_store
    from fourcodec.generative.model import load_model

    progress = progress_line(quiet)
    trained, dataset = load_model(model), datasets.load_dataset(data)
    prior_store.check_data(trained, dataset)
    classifier = classifier_cache.cached_classifier(dataset, seed=seed, folder=cache, progress=progress)
    choice = prior_store.choose_for_model(trained, dataset, classifier, seed=seed, progress=progress)
    prior_store.write_prior(model, choice.prior, trained.train_latents)
    if not quiet:
        click.echo(f"{model}: prior {choice.prior.name}, Fréchet distance {choice.frechet[choice.name]:.3f}")
