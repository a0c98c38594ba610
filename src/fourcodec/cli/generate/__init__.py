"""`fourcodec generate`: a group of commands."""

import click

from fourcodec.cli.lazy import LazyGroup

COMMANDS = {
    "train": ("fourcodec.cli.generate.train", "train", "Train a model on a folder of images."),
    "sample": ("fourcodec.cli.generate.use", "sample", "Make new images, optionally as .fnc files."),
    "reconstruct": ("fourcodec.cli.generate.use", "reconstruct", "Show images above the model's reconstructions."),
    "interpolate": ("fourcodec.cli.generate.use", "interpolate", "Show images interpolated between others."),
    "prior": ("fourcodec.cli.generate.prior", "prior", "Choose the distribution that samples are drawn from."),
    "evaluate": ("fourcodec.cli.generate.evaluate", "evaluate", "Measure reconstructions and samples."),
    "embed": ("fourcodec.cli.generate.use", "embed", "Find the latents of images."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def generate() -> None:
    """Train and use generative models: a decoder maps a latent z to all coefficients of a Fourier network.

    \b
      fourcodec generate train data/mnist --config mnist -o model --minutes 10
      fourcodec generate sample model -o sheet.png --fnc samples
    """
