"""`fourcodec generate train`."""

import datetime
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fourcodec import devices
from fourcodec.cli import options
from fourcodec.cli.generate.evaluate import progress_line
from fourcodec.cli.generate.prior import describe
from fourcodec.cli.help import Command

if TYPE_CHECKING:
    from fourcodec.generative.cell_flow_training import FlowProgress
    from fourcodec.generative.config import Config
    from fourcodec.generative.datasets import Dataset
    from fourcodec.generative.training import TrainingProgress


_CHOICE_SHARE = 0.2  # of a training's minutes, for choosing a prior among mixtures
PRIOR_SEED = 0  # the default of `evaluate`, which then finds the same classifier


def show(line: options.ProgressLine, progress: "TrainingProgress") -> None:
    """Shows the progress of a training."""
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    line.show(
        f"epoch {progress.epoch}  {progress.fraction:.1%}  loss {progress.loss:.2f}  "
        f"PSNR {progress.psnr_db:.2f} dB  {progress.images_per_second:.0f} images/s  {minutes}:{seconds:02} left",
        last=progress.fraction >= 1,
    )


def show_flow(line: options.ProgressLine, progress: "FlowProgress") -> None:
    """Shows the progress of the training of a flow."""
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    line.show(
        f"flow {progress.fraction:.1%}  squared error {progress.loss:.4f}  {minutes}:{seconds:02} left",
        last=progress.fraction >= 1,
    )


@click.command(
    cls=Command,
    examples="""
    fourcodec generate train data/mnist --config mnist -o model
    fourcodec generate train data/mnist --config mnist -o model --minutes 10
    fourcodec generate train data/mnist -o model --resume
    fourcodec generate train data/cifar10 --config cifar10-cells -o model --minutes 180
    """,
)
@click.argument("data", metavar="DATA", type=options.PATH)
@click.option(
    "--config",
    "name",
    metavar="NAME|FILE.toml",
    help="mnist, cifar10, cifar10-cells, mnist-thesis, cifar10-thesis, or a file.",
)
@click.option("-o", "--output", required=True, type=options.FOLDER, help="The model's folder.")
@click.option(
    "--epochs", type=click.IntRange(min=1), help="Passes over the data, in all.  [default: the configuration's]"
)
@click.option("--minutes", type=options.ABOVE_0, help="Minutes instead of epochs, in all, with those for the prior.")
@click.option(
    "--no-prior",
    "without_prior",
    is_flag=True,
    help="Leave out the prior; `prior`, or for a flow --resume, makes it later.",
)
@options.device_option("auto")
@options.seed_option("Seed of weights, order and noise.")
@options.resume_option
@options.quiet_option
@options.debug_option
def train(
    data: Path,
    name: str | None,
    output: Path,
    epochs: int | None,
    minutes: float | None,
    without_prior: bool,
    device: str,
    seed: int,
    resume: bool,
    quiet: bool,
) -> None:
    """Train a model on DATA: a folder of MNIST or CIFAR-10 files, or of pictures of one size.

    After the training the prior, the distribution of samples, is made: a flow is trained where the configuration has
    one. Otherwise mixtures of Gaussians are tried; with --epochs their samples are judged, which takes some minutes
    more, with --minutes the likelihood of held-out latents decides, in a fifth of the time.
    """
    if epochs is not None and minutes is not None:
        raise click.UsageError("--epochs and --minutes exclude each other: give one of them")
    if (name is None) != resume:
        raise click.UsageError("give either --config, to begin, or --resume, to continue")
    from fourcodec.generative import card, config
    from fourcodec.generative.datasets import load_dataset
    from fourcodec.generative.prior_choice import LEAST_IMAGES
    from fourcodec.generative.schedules import Budget
    from fourcodec.generative.training import Training

    processor = devices.resolve(device)
    settings = None if name is None else config.load_config(name)
    dataset = load_dataset(data)
    if settings is None:
        opened = Training.resume(dataset, output, device=processor)
    else:
        opened = Training.begin(dataset, settings, output, device=processor, seed=seed)
    with opened as training:  # the lock is kept until the prior is stored too
        epochs = training.config.training.epochs if epochs is None and minutes is None else epochs
        share = 0.0 if without_prior else _prior_share(training.config)
        budget = Budget(epochs, None if minutes is None else (1 - share) * minutes)
        with options.ProgressLine() as line:
            training.run(budget, None if quiet else functools.partial(show, line))
        if not quiet and training.history:
            last = training.history[-1]
            options.say(
                f"{output}: {last.epoch} epochs, {last.seconds / 60:.1f} minutes, "
                f"PSNR {last.psnr_db:.2f} dB in training"
            )
        found = None
        if not without_prior and len(dataset.train) >= LEAST_IMAGES:
            found = _make_prior(output, dataset, training.config, minutes, processor, quiet)
            if not quiet:
                options.say(f"{output}: prior {found}")
        card.write_card(output, datetime.datetime.now(datetime.UTC).date(), found)


def _prior_share(settings: "Config") -> float:
    """The share of a training's minutes that its prior has."""
    return _CHOICE_SHARE if settings.flow is None else settings.flow.share


def _make_prior(
    output: Path, dataset: "Dataset", settings: "Config", minutes: float | None, device: str, quiet: bool
) -> str:
    """Makes the prior of the model in a folder, in its share of the minutes where these are given. Returns what it is,
    in words."""
    from fourcodec.generative import model_prior
    from fourcodec.generative.schedules import Budget

    own = None if minutes is None else _prior_share(settings) * minutes
    if settings.flow is not None:
        budget = Budget(settings.flow.epochs if own is None else None, own)
        with options.ProgressLine() as line:
            report = _ignore if quiet else functools.partial(show_flow, line)
            model_prior.train_flow(output, dataset, budget, device=device, seed=PRIOR_SEED, report=report)
        return f"flow over {settings.network.grid.count} cells"
    progress = progress_line(quiet)
    if own is not None:
        prior = model_prior.choose_in_time(output, dataset, seconds=60 * own, seed=PRIOR_SEED, progress=progress)
        return f"{prior.name}, by the likelihood of held-out latents"
    choice = model_prior.choose_and_store(output, dataset, seed=PRIOR_SEED, progress=progress)
    return describe(choice).removeprefix("prior ")


def _ignore(progress: object) -> None:
    pass
