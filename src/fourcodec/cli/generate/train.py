"""`fourcodec generate train`."""

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
    from fourcodec.generative.training import TrainingProgress


PRIOR_SEED = 0  # the default of `evaluate`, which then finds the same classifier


def show(line: options.ProgressLine, progress: "TrainingProgress") -> None:
    """Shows the progress of a training."""
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    line.show(
        f"epoch {progress.epoch}  {progress.fraction:.1%}  loss {progress.loss:.2f}  "
        f"PSNR {progress.psnr_db:.2f} dB  {progress.images_per_second:.0f} images/s  {minutes}:{seconds:02} left",
        last=progress.fraction >= 1,
    )


@click.command(
    cls=Command,
    examples="""
    fourcodec generate train data/mnist --config mnist -o model
    fourcodec generate train data/mnist --config mnist -o model --minutes 10
    fourcodec generate train data/mnist -o model --resume
    """,
)
@click.argument("data", metavar="DATA", type=options.PATH)
@click.option(
    "--config", "name", metavar="NAME|FILE.toml", help="mnist, cifar10, mnist-thesis, cifar10-thesis, or a file."
)
@click.option("-o", "--output", required=True, type=options.FOLDER, help="The model's folder.")
@click.option(
    "--epochs", type=click.IntRange(min=1), help="Passes over the data, in all.  [default: the configuration's]"
)
@click.option("--minutes", type=options.ABOVE_0, help="Minutes instead of epochs, in all.")
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
    device: str,
    seed: int,
    resume: bool,
    quiet: bool,
) -> None:
    """Train a model on DATA: a folder of MNIST or CIFAR-10 files, or of pictures of one size.

    After the training the prior, the distribution of samples, is chosen, which takes some minutes more.
    """
    if epochs is not None and minutes is not None:
        raise click.UsageError("--epochs and --minutes exclude each other: give one of them")
    if (name is None) != resume:
        raise click.UsageError("give either --config, to begin, or --resume, to continue")
    from fourcodec.generative import config, model_prior
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
        with options.ProgressLine() as line:
            training.run(Budget(epochs, minutes), None if quiet else functools.partial(show, line))
        if not quiet and training.history:
            last = training.history[-1]
            options.say(
                f"{output}: {last.epoch} epochs, {last.seconds / 60:.1f} minutes, "
                f"PSNR {last.psnr_db:.2f} dB in training"
            )
        if len(dataset.train) >= LEAST_IMAGES:
            choice = model_prior.choose_and_store(output, dataset, seed=PRIOR_SEED, progress=progress_line(quiet))
            if not quiet:
                options.say(f"{output}: {describe(choice)}")
