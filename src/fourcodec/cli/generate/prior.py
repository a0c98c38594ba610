"""`fourcodec generate prior`."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fourcodec.cli import options
from fourcodec.cli.generate.evaluate import cache_option, data_option, progress_line
from fourcodec.cli.help import Command
from fourcodec.errors import ModelError

if TYPE_CHECKING:
    from fourcodec.generative.prior_choice import Choice


def describe(choice: "Choice") -> str:
    """The chosen prior and its scores in one line for the user."""
    winner = choice.trial
    return (
        f"prior {choice.chosen.prior.name} at temperature {winner.temperature}, "
        f"Fréchet distance {winner.frechet:.3f}, {winner.malformed_share:.1%} malformed"
    )


@click.command(
    cls=Command,
    examples="""
    fourcodec generate prior model --data data/mnist
    """,
)
@click.argument("model", type=options.PATH)
@data_option
@options.seed_option("Seed of samples and classifier.")
@cache_option
@options.quiet_option
@options.debug_option
def prior(model: Path, data: Path, seed: int, cache: Path | None, quiet: bool) -> None:
    """Choose the prior of the model in the folder MODEL again, and store it there in place of the old one.

    `train` does the same at its end, without a flow among the candidates. Each candidate is fitted to the latents of
    four fifths of the training images and judged on the others, in the features of the classifier that `evaluate` uses.
    Test images are not used.
    """
    from fourcodec.generative import card, checkpoints, datasets, model_prior
    from fourcodec.generative.model import load_model
    from fourcodec.generative.prior_choice import CANDIDATES

    checkpoints.check_exists(model)
    if load_model(model).config.flow is not None:
        raise ModelError(f"{str(model)!r} has a flow for its prior, which `generate train --resume` trains")
    with checkpoints.locked(model):  # a prior belongs to its checkpoint, which a training would replace
        choice = model_prior.choose_and_store(
            model,
            datasets.load_dataset(data),
            seed=seed,
            cache=cache,
            candidates=CANDIDATES,
            progress=progress_line(quiet),
        )
        found = describe(choice).removeprefix("prior ")
        card.write_card(model, datetime.datetime.now(datetime.UTC).date(), found)
    if not quiet:
        options.say(f"{model}: {describe(choice)}")
